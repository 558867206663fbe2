//! Exclusive locks on whole files, the slots of `docs/slot-directory.md`: open, lock, check and record in one call.
//!
//! A lock belongs to the open file description (Unix) or the handle (Windows): it excludes inside this process too, and it ends
//! when the last copy of the descriptor is closed, at the latest by the kernel when the process ends. So release is dropping the
//! descriptor, never an unlock, which would take the lock from a child that was given a copy.
//!
//! Source: flock(2), "locks created by flock() are associated with an open file description"; for Windows see there.

use std::fmt;
use std::io;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;
#[cfg(target_os = "linux")]
pub(crate) use unix::open;
#[cfg(windows)]
pub(crate) mod windows;
#[cfg(windows)]
use windows as platform;

pub(crate) use platform::open_to_lock;
pub use platform::{adopt, is_current, open_watch, probe, reopen, try_lock, try_take};

/// What a lock lives in; closed, it is released.
#[cfg(unix)]
pub type Descriptor = std::os::fd::OwnedFd;
/// What a lock lives in; closed, it is released.
#[cfg(windows)]
pub type Descriptor = std::os::windows::io::OwnedHandle;

#[cfg(unix)]
pub type BorrowedDescriptor<'a> = std::os::fd::BorrowedFd<'a>;
#[cfg(windows)]
pub type BorrowedDescriptor<'a> = std::os::windows::io::BorrowedHandle<'a>;

#[cfg(test)]
pub(crate) fn borrowed(descriptor: &Descriptor) -> BorrowedDescriptor<'_> {
    #[cfg(unix)]
    return std::os::fd::AsFd::as_fd(descriptor);
    #[cfg(windows)]
    return std::os::windows::io::AsHandle::as_handle(descriptor);
}

/// Replaced this often while we lock it, a file is being deleted on purpose.
pub(crate) const MAX_REPLACEMENTS: usize = 8;

/// Why a file could not be locked; a refusal is no error.
#[derive(Debug)]
pub enum LockError {
    /// The system's answer to one call.
    System {
        syscall: &'static str,
        error: io::Error,
    },
    NotAPlainFile,
    /// The file's owner, who is not this process's user.
    ForeignOwner(u32),
    /// Deleted or replaced again and again while it was locked.
    Replaced,
}

impl LockError {
    pub(crate) fn system(syscall: &'static str, error: impl Into<io::Error>) -> Self {
        Self::System {
            syscall,
            error: error.into(),
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { syscall, error } => write!(f, "{syscall}: {error}"),
            Self::NotAPlainFile => write!(f, "it is not a plain file"),
            Self::ForeignOwner(owner) => write!(f, "it belongs to user {owner}"),
            Self::Replaced => write!(f, "it was replaced while it was being locked"),
        }
    }
}

impl std::error::Error for LockError {}

/// What a look at a lock found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Proven: a shared lock was refused.
    Held,
    /// Proven: a shared lock was granted, and let go of at once.
    Free,
    /// As `Free`, and it stays so: the file is deleted and nobody holds it. Its descriptor now carries a shared lock: close it.
    FreeForGood,
}
