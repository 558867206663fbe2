//! Waiting for a permit, on a thread that can be called off (`kernel_wait`).

use std::cell::Cell;
use std::sync::Arc;

use super::{PosixSemaphore, Waited};
use crate::file_lock::LockError;
use crate::kernel_wait::{Attempt, Outcome, Taken, Wait, start};

/// Waits until a permit is ours: `Outcome::Taken`, whose number is 0. The semaphore stays open until the wait ends.
///
/// Guarantee: one permit is taken, or none. Unspecified: who among several waiters gets a permit.
pub fn take(semaphore: &Arc<PosixSemaphore>, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    let taking = Taking {
        semaphore: Arc::clone(semaphore),
        taken: Cell::new(false),
    };
    start(
        taking,
        |taking: &Taking| match taking.semaphore.wait(None) {
            Ok(Waited::Taken) => {
                taking.taken.set(true);
                Attempt::Granted
            }
            Ok(_) => Attempt::Interrupted,
            Err(error) => Attempt::Failed(LockError::system("sem_wait", error)),
        },
        |taking| Outcome::Taken(Box::new(taking)),
        ended,
    )
}

/// A wait for a permit, and then the permit.
#[derive(Debug)]
struct Taking {
    semaphore: Arc<PosixSemaphore>,
    taken: Cell<bool>,
}

impl Taken for Taking {
    /// It belongs to nobody, so nobody keeps account of it.
    fn keep(self: Box<Self>) -> Option<u32> {
        self.taken.take().then_some(0)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if self.taken.take() {
            // It fails only beyond the greatest value, and we took one off.
            let _ = self.semaphore.post();
        }
    }
}
