//! The same with LockFileEx. What differs from Unix, and follows from it:
//!
//! - Its locks are mandatory: what lies in a locked range cannot be read through another handle. So only one byte is locked, far
//!   behind any file's end, and the record at the beginning stays readable.
//! - A lock belongs to the handle and its process. Handles are made not to be inherited, so a child has no part in a lock.
//! - A file has no owner who could be compared with this process's user: who may lock it is up to the directory's access list.
//!
//! Source: LockFileEx, "Locking a region that goes beyond the current end-of-file position is not an error", "If a process
//! terminates with a portion of a file locked or closes a file that has outstanding locks, the locks are unlocked by the operating
//! system"; CreateFileW on FILE_FLAG_OPEN_REPARSE_POINT and FILE_SHARE_DELETE.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::Path;

use windows_sys::Win32::Foundation::{
    ERROR_CANT_RESOLVE_FILENAME, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED, ERROR_FILE_NOT_FOUND,
    ERROR_HANDLE_DISK_FULL, ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, ERROR_PATH_NOT_FOUND, GENERIC_READ, GENERIC_WRITE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_OPEN_REPARSE_POINT, FILE_FLAG_OVERLAPPED,
    FILE_ID_INFO, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_STANDARD_INFO, FILE_TYPE_DISK, FileIdInfo,
    FileStandardInfo, GetFileInformationByHandleEx, GetFileType, LOCK_FILE_FLAGS, LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, ReOpenFile,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::{LockError, MAX_REPLACEMENTS, Probe};

type Result<T> = std::result::Result<T, LockError>;

/// What every user of a slot file locks: this one byte. No file is so long, so no reader or writer is kept out, and a program
/// written with `std::fs::File::try_lock`, as the seed's is, excludes us and is excluded: it locks all but the last of the 2^64
/// bytes that there can be.
const LOCKED_BYTE: u64 = 1 << 62;

/// Whoever opens the file anew must be able to, and deleting it must not be refused because of us.
const SHARED: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// Opens the file at `path`, made if it is missing and never through a symbolic link, and locks it without waiting. `None`:
/// refused now, by a holder or by somebody who looks.
///
/// Guarantee: the lock is on a plain file, and excludes every other handle of that file.
/// Unspecified: whether `path` still leads to it.
pub fn try_lock(path: &Path) -> Result<Option<OwnedHandle>> {
    let file = open(path, TO_LOCK, 0)?;
    Ok(try_lock_byte(&file, EXCLUSIVE)?.then(|| file.into()))
}

/// `try_lock`, on the file that is at `path` after the lock was granted, with `record` written at its beginning. A full disk does
/// not matter: the record is a label.
///
/// Guarantee: nobody else can lock what `path` led to at that moment. A file that was replaced in between is locked anew, a few
/// times.
pub fn try_take(path: &Path, record: &[u8]) -> Result<Option<OwnedHandle>> {
    for _ in 0..MAX_REPLACEMENTS {
        let file = open(path, TO_LOCK, 0)?;
        if !try_lock_byte(&file, EXCLUSIVE)? {
            return Ok(None);
        }
        // A lock on a file that is no longer at `path` excludes nobody: the next claimer makes a new one.
        if !is_current(file.as_handle(), path) {
            continue;
        }
        write_record(&file, record)?;
        return Ok(Some(file.into()));
    }
    Err(LockError::Replaced)
}

/// What `try_take` does after the lock was granted, for one that was waited for: `record` is written at the beginning of the file, if
/// `path` leads to it. False: it does not, or it cannot be told.
pub fn adopt(locked: BorrowedHandle<'_>, path: &Path, record: &[u8]) -> Result<bool> {
    let current = is_current(locked, path);
    if current {
        let file: File = locked
            .try_clone_to_owned()
            .map_err(|error| LockError::system("DuplicateHandle", error))?
            .into();
        write_record(&file, record)?;
    }
    Ok(current)
}

/// A full disk does not matter: the record is a label.
fn write_record(file: &File, record: &[u8]) -> Result<()> {
    match file.seek_write(record, 0) {
        Err(error) if !is_disk_full(&error) => Err(LockError::system("write", error)),
        _ => Ok(()),
    }
}

/// Does `path` lead to the open file? False also when it cannot be told.
pub fn is_current(handle: BorrowedHandle<'_>, path: &Path) -> bool {
    let Ok(open_one) = file_id(handle) else {
        return false;
    };
    // A file that is being deleted can keep its name until its last handle is closed, and nobody can open it any more.
    !is_being_deleted(handle)
        && open_to_look(path, 0).is_ok_and(|there| file_id(there.as_handle()).is_ok_and(|id| id == open_one))
}

/// Opens the existing plain file at `path`, never through a symbolic link, to look at its lock.
pub fn open_watch(path: &Path) -> Result<OwnedHandle> {
    Ok(open_to_look(path, 0)?.into())
}

/// Looks at the lock of the watched file without waiting, through a NEW handle: a shared lock on the watch's own one would stay,
/// and turn claimers away, until the watch is closed.
///
/// Where there is no way to a new one (a deleted file), the watch's own handle is tried: see `Probe::FreeForGood`.
pub fn probe(watch: BorrowedHandle<'_>, path: &Path) -> Result<Probe> {
    match reopen(watch, path)? {
        Some(again) => Ok(if try_lock_byte(&again, SHARED_LOCK)? {
            Probe::Free
        } else {
            Probe::Held
        }),
        None if try_lock_byte(&watch, SHARED_LOCK)? => Ok(Probe::FreeForGood),
        None => Ok(Probe::Held),
    }
}

/// A new handle of the open file; `None`: it is deleted.
pub fn reopen(watch: BorrowedHandle<'_>, path: &Path) -> Result<Option<OwnedHandle>> {
    reopen_with(watch, path, 0)
}

/// As `reopen`; its lock can be waited for.
pub(crate) fn reopen_to_wait(watch: BorrowedHandle<'_>, path: &Path) -> Result<Option<OwnedHandle>> {
    reopen_with(watch, path, FILE_FLAG_OVERLAPPED)
}

/// Opens the file as `try_lock` does, with its checks, and leaves the locking to the caller, who can wait for it.
pub(crate) fn open_to_lock(path: &Path) -> Result<OwnedHandle> {
    Ok(open(path, TO_LOCK, FILE_FLAG_OVERLAPPED)?.into())
}

fn reopen_with(watch: BorrowedHandle<'_>, path: &Path, flags: u32) -> Result<Option<OwnedHandle>> {
    if is_being_deleted(watch) {
        return Ok(None);
    }
    match reopen_handle(watch, flags).map_or_else(|| open_to_look(path, flags), Ok) {
        // Looked at also where it was not opened by its name: Wine does so all the same.
        Ok(again) => {
            let same = file_id(again.as_handle())? == file_id(watch)?;
            Ok(same.then(|| again.into()))
        }
        Err(LockError::System { error, .. }) if leads_elsewhere(&error) => Ok(None),
        Err(LockError::NotAPlainFile) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `None`: not every file system can.
fn reopen_handle(watch: BorrowedHandle<'_>, flags: u32) -> Option<File> {
    // SAFETY: the handle is open.
    let handle = unsafe { ReOpenFile(watch.as_raw_handle(), GENERIC_READ, SHARED, flags) };
    // SAFETY: the call has just made this handle, for us.
    (handle != INVALID_HANDLE_VALUE).then(|| unsafe { File::from_raw_handle(handle) })
}

/// What is open is not what was meant to be opened by this name.
fn leads_elsewhere(error: &io::Error) -> bool {
    [ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_CANT_RESOLVE_FILENAME]
        .iter()
        .any(|code| error.raw_os_error() == Some(*code as i32))
}

fn is_disk_full(error: &io::Error) -> bool {
    [ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED]
        .iter()
        .any(|code| error.raw_os_error() == Some(*code as i32))
}

struct Access {
    rights: u32,
    create: bool,
}

const TO_LOCK: Access = Access {
    rights: GENERIC_READ | GENERIC_WRITE,
    create: true,
};
const TO_LOOK: Access = Access {
    rights: GENERIC_READ,
    create: false,
};

fn open_to_look(path: &Path, flags: u32) -> Result<File> {
    open(path, TO_LOOK, flags)
}

/// Opens a plain file. Through `std`, which makes handles that no child inherits, and takes paths of any length.
fn open(path: &Path, access: Access, flags: u32) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(access.create)
        .create(access.create)
        .access_mode(access.rights)
        .share_mode(SHARED)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | flags)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        // "Access denied" is what a directory gives, and does not help anybody.
        Err(_) if std::fs::symlink_metadata(path).is_ok_and(|there| there.is_dir()) => {
            return Err(LockError::NotAPlainFile);
        }
        Err(error) => return Err(LockError::system("open", error)),
    };
    require_plain(&file)?;
    Ok(file)
}

