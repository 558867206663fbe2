//! Waiting for slots of an `ofd_range` pool, on threads that can be called off (`kernel_wait`).
//!
//! Each wait has a new open file description: a description never waits for itself, so through the pool's own one a wait for a slot that
//! the pool holds would end at once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::{Pool, Result, SLOTS_A_FILE, byte_locks, split};
use crate::file_lock::LockError;
use crate::kernel_wait::{Attempt, Outcome, Wait, start};

/// Waits until the slot is ours. `Outcome::Locked` has the descriptor that holds it, for `Pool::adopt`.
pub fn lock_slot(pool: &mut Pool, slot: u32, ended: impl FnOnce() + Send + 'static) -> Result<Wait> {
    let (shard, byte) = split(slot);
    let file = pool.reopen_current(shard)?;
    start(
        file,
        move |file: &OwnedFd| attempt(byte_locks::lock_waiting(file.as_fd(), byte.into())),
        Outcome::Locked,
        ended,
    )
}

/// Waits until nobody holds a slot of the shard, in any of the files that the pool knows of. `Outcome::Free` then.
///
/// Unspecified: whether somebody has claimed one since.
pub fn until_unused(pool: &mut Pool, shard: u32, ended: impl FnOnce() + Send + 'static) -> Result<Wait> {
    let files = pool.reopen(shard)?;
    let mut unused = 0;
    start(
        files,
        move |files: &Vec<OwnedFd>| {
            while let Some(file) = files.get(unused) {
                match attempt(byte_locks::wait_unlocked(file.as_fd(), 0..SLOTS_A_FILE.into())) {
                    Attempt::Granted => unused += 1,
                    ended => return ended,
                }
            }
            Attempt::Granted
        },
        |_| Outcome::Free,
        ended,
    )
}

fn attempt(ended: io::Result<()>) -> Attempt<LockError> {
    match ended {
        Ok(()) => Attempt::Granted,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Attempt::Interrupted,
        Err(error) => Attempt::Failed(LockError::system("fcntl", error)),
    }
}
