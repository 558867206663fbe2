//! Blocking flock(2), which a signal interrupts.

use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::handshake::Attempt;
use super::wake_signal;
use crate::file_lock::{Descriptor, LockError};

pub use crate::file_lock::reopen as reopen_to_wait;

/// A signal ends only the call that it finds the thread in: sent before, it was in vain, and is sent again after this long.
pub const INTERRUPT_AGAIN: Option<Duration> = Some(Duration::from_micros(200));
/// What a file that is at no path is.
pub const NOT_FOUND: i32 = libc::ENOENT;
pub const SPAWN: &str = "pthread_create";

pub struct Interruption {
    signal: libc::c_int,
}

impl Interruption {
    pub fn new() -> Result<Self, LockError> {
        Ok(Self {
            signal: wake_signal::wake_signal()?,
        })
    }

    /// For the thread that can be interrupted, before anything else.
    pub fn prepare_this_thread(&self) {
        wake_signal::let_only_through(self.signal);
    }

    pub fn interrupt<T>(&self, thread: &JoinHandle<T>) {
        wake_signal::send(self.signal, thread);
    }

    pub fn lock_exclusive(&self, file: &Descriptor) -> Attempt<LockError> {
        flock(file, FlockOperation::LockExclusive)
    }

    pub fn lock_shared(&self, file: &Descriptor) -> Attempt<LockError> {
        flock(file, FlockOperation::LockShared)
    }
}

fn flock(file: &Descriptor, operation: FlockOperation) -> Attempt<LockError> {
    match rustix::fs::flock(file, operation) {
        Ok(()) => Attempt::Granted,
        Err(Errno::INTR) => Attempt::Interrupted,
        Err(error) => Attempt::Failed(LockError::system("flock", error)),
    }
}