fn require_plain(file: &File) -> Result<()> {
    // SAFETY: the handle is open.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(LockError::NotAPlainFile);
    }
    let attributes = file
        .metadata()
        .map_err(|error| LockError::system("fstat", error))?
        .file_attributes();
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        let error = io::Error::from_raw_os_error(ERROR_CANT_RESOLVE_FILENAME as i32);
        return Err(LockError::system("open", error));
    }
    if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        return Err(LockError::NotAPlainFile);
    }
    Ok(())
}

pub(crate) const EXCLUSIVE: LOCK_FILE_FLAGS = LOCKFILE_EXCLUSIVE_LOCK;
pub(crate) const SHARED_LOCK: LOCK_FILE_FLAGS = 0;

/// False: refused, somebody has a lock that this one does not go with.
fn try_lock_byte(file: &impl AsHandle, kind: LOCK_FILE_FLAGS) -> Result<bool> {
    let mut at = at_locked_byte();
    // SAFETY: the handle is one for calls that finish before they return, so the structure is not used afterwards.
    match unsafe { start_lock(file.as_handle(), kind | LOCKFILE_FAIL_IMMEDIATELY, &mut at) } {
        Ok(()) => Ok(true),
        Err(error) if is_refusal(&error) => Ok(false),
        Err(error) => Err(LockError::system("LockFileEx", error)),
    }
}

