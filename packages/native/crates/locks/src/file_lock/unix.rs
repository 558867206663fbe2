use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{LockError, MAX_REPLACEMENTS, Probe};

type Result<T> = std::result::Result<T, LockError>;

// O_NONBLOCK means nothing for a plain file, but opening a FIFO would wait without it.
const ALWAYS: OFlags = OFlags::CLOEXEC.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const TO_LOCK: OFlags = OFlags::RDWR.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(ALWAYS);
const TO_WATCH: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(ALWAYS);
const TO_REOPEN: OFlags = OFlags::RDONLY.union(ALWAYS);

/// Opens the file at `path`, made with mode 0600 if it is missing and never through a symbolic link, and locks it without
/// waiting. `None`: refused now, by a holder or by somebody who looks.
///
/// Guarantee: the lock is on a plain file of this process's effective user, and excludes every other descriptor of that file.
/// Unspecified: whether `path` still leads to it.
pub fn try_lock(path: &Path) -> Result<Option<OwnedFd>> {
    Ok(try_lock_with_stat(path)?.map(|(fd, _)| fd))
}

/// `try_lock`, on the file that is at `path` after the lock was granted, with `record` written at its beginning. A full disk does
/// not matter: the record is a label.
///
/// Guarantee: nobody else can lock what `path` led to at that moment. A file that was replaced in between is locked anew, a few
/// times.
pub fn try_take(path: &Path, record: &[u8]) -> Result<Option<OwnedFd>> {
    for _ in 0..MAX_REPLACEMENTS {
        let Some((fd, stat)) = try_lock_with_stat(path)? else {
            return Ok(None);
        };
        // A lock on a file that is no longer at `path` excludes nobody: the next claimer makes a new one.
        if !leads_to(path, &stat) {
            continue;
        }
        write_record(&fd, record)?;
        return Ok(Some(fd));
    }
    Err(LockError::Replaced)
}

/// What `try_take` does after the lock was granted, for one that was waited for: `record` is written at the beginning of the file, if
/// `path` leads to it. False: it does not, or it cannot be told.
pub fn adopt(locked: BorrowedFd<'_>, path: &Path, record: &[u8]) -> Result<bool> {
    let current = is_current(locked, path);
    if current {
        write_record(locked, record)?;
    }
    Ok(current)
}

/// A full disk does not matter: the record is a label.
fn write_record(fd: impl std::os::fd::AsFd, record: &[u8]) -> Result<()> {
    match rustix::io::pwrite(fd, record, 0) {
        Ok(_) | Err(Errno::NOSPC | Errno::DQUOT) => Ok(()),
        Err(error) => Err(LockError::system("pwrite", error)),
    }
}

/// Does `path` lead to the open file? False also when it cannot be told.
pub fn is_current(fd: BorrowedFd<'_>, path: &Path) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| leads_to(path, &stat))
}

/// Opens the existing plain file at `path`, never through a symbolic link, to look at its lock.
pub fn open_watch(path: &Path) -> Result<OwnedFd> {
    let fd = open(path, TO_WATCH)?;
    require_plain(&fstat(&fd)?)?;
    Ok(fd)
}

/// Looks at the lock of the watched file without waiting, through a NEW open file description: a shared lock on the watch's own
/// one would stay, and turn claimers away, until the watch is closed.
///
/// Where there is no way to a new one (a deleted file, without /proc), the watch's own description is tried: see
/// `Probe::FreeForGood`.
pub fn probe(watch: BorrowedFd<'_>, path: &Path) -> Result<Probe> {
    match reopen(watch, path)? {
        Some(again) => Ok(if try_flock(&again, FlockOperation::NonBlockingLockShared)? {
            Probe::Free
        } else {
            Probe::Held
        }),
        None if try_flock(watch, FlockOperation::NonBlockingLockShared)? => Ok(Probe::FreeForGood),
        None => Ok(Probe::Held),
    }
}

/// A new open file description of the open file; `None`: it is at no path, and there is no /proc that leads to it.
pub fn reopen(watch: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    if cfg!(target_os = "linux") {
        match open(format!("/proc/self/fd/{}", watch.as_raw_fd()).as_ref(), TO_REOPEN) {
            Err(LockError::System { error, .. }) if error.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => {}
            opened => return opened.map(Some),
        }
    }
    let again = match open(path, TO_WATCH) {
        Ok(fd) => fd,
        // ELOOP: the path is a link now, so it does not lead to the file that was opened.
        Err(LockError::System { error, .. })
            if [Errno::NOENT, Errno::NOTDIR, Errno::LOOP]
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let same = same_file(&fstat(&again)?, &fstat(watch)?);
    Ok(same.then_some(again))
}

fn try_lock_with_stat(path: &Path) -> Result<Option<(OwnedFd, Stat)>> {
    let fd = open(path, TO_LOCK)?;
    if !try_flock(&fd, FlockOperation::NonBlockingLockExclusive)? {
        return Ok(None);
    }
    let stat = checked_stat(&fd)?;
    Ok(Some((fd, stat)))
}

/// Opens the file as `try_lock` does, with its checks, and leaves the locking to the caller.
pub(crate) fn open_to_lock(path: &Path) -> Result<OwnedFd> {
    let fd = open(path, TO_LOCK)?;
    checked_stat(&fd)?;
    Ok(fd)
}

fn checked_stat(fd: &OwnedFd) -> Result<Stat> {
    let stat = fstat(fd)?;
    require_plain(&stat)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(LockError::ForeignOwner(stat.st_uid));
    }
    Ok(stat)
}

