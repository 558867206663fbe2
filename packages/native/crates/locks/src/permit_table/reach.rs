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

/// In words, for comparison and for people. `ENOSYS`: processes cannot be judged from here, since /proc is another namespace's, or missing.
pub fn reach() -> io::Result<String> {
    if !proc_shows_our_pids()? {
        return Err(Errno::NOSYS.into());
    }
    let libc = if cfg!(target_env = "musl") { "musl" } else { "glibc" };
    Ok(format!(
        "PID namespace {}, {}, semaphores on device {} by {libc}",
        namespace("pid")?,
        namespace("time")?,
        std::fs::metadata("/dev/shm")?.dev(),
    ))
}

/// A kernel that does not know the kind has one for all.
fn namespace(kind: &str) -> io::Result<String> {
    match std::fs::read_link(format!("/proc/self/ns/{kind}")) {
        Ok(link) => Ok(link.to_string_lossy().into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(format!("{kind}:[]")),
        Err(error) => Err(error),
    }
}
