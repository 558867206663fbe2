//! Named POSIX semaphores (sem_overview(7)): a counter in shared memory, taken and given back without a system call while nobody waits.
//!
//! Not slots, only what slots could be made of: a permit belongs to nobody. **The permits of a process that died are gone for good**;
//! neither the kernel nor this module knows who had them. Whoever builds on it has to write down who took a permit, find out who died, and
//! `post` once for each of their permits, from one place at a time (two repairers would give back twice).
//!
//! # What differs
//! | | Linux, glibc | Linux, musl | macOS |
//! |---|---|---|---|
//! | name, with its `/` | 251 bytes | 251 bytes | 31 bytes |
//! | `value` | yes | yes | `ENOSYS` |
//! | `wait` with a limit | yes | yes | `ENOSYS` |
//! | lives in | `/dev/shm/sem.NAME` | `/dev/shm/NAME`: nothing is shared with glibc | the kernel |
//!
//! A semaphore lives until `unlink` and the last close, or reboot. On Linux its reach is that of `/dev/shm`: a container has its own. The
//! memory is a file that its owner can truncate; then every user of the semaphore gets SIGBUS. A name that others can guess can be
//! made first by them: `open` refuses what belongs to another user, and `random_name` cannot be guessed.

use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use libc::{c_int, c_uint, sem_t};

/// The longest name, counted with its `/`: sem_overview(7); macOS: `PSEMNAMLEN`.
pub const MAX_NAME_BYTES: usize = if cfg!(target_vendor = "apple") { 31 } else { 251 };

/// An open semaphore. Dropping it closes it and gives no permit back.
#[derive(Debug)]
pub struct PosixSemaphore {
    semaphore: NonNull<sem_t>,
    name: CString,
}

// SAFETY: sem_t is made to be used by many threads and processes at once.
unsafe impl Send for PosixSemaphore {}
// SAFETY: as above.
unsafe impl Sync for PosixSemaphore {}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// A permit was taken.
    Taken,
    /// The limit passed; no permit was taken.
    TimedOut,
    /// A signal handler ran; no permit was taken. The caller decides whether to wait on.
    Interrupted,
}

impl PosixSemaphore {
    /// Opens the semaphore called `name`, making it (mode 0600) with `permits` if there is none. How many permits an existing one was
    /// made with cannot be told.
    ///
    /// Errors: `EINVAL` a bad name or too many permits; `ENAMETOOLONG`; `EACCES`, `EPERM` another user's; `EMFILE`, `ENOSPC`, `ENOMEM`.
    pub fn open(name: &str, permits: u32) -> io::Result<Self> {
        Self::with_flags(name, permits, libc::O_CREAT)
    }

    /// As `open`, but the semaphore must be new (`EEXIST`).
    pub fn create(name: &str, permits: u32) -> io::Result<Self> {
        Self::with_flags(name, permits, libc::O_CREAT | libc::O_EXCL)
    }