fn is_refusal(error: &io::Error) -> bool {
    // The second where the answer could be put off (see LockFileEx); then it is not granted at once, which is what was asked for.
    [ERROR_LOCK_VIOLATION, ERROR_IO_PENDING]
        .iter()
        .any(|code| error.raw_os_error() == Some(*code as i32))
}

pub(crate) fn at_locked_byte() -> OVERLAPPED {
    let mut at = OVERLAPPED::default();
    at.Anonymous.Anonymous.Offset = LOCKED_BYTE as u32;
    at.Anonymous.Anonymous.OffsetHigh = (LOCKED_BYTE >> 32) as u32;
    at
}

/// Asks for a lock of the byte where `at` says. ERROR_IO_PENDING: it is not granted yet.
///
/// # Safety
/// `at` must stay where it is until the call is over, which for a handle with FILE_FLAG_OVERLAPPED can be long after it returns.
pub(crate) unsafe fn start_lock(
    handle: BorrowedHandle<'_>,
    flags: LOCK_FILE_FLAGS,
    at: *mut OVERLAPPED,
) -> io::Result<()> {
    // SAFETY: the handle is open, and `at` is as the caller promised.
    match unsafe { LockFileEx(handle.as_raw_handle(), flags, 0, 1, 0, at) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Which file it is, on all volumes of this machine.
#[derive(PartialEq, Eq)]
struct FileId {
    volume: u64,
    file: [u8; 16],
}

fn file_id(handle: BorrowedHandle<'_>) -> Result<FileId> {
    let info: FILE_ID_INFO = information(handle, FileIdInfo).map_err(|error| LockError::system("fstat", error))?;
    Ok(FileId {
        volume: info.VolumeSerialNumber,
        file: info.FileId.Identifier,
    })
}

fn is_being_deleted(handle: BorrowedHandle<'_>) -> bool {
    information::<FILE_STANDARD_INFO>(handle, FileStandardInfo)
        .is_ok_and(|info| info.DeletePending || info.NumberOfLinks == 0)
}

/// `T` must be what `class` stands for.
fn information<T>(handle: BorrowedHandle<'_>, class: i32) -> io::Result<T> {
    let mut info = MaybeUninit::<T>::zeroed();
    // SAFETY: the handle is open, and there is room for as many bytes as are said.
    let ok = unsafe {
        GetFileInformationByHandleEx(
            handle.as_raw_handle(),
            class,
            info.as_mut_ptr().cast(),
            size_of::<T>() as u32,
        )
    };
    if ok == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: filled in by a call that succeeded, over zeroes; a BOOLEAN of the kernel's is 0 or 1.
    Ok(unsafe { info.assume_init() })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, TryLockError};

    use super::*;
    use crate::file_lock::borrowed;
    use crate::test_dir::TestDir;

    fn take(path: &Path) -> Option<OwnedHandle> {
        try_take(path, b"4711\n").unwrap()
    }

    #[test]
    fn a_taken_file_is_refused_until_its_handle_is_closed() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let first = take(&path).unwrap();
        assert!(take(&path).is_none());
        assert!(try_lock(&path).unwrap().is_none());
        drop(first);
        assert!(take(&path).is_some());
    }

    #[test]
    fn the_record_can_be_read_while_the_lock_is_held_and_nothing_is_cut_off() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        fs::write(&path, "xxxxxxxxxx").unwrap();
        let held = take(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"4711\nxxxxx");
        drop(held);
    }

    #[test]
    fn a_lock_of_std_and_ours_exclude_each_other() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take(&path).unwrap();
        let of_std = OpenOptions::new().write(true).open(&path).unwrap();
        let watch = open_watch(&path).unwrap();
        assert!(matches!(of_std.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        of_std.try_lock().unwrap();
        assert!(take(&path).is_none());
        assert_eq!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
        drop(of_std);
        assert!(take(&path).is_some());
    }

    #[test]
    fn a_probe_tells_a_holder_and_keeps_nobody_away() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take(&path).unwrap();
        let watch = open_watch(&path).unwrap();
        assert_eq!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
        drop(held);
        assert_eq!(probe(borrowed(&watch), &path).unwrap(), Probe::Free);
        assert!(take(&path).is_some());
    }

    #[test]
    fn a_watch_stays_with_a_renamed_file_and_the_path_no_longer_leads_to_it() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take(&path).unwrap();
        let watch = open_watch(&path).unwrap();
        assert!(is_current(borrowed(&held), &path));
        fs::rename(&path, dir.join("elsewhere")).unwrap();
        assert!(!is_current(borrowed(&held), &path));
        let anew = take(&path).unwrap();
        assert!(is_current(borrowed(&anew), &path));
        assert_eq!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
        drop(held);
        assert_ne!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
    }

    #[test]
    fn a_deleted_file_is_not_current_and_its_lock_can_still_be_looked_at() {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let held = take(&path).unwrap();
        let watch = open_watch(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_current(borrowed(&held), &path));
        assert_eq!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
        drop(held);
        assert_ne!(probe(borrowed(&watch), &path).unwrap(), Probe::Held);
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let dir = TestDir::new();
        fs::create_dir(dir.join("directory")).unwrap();
        assert!(matches!(
            try_lock(&dir.join("directory")),
            Err(LockError::NotAPlainFile)
        ));
        assert!(matches!(try_lock(Path::new("NUL")), Err(LockError::NotAPlainFile)));
        assert_eq!(
            code(try_lock(&dir.join("missing/file"))),
            Some(ERROR_PATH_NOT_FOUND as i32)
        );
        assert_eq!(
            code(open_watch(&dir.join("missing"))),
            Some(ERROR_FILE_NOT_FOUND as i32)
        );
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = TestDir::new();
        let elsewhere = dir.join("elsewhere");
        // Only some users may make one, and Wine says that it did.
        std::os::windows::fs::symlink_file(&elsewhere, dir.join("link")).ok();
        if fs::symlink_metadata(dir.join("link")).is_ok() {
            assert_eq!(
                code(try_lock(&dir.join("link"))),
                Some(ERROR_CANT_RESOLVE_FILENAME as i32)
            );
            assert!(!elsewhere.exists());
        }
    }

    #[test]
    fn the_kernel_releases_what_a_killed_process_held_and_no_child_keeps_it() {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};

        const SLOT: &str = "PROCREF_TEST_SLOT";
        const NAME: &str =
            "file_lock::windows::tests::the_kernel_releases_what_a_killed_process_held_and_no_child_keeps_it";
        let this_program = || {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", NAME, "--nocapture"]);
            command
        };
        match std::env::var(SLOT).as_deref() {
            // The child of the one that is killed: shares what it can, and stays.
            Ok("nothing") => loop {
                std::thread::park();
            },
            Ok(path) => {
                let _held = take(Path::new(path)).unwrap();
                let mut child = this_program()
                    .env(SLOT, "nothing")
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                println!("\nheld {}", child.id());
                // It stays, and so do we.
                child.wait().unwrap();
                return;
            }
            Err(_) => {}
        }
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        let mut holder = this_program().env(SLOT, &path).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        let child = lines
            .by_ref()
            .map_while(|line| line.ok())
            .find_map(|line| line.strip_prefix("held ").map(str::to_owned))
            .unwrap();
        assert!(take(&path).is_none());
        holder.kill().unwrap();
        holder.wait().unwrap();
        let freed = take(&path).is_some();
        Command::new("taskkill").args(["/F", "/PID", &child]).status().unwrap();
        assert!(freed);
    }

    fn code<T>(result: Result<T>) -> Option<i32> {
        match result {
            Err(LockError::System { error, .. }) => error.raw_os_error(),
            _ => None,
        }
    }
}