pub(crate) fn open(path: &Path, flags: OFlags) -> Result<OwnedFd> {
    rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|error| LockError::system("open", error))
}

fn fstat(fd: impl std::os::fd::AsFd) -> Result<Stat> {
    rustix::fs::fstat(fd).map_err(|error| LockError::system("fstat", error))
}

fn require_plain(stat: &Stat) -> Result<()> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        _ => Err(LockError::NotAPlainFile),
    }
}

/// False: refused, somebody has a lock that this one does not go with.
fn try_flock(fd: impl std::os::fd::AsFd + Copy, operation: FlockOperation) -> Result<bool> {
    // Without waiting it is not interrupted in practice; a signal that comes all the time must not make it look refused.
    match rustix::io::retry_on_intr(|| rustix::fs::flock(fd, operation)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(LockError::system("flock", error)),
    }
}

fn leads_to(path: &Path, open: &Stat) -> bool {
    rustix::fs::stat(path).is_ok_and(|there| there.st_nlink > 0 && same_file(&there, open))
}

fn same_file(a: &Stat, b: &Stat) -> bool {
    a.st_ino == b.st_ino && a.st_dev == b.st_dev
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::test_dir::{TestDir, soon};

    fn take(path: &Path) -> Option<OwnedFd> {
        try_take(path, b"4711\n").unwrap()
    }

    fn take_soon(path: &Path) -> OwnedFd {
        soon(path, take)
    }

    #[test]
    fn a_taken_file_is_refused_until_its_descriptor_is_closed() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let first = take_soon(&path);
        assert!(take(&path).is_none());
        assert!(try_lock(&path).unwrap().is_none());
        drop(first);
        drop(take_soon(&path));
    }

    #[test]
    fn the_record_is_written_over_what_is_there_and_nothing_is_cut_off() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        fs::write(&path, "xxxxxxxxxx").unwrap();
        take_soon(&path);
        assert_eq!(fs::read(&path).unwrap(), b"4711\nxxxxx");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        take(&dir.join("new.lock")).unwrap();
        let mode = fs::metadata(dir.join("new.lock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_adopted_lock_has_its_record_unless_its_file_was_replaced() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let locked = soon(&path, |path| try_lock(path).unwrap());
        assert!(adopt(locked.as_fd(), &path, b"4711\n").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"4711\n");
        fs::remove_file(&path).unwrap();
        assert!(!adopt(locked.as_fd(), &path, b"4712\n").unwrap());
        fs::write(&path, "another").unwrap();
        assert!(!adopt(locked.as_fd(), &path, b"4712\n").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"another");
    }

    #[test]
    fn a_probe_tells_a_holder_and_keeps_nobody_away() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take_soon(&path);
        let watch = open_watch(&path).unwrap();
        assert_eq!(probe(watch.as_fd(), &path).unwrap(), Probe::Held);
        drop(held);
        assert_eq!(probe(watch.as_fd(), &path).unwrap(), Probe::Free);
        drop(take_soon(&path));
    }

    #[test]
    fn a_watch_stays_with_a_deleted_file() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take_soon(&path);
        let watch = open_watch(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_current(held.as_fd(), &path));
        let anew = take_soon(&path);
        assert!(is_current(anew.as_fd(), &path));
        assert_eq!(probe(watch.as_fd(), &path).unwrap(), Probe::Held);
        drop(held);
        assert_ne!(probe(watch.as_fd(), &path).unwrap(), Probe::Held);
    }

    #[test]
    fn what_is_no_plain_file_is_refused_and_never_followed_or_waited_for() {
        let dir = TestDir::new();
        let elsewhere = dir.join("elsewhere");
        symlink(&elsewhere, dir.join("link")).unwrap();
        assert_eq!(errno(try_lock(&dir.join("link"))), Some(Errno::LOOP.raw_os_error()));
        assert!(!elsewhere.exists());
        fs::create_dir(dir.join("directory")).unwrap();
        assert_eq!(
            errno(try_lock(&dir.join("directory"))),
            Some(Errno::ISDIR.raw_os_error())
        );
        let made = std::process::Command::new("mkfifo")
            .arg(dir.join("fifo"))
            .status()
            .unwrap();
        assert!(made.success());
        assert!(matches!(try_lock(&dir.join("fifo")), Err(LockError::NotAPlainFile)));
        assert_eq!(
            errno(try_lock(&dir.join("missing/file"))),
            Some(Errno::NOENT.raw_os_error())
        );
        assert_eq!(
            errno(open_watch(&dir.join("missing"))),
            Some(Errno::NOENT.raw_os_error())
        );
    }

    fn errno<T>(result: Result<T>) -> Option<i32> {
        match result {
            Err(LockError::System { error, .. }) => error.raw_os_error(),
            _ => None,
        }
    }
}
