//! Errors as JavaScript gets them: `code` says what to tell apart, `src/native-error.ts` makes them look like Node's own.

use std::any::Any;
use std::io;
use std::panic::{UnwindSafe, catch_unwind};

use napi::bindgen_prelude::Error;
use napi_derive::napi;
use procref_locks::file_lock::LockError;

/// `code`: an errno's name and the system call (`EACCES open`), or one of our own words.
pub type Code = String;
pub type Result<T> = std::result::Result<T, Error<Code>>;

/// Runs one call from JavaScript; a panic in it becomes its error, and nobody's process ends. (napi's own `catch_unwind` knows
/// only its own codes.)
pub fn guarded<T>(call: impl FnOnce() -> Result<T> + UnwindSafe) -> Result<T> {
    catch_unwind(call).unwrap_or_else(|panic| Err(panic_error(&*panic)))
}

/// Panics, so that a test can show what becomes of that.
#[napi]
pub fn panic_for_tests() -> Result<()> {
    #[expect(clippy::panic)]
    guarded(|| panic!("on purpose"))
}

pub fn panic_error(panic: &(dyn Any + Send)) -> Error<Code> {
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::new("PANIC".into(), said.unwrap_or_else(|| "a panic".into()))
}

pub fn lock_error(error: LockError) -> Error<Code> {
    match error {
        LockError::System { syscall, error } => system_error(syscall, &error),
        LockError::NotAPlainFile => Error::new("NOT_A_PLAIN_FILE".into(), "not a plain file"),
        LockError::ForeignOwner(owner) => Error::new("FOREIGN_OWNER".into(), owner.to_string()),
        LockError::Replaced => Error::new("ESTALE open".into(), "replaced while it was being locked"),
    }
}

pub fn system_error(syscall: &str, error: &io::Error) -> Error<Code> {
    let code = format!(
        "{} {syscall}",
        error.raw_os_error().map_or("UNKNOWN".into(), errno_name)
    );
    Error::new(code, error.to_string())
}

/// The names that core knows remedies for, and those that the locker itself tells apart; others by their number.
#[cfg(unix)]
fn errno_name(errno: i32) -> String {
    let name = match errno {
        libc::EACCES => "EACCES",
        libc::EAGAIN => "EAGAIN",
        libc::EBADF => "EBADF",
        libc::EBUSY => "EBUSY",
        libc::EDQUOT => "EDQUOT",
        libc::EEXIST => "EEXIST",
        libc::EFBIG => "EFBIG",
        libc::EIDRM => "EIDRM",
        libc::EINTR => "EINTR",
        libc::EINVAL => "EINVAL",
        libc::EIO => "EIO",
        libc::EISDIR => "EISDIR",
        libc::ELOOP => "ELOOP",
        libc::EMFILE => "EMFILE",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ENFILE => "ENFILE",
        libc::ENODEV => "ENODEV",
        libc::ENOENT => "ENOENT",
        libc::ENOLCK => "ENOLCK",
        libc::ENOMEM => "ENOMEM",
        libc::ENOSPC => "ENOSPC",
        libc::ENOSYS => "ENOSYS",
        libc::ENOTDIR => "ENOTDIR",
        libc::ENOTSUP => "ENOTSUP",
        libc::ENXIO => "ENXIO",
        libc::EPERM => "EPERM",
        libc::ERANGE => "ERANGE",
        libc::EROFS => "EROFS",
        libc::ESRCH => "ESRCH",
        libc::ESTALE => "ESTALE",
        libc::ETXTBSY => "ETXTBSY",
        _ => return format!("E{errno}"),
    };
    name.into()
}

/// As libuv translates them (src/win/error.c), so that an error looks the same whether Node's functions or ours met it.
#[cfg(windows)]
fn errno_name(code: i32) -> String {
    use windows_sys::Win32::Foundation::*;
    let name = match code as u32 {
        ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD => "EPERM",
        ERROR_NOACCESS | ERROR_ELEVATION_REQUIRED | ERROR_CANT_ACCESS_FILE => "EACCES",
        ERROR_LOCK_VIOLATION | ERROR_SHARING_VIOLATION | ERROR_PIPE_BUSY => "EBUSY",
        ERROR_FILE_EXISTS | ERROR_ALREADY_EXISTS => "EEXIST",
        ERROR_INVALID_HANDLE => "EBADF",
        ERROR_INVALID_PARAMETER | ERROR_INVALID_DATA => "EINVAL",
        ERROR_CRC | ERROR_IO_DEVICE | ERROR_GEN_FAILURE | ERROR_SECTOR_NOT_FOUND | ERROR_DISK_OPERATION_FAILED => "EIO",
        ERROR_CANT_RESOLVE_FILENAME => "ELOOP",
        ERROR_TOO_MANY_OPEN_FILES => "EMFILE",
        ERROR_FILENAME_EXCED_RANGE | ERROR_BUFFER_OVERFLOW => "ENAMETOOLONG",
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME | ERROR_INVALID_DRIVE | ERROR_BAD_PATHNAME
        | ERROR_DIRECTORY | ERROR_MOD_NOT_FOUND => "ENOENT",
        ERROR_NOT_ENOUGH_MEMORY | ERROR_OUTOFMEMORY | ERROR_NO_SYSTEM_RESOURCES => "ENOMEM",
        ERROR_DISK_FULL | ERROR_HANDLE_DISK_FULL => "ENOSPC",
        ERROR_DISK_QUOTA_EXCEEDED => "EDQUOT",
        ERROR_CALL_NOT_IMPLEMENTED => "ENOSYS",
        ERROR_NOT_SUPPORTED => "ENOTSUP",
        ERROR_WRITE_PROTECT => "EROFS",
        _ => return format!("E{code}"),
    };
    name.into()
}
