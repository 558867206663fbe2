//! Waiting for the slots of a set, on threads that can be called off (`kernel_wait`).
//!
//! One thread waits for any slot, and one until none is held. What the first one takes belongs to the PROCESS, as all that its threads take
//! (`CLONE_SYSVSEM`): the thread may end, and another one gives the slot back.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use super::{OpenSet, SetError};
use crate::file_lock::LockError;
use crate::kernel_wait::{Attempt, Outcome, Taken, Wait, start};

/// Waits until a slot is ours: `Outcome::Taken`, whose number is the slot's. The kernel hands it to the waiter that is first in line.
///
/// Errors: `EIDRM` when the set was removed, `ERANGE` when it is damaged; whoever looks at it learns more.
pub fn take_when_free(open: &Arc<OpenSet>, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    let taking = Taking {
        open: Arc::clone(open),
        slot: Cell::new(None),
    };
    start(
        taking,
        |taking: &Taking| match taking.open.set().take_when_free() {
            Ok(Some(slot)) => {
                taking.slot.set(Some(slot));
                Attempt::Granted
            }
            Ok(None) => Attempt::Interrupted,
            Err(error) => Attempt::Failed(failure(error)),
        },
        |taking| Outcome::Taken(Box::new(taking)),
        ended,
    )
}

/// Waits until nobody holds a slot of the set, also because it was removed: `Outcome::Free`.
///
/// Unspecified: whether somebody has taken one since. Errors: `ERANGE` when the set is damaged.
pub fn until_unused(open: &Arc<OpenSet>, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    start(
        Arc::clone(open),
        |open: &Arc<OpenSet>| match open.set().wait_unused() {
            Ok(true) | Err(SetError::Gone) => Attempt::Granted,
            Ok(false) => Attempt::Interrupted,
            Err(error) => Attempt::Failed(failure(error)),
        },
        |_| Outcome::Free,
        ended,
    )
}

/// A wait for a slot, and then the slot.
#[derive(Debug)]
struct Taking {
    open: Arc<OpenSet>,
    slot: Cell<Option<usize>>,
}

impl Taken for Taking {
    fn keep(self: Box<Self>) -> Option<u32> {
        let slot = self.slot.take()?;
        self.open.keep(slot).then_some(slot as u32)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.open.set().release(slot);
        }
    }
}

fn failure(error: SetError) -> LockError {
    let error = match error {
        SetError::Gone => io::Error::from_raw_os_error(libc::EIDRM),
        SetError::Damaged(_) => io::Error::from_raw_os_error(libc::ERANGE),
        SetError::System(error) => error,
    };
    LockError::system("semop", error)
}
