//! How far a permit table reaches: from where its processes can be judged and its semaphores opened.
//!
//! - the pid namespace, in which a pid names a process;
//! - the time namespace, which shifts the start times that /proc shows;
//! - the file system on which semaphores live (a container has a /dev/shm of its own), by its device;
//! - the C library: glibc and musl differ in the names and the layout of semaphores.

use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::io::Errno;

use crate::identity::proc_shows_our_pids;

/// In words, for comparison and for people. `ENOSYS`: it cannot be told, since /proc is another PID namespace's or missing, or there is no
/// /dev/shm.
pub fn reach() -> io::Result<String> {
    if !proc_shows_our_pids()? {
        return Err(Errno::NOSYS.into());
    }
    let libc = if cfg!(target_env = "musl") { "musl" } else { "glibc" };
    Ok(format!(
        "PID namespace {}, {}, semaphores on device {} by {libc}",
        namespace("pid")?,
        namespace("time")?,
        semaphores()?,
    ))
}

fn semaphores() -> io::Result<u64> {
    match std::fs::metadata("/dev/shm") {
        Ok(there) => Ok(there.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Errno::NOSYS.into()),
        Err(error) => Err(error),
    }
}

/// A kernel that does not know the kind has one for all.
fn namespace(kind: &str) -> io::Result<String> {
    match std::fs::read_link(format!("/proc/self/ns/{kind}")) {
        Ok(link) => Ok(link.to_string_lossy().into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(format!("{kind}:[]")),
        Err(error) => Err(error),
    }
}
