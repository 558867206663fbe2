//! Locks on single bytes of an open file: `fcntl(2)`, "Open file description locks (non-POSIX)". All of this crate's calls of them
//! are here, because rustix has none.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Locks the byte exclusively, without waiting; false: some other description's lock is in the way.
///
/// A description never gets in its own way: locking a byte twice succeeds, so the caller has to know what it has locked.
pub fn try_lock(fd: BorrowedFd<'_>, byte: u64) -> io::Result<bool> {
    let mut lock = describe(libc::F_WRLCK, byte..byte + 1)?;
    match call(fd, libc::F_OFD_SETLK, &mut lock) {
        Ok(()) => Ok(true),
        // fcntl(2): either of them, depending on the system.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives back what this description has locked of these bytes.
pub fn unlock(fd: BorrowedFd<'_>, bytes: Range<u64>) -> io::Result<()> {
    let mut lock = describe(libc::F_UNLCK, bytes)?;
    call(fd, libc::F_OFD_SETLK, &mut lock)
}

/// Waits for the byte. Ends with EINTR when a signal with a handler comes.
pub fn lock_waiting(fd: BorrowedFd<'_>, byte: u64) -> io::Result<()> {
    let mut lock = describe(libc::F_WRLCK, byte..byte + 1)?;
    call_once(fd, libc::F_OFD_SETLKW, &mut lock)
}

/// Waits until nobody holds any of the bytes. Ends with EINTR when a signal with a handler comes.
///
/// Guarantee: it keeps nothing. Its own shared lock is there for a moment, and can refuse a claimer meanwhile, to whom
/// `any_holder` then says that nobody holds the byte.
pub fn wait_unlocked(fd: BorrowedFd<'_>, bytes: Range<u64>) -> io::Result<()> {
    let mut lock = describe(libc::F_RDLCK, bytes.clone())?;
    call_once(fd, libc::F_OFD_SETLKW, &mut lock)?;
    unlock(fd, bytes)
}

/// The bytes of ONE exclusive lock that another description has on some of `bytes`; `None`: there is none, so nobody holds any.
///
/// Guarantee: it only looks. No lock is taken, not even for a moment, so it is in nobody's way; and shared locks, which only those
/// who wait for bytes take, are not reported.
/// Unspecified: which one, of several. WRONG: to go on behind the answer; the kernel keeps locks by owner, so one with lower bytes may
/// come later.
pub fn any_holder(fd: BorrowedFd<'_>, bytes: Range<u64>) -> io::Result<Option<Range<u64>>> {
    let mut lock = describe(libc::F_RDLCK, bytes)?;
    call(fd, libc::F_OFD_GETLK, &mut lock)?;
    if i32::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    let start = u64::try_from(lock.l_start).unwrap_or(0);
    // A length of 0 means "to the end of the file, however it grows".
    let end = match u64::try_from(lock.l_len) {
        Ok(length) if length > 0 => start.saturating_add(length),
        _ => u64::MAX,
    };
    Ok(Some(start..end))
}

fn describe(kind: i32, bytes: Range<u64>) -> io::Result<libc::flock> {
    let invalid = |_| io::Error::from_raw_os_error(libc::EINVAL);
    // SAFETY: all of its fields are integers, for which zero is a value; fcntl(2) wants `l_pid` to be zero.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = bytes.start.try_into().map_err(invalid)?;
    lock.l_len = bytes.end.saturating_sub(bytes.start).try_into().map_err(invalid)?;
    Ok(lock)
}

fn call(fd: BorrowedFd<'_>, command: libc::c_int, lock: &mut libc::flock) -> io::Result<()> {
    loop {
        match call_once(fd, command, lock) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            ended => return ended,
        }
    }
}

fn call_once(fd: BorrowedFd<'_>, command: libc::c_int, lock: &mut libc::flock) -> io::Result<()> {
    // SAFETY: the descriptor is open, and `lock` is what these commands read and write.
    match unsafe { libc::fcntl(fd.as_raw_fd(), command, std::ptr::from_mut(lock)) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
