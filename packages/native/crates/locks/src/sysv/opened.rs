use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{SemaphoreSet, SetError};

/// A set as one part of a process, which may end before the process, has it open: it remembers what was taken through it, because the
/// kernel gives that back only at the process's end.
///
/// Guarantee: what is dropped gives everything back; then it removes the set, if nobody else holds anything in it.
#[derive(Debug)]
pub struct OpenSet {
    set: SemaphoreSet,
    /// `None`: closed.
    taken: Mutex<Option<HashSet<usize>>>,
}

impl OpenSet {
    pub fn new(set: SemaphoreSet) -> Self {
        Self {
            set,
            taken: Mutex::new(Some(HashSet::new())),
        }
    }

    pub fn set(&self) -> &SemaphoreSet {
        &self.set
    }

    /// As `SemaphoreSet::try_take`. `None` also when it is closed.
    pub fn try_take(&self) -> Result<Option<usize>, SetError> {
        let slot = match self.set.take_likely()? {
            Some(slot) => Some(slot),
            None => self.set.try_take()?,
        };
        Ok(slot.filter(|slot| self.keep(*slot)))
    }

    /// False: it was not taken through this, or the set is gone.
    pub fn release(&self, slot: usize) -> bool {
        let ours = self.taken().as_mut().is_some_and(|taken| taken.remove(&slot));
        ours && self.set.release(slot)
    }

    /// Gives back what was taken; what is taken from now on is given back at once. Idempotent.
    pub fn close(&self) {
        let taken = self.taken().take();
        for slot in taken.into_iter().flatten() {
            self.set.release(slot);
        }
    }

    /// Remembers a slot that this process took. False: closed, so it was given back.
    pub(super) fn keep(&self, slot: usize) -> bool {
        if let Some(taken) = self.taken().as_mut() {
            return taken.insert(slot);
        }
        self.set.release(slot);
        false
    }

    fn taken(&self) -> MutexGuard<'_, Option<HashSet<usize>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenSet {
    fn drop(&mut self) {
        self.close();
        // Else it would stay until the next boot, long after its directory. Where it cannot be removed it stays, which harms nobody.
        let _ = self.set.remove_if_unused();
    }
}
