//! The thread that gives back what the dead have left. Every open table has one; a kernel lock says whose works, and the others sleep in
//! the kernel until that lock is free, which is when its process is dead or has closed the table.
//!
//! A thread, so that a busy event loop keeps nobody waiting. Where the one that works is stopped (SIGSTOP) nobody takes its place, since it
//! is not dead; claims that find the pool full look for the dead themselves, so nobody is refused for it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::thread::nanosleep;

use super::file::WATCHDOG;
use super::table::Member;
use crate::file_lock::LockError;
use crate::kernel_wait::{Attempt, Outcome, Wait, start};
use crate::ofd_range::byte_locks;

/// Runs until it is dropped. `every`: how long it sleeps between two looks.
pub(super) fn watch(member: Arc<Member>, every: Duration) -> Result<Wait, LockError> {
    let watchdog = Watchdog {
        member,
        every,
        elected: AtomicBool::new(false),
    };
    start(
        move |handshake| match handshake.wait(watchdog, Watchdog::round) {
            None => Outcome::CalledOff,
            // The file is of no use any more; whoever claims next is told.
            Some(Ok(_)) => Outcome::Free,
            Some(Err(error)) => Outcome::Failed(error),
        },
        || (),
    )
}

struct Watchdog {
    member: Arc<Member>,
    every: Duration,
    elected: AtomicBool,
}

impl Watchdog {
    /// Interrupted: go on, unless it was called off.
    fn round(&self) -> Attempt<LockError> {
        if !self.elected.load(Ordering::Relaxed) {
            match byte_locks::lock_waiting(self.member.table.file.as_fd(), WATCHDOG) {
                Ok(()) => self.elected.store(true, Ordering::Relaxed),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Attempt::Interrupted,
                Err(error) => return Attempt::Failed(LockError::system("fcntl", error)),
            }
        }
        match self.member.announce_as_watchdog().and_then(|()| self.member.mend()) {
            // The file was truncated.
            Err(error) if error.raw_os_error() == Some(libc::ESTALE) => return Attempt::Granted,
            // No descriptor left, no room for a semaphore: perhaps next time.
            Ok(()) | Err(_) => {}
        }
        // Ends early by the signal that calls it off.
        let _ = nanosleep(&rustix::thread::Timespec {
            tv_sec: self.every.as_secs().try_into().unwrap_or(i32::MAX.into()),
            tv_nsec: self.every.subsec_nanos().into(),
        });
        Attempt::Interrupted
    }
}