    /// As `open`, but makes none; `None`: there is none of this name.
    pub fn open_existing(name: &str) -> io::Result<Option<Self>> {
        match Self::with_flags(name, 0, 0) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn with_flags(name: &str, permits: u32, flags: c_int) -> io::Result<Self> {
        let name = checked_name(name)?;
        let mode: c_uint = 0o600;
        // SAFETY: a C string, and with O_CREAT a mode and a value as unsigned int (a mode_t is promoted to at most that).
        let semaphore = unsafe { libc::sem_open(name.as_ptr(), flags, mode, permits) };
        let semaphore = NonNull::new(semaphore).filter(|semaphore| semaphore.as_ptr() != libc::SEM_FAILED);
        let Some(semaphore) = semaphore else {
            return Err(io::Error::last_os_error());
        };
        let opened = Self { semaphore, name };
        refuse_foreign(&opened.name)?;
        Ok(opened)
    }

    pub fn name(&self) -> &CStr {
        &self.name
    }

    /// Takes a permit if there is one, without waiting.
    pub fn try_wait(&self) -> io::Result<bool> {
        loop {
            // SAFETY: open until drop.
            match check(unsafe { libc::sem_trywait(self.semaphore.as_ptr()) }) {
                Ok(()) => return Ok(true),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(false),
                    Some(libc::EINTR) => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Takes a permit, waiting in the kernel for one, for `limit` at the longest if there is one. Cancelled by a signal whose handler was set
    /// without `SA_RESTART`.
    ///
    /// Unspecified: who among several waiters gets a permit.
    pub fn wait(&self, limit: Option<Duration>) -> io::Result<Waited> {
        let Some(limit) = limit else {
            // SAFETY: open until drop.
            return waited(check(unsafe { libc::sem_wait(self.semaphore.as_ptr()) }));
        };
        let start = Instant::now();
        loop {
            // sem_timedwait goes by a clock that people set; the limit does not.
            match self.wait_until(limit.saturating_sub(start.elapsed()))? {
                Waited::TimedOut if start.elapsed() < limit => {}
                end => return Ok(end),
            }
        }
    }

    #[cfg(not(target_vendor = "apple"))]
    fn wait_until(&self, limit: Duration) -> io::Result<Waited> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let end = now.saturating_add(limit);
        let end = libc::timespec {
            tv_sec: end.as_secs().try_into().unwrap_or(i32::MAX.into()),
            tv_nsec: end.subsec_nanos().into(),
        };
        // SAFETY: open until drop; the call reads the timespec.
        waited(check(unsafe {
            libc::sem_timedwait(self.semaphore.as_ptr(), &raw const end)
        }))
    }

    #[cfg(target_vendor = "apple")]
    fn wait_until(&self, _limit: Duration) -> io::Result<Waited> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }

    /// Gives a permit back, or makes one up: nobody checks that it was taken.
    pub fn post(&self) -> io::Result<()> {
        // SAFETY: open until drop.
        check(unsafe { libc::sem_post(self.semaphore.as_ptr()) })
    }

    /// How many permits there are; 0 also while others wait. Old by the time it is returned: nothing may be decided by it.
    #[cfg(not(target_vendor = "apple"))]
    pub fn value(&self) -> io::Result<u32> {
        let mut value: c_int = 0;
        // SAFETY: open until drop; the call writes an int.
        check(unsafe { libc::sem_getvalue(self.semaphore.as_ptr(), &raw mut value) })?;
        Ok(u32::try_from(value).unwrap_or(0))
    }

    /// macOS cannot tell.
    #[cfg(target_vendor = "apple")]
    pub fn value(&self) -> io::Result<u32> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

impl Drop for PosixSemaphore {
    fn drop(&mut self) {
        // SAFETY: what sem_open returned, closed once. It fails only for what is no semaphore.
        unsafe { libc::sem_close(self.semaphore.as_ptr()) };
    }
}

/// Removes the name; who has the semaphore open keeps it, whoever opens the name next gets another one. False: there is none.
pub fn unlink(name: &str) -> io::Result<bool> {
    let name = checked_name(name)?;
    // SAFETY: a C string.
    match check(unsafe { libc::sem_unlink(name.as_ptr()) }) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A name that nobody guesses, short enough for every platform: 96 random bits.
pub fn random_name() -> io::Result<String> {
    let mut bytes = [0u8; 12];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("/prf-{digits}"))
}

/// `/` and then at least one byte, none of them `/` or NUL: everything else is unspecified somewhere.
fn checked_name(name: &str) -> io::Result<CString> {
    let bad = || io::Error::from_raw_os_error(libc::EINVAL);
    if name.len() > MAX_NAME_BYTES {
        // glibc says EINVAL.
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    match name.strip_prefix('/') {
        Some(rest) if !rest.is_empty() && !rest.contains('/') => CString::new(name).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// Where the C library keeps the semaphore of this name.
#[cfg(target_os = "linux")]
pub fn file_of(name: &str) -> std::path::PathBuf {
    let prefix = if cfg!(target_env = "musl") { "" } else { "sem." };
    format!("/dev/shm/{prefix}{}", name.trim_start_matches('/')).into()
}

/// Another user who guessed the name and made it first decides how many permits there are.
#[cfg(target_os = "linux")]
fn refuse_foreign(name: &CStr) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::symlink_metadata(file_of(&name.to_string_lossy())) {
        Ok(status) if status.uid() != rustix::process::geteuid().as_raw() => {
            Err(io::Error::from_raw_os_error(libc::EPERM))
        }
        Ok(_) => Ok(()),
        // Unlinked since; or /dev/shm is elsewhere (glibc looks for another tmpfs then), and the mode 0600 has to do.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_foreign(_name: &CStr) -> io::Result<()> {
    Ok(())
}

fn waited(result: io::Result<()>) -> io::Result<Waited> {
    match result {
        Ok(()) => Ok(Waited::Taken),
        Err(error) => match error.raw_os_error() {
            Some(libc::EINTR) => Ok(Waited::Interrupted),
            Some(libc::ETIMEDOUT) => Ok(Waited::TimedOut),
            _ => Err(error),
        },
    }
}

fn check(result: c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
