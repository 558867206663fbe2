//! Waiting for slots of a file, on threads that can be called off (`kernel_wait`).
//!
//! A waiting thread learns that a slot was free and takes nothing: what it took would be free again when it ends. Whoever is told asks the
//! keeper, as any claimer does.

use std::sync::Arc;

use super::{Kernel, Mapping, RobustMutexes, word};
use crate::file_lock::LockError;
use crate::kernel_wait::{Attempt, Outcome, Wait, start};

/// Waits until the slot was seen free: `Outcome::Free`. All who wait for it are woken. It goes on when the file is closed or deleted.
///
/// Unspecified: whether somebody has taken it since. Errors: `EINVAL` no such slot, `ESTALE` the file was truncated.
pub fn until_free(file: &RobustMutexes, slot: usize, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    start(
        Arc::clone(&file.mapping),
        move |mapping: &Arc<Mapping>| match sleep_while_held(mapping, slot) {
            Ok(true) => Attempt::Granted,
            Ok(false) => Attempt::Interrupted,
            Err(error) => Attempt::Failed(error),
        },
        |_| Outcome::Free,
        ended,
    )
}

/// Waits until no slot was seen held: `Outcome::Free`; else as `until_free`.
pub fn until_unused(file: &RobustMutexes, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    start(
        Arc::clone(&file.mapping),
        |mapping: &Arc<Mapping>| {
            let held = mapping.held().map_err(failure);
            match held.map(|held| held.first().copied()) {
                Ok(None) => Attempt::Granted,
                // All have to be free at once, so one after the other will do.
                Ok(Some(slot)) => match sleep_while_held(mapping, slot) {
                    Ok(_) => Attempt::Interrupted,
                    Err(error) => Attempt::Failed(error),
                },
                Err(error) => Attempt::Failed(error),
            }
        },
        |_| Outcome::Free,
        ended,
    )
}

fn sleep_while_held(mapping: &Mapping, slot: usize) -> Result<bool, LockError> {
    mapping
        .check_size()
        .and_then(|()| {
            let word = &mapping.word(slot)?.value;
            word::sleep_while_held(word, &Kernel, || mapping.read_word(slot))
        })
        .map_err(failure)
}

fn failure(error: std::io::Error) -> LockError {
    LockError::system("futex", error)
}
