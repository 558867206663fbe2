//! `procref_locks::posix_semaphore` for JavaScript. An open semaphore is a number; closing it gives no permit back, and ends no wait.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use napi::bindgen_prelude::Error;
use napi_derive::napi;
use procref_locks::posix_semaphore::{self, PosixSemaphore};

use crate::errors::{Code, Result, guarded, system_error};
use crate::kernel_wait;

#[derive(Default)]
struct Opened {
    semaphores: HashMap<u32, Arc<PosixSemaphore>>,
    last: u32,
}

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Closes what this environment has open.
pub fn close_all() {
    OPENED.with_borrow_mut(|opened| opened.semaphores.clear());
}

#[napi]
pub fn posix_semaphore_open(name: String, permits: u32) -> Result<u32> {
    guarded(|| opened(PosixSemaphore::open(&name, permits)))
}

/// As `open`, but it must be new.
#[napi]
pub fn posix_semaphore_create(name: String, permits: u32) -> Result<u32> {
    guarded(|| opened(PosixSemaphore::create(&name, permits)))
}

#[napi]
pub fn posix_semaphore_random_name() -> Result<String> {
    guarded(|| posix_semaphore::random_name().map_err(|error| system_error("read", &error)))
}

#[napi]
pub fn posix_semaphore_try_wait(handle: u32) -> Result<bool> {
    guarded(|| {
        with(handle, |semaphore| {
            semaphore
                .try_wait()
                .map_err(|error| system_error("sem_trywait", &error))
        })
    })
}

/// Waits for a permit, on a thread of its own; see `kernel_wait`. It brings 0, and a permit.
#[napi]
pub fn posix_semaphore_start_wait(listener: u32, handle: u32) -> Result<i64> {
    guarded(|| {
        with(handle, |semaphore| {
            kernel_wait::start(listener, |ended| posix_semaphore::take(semaphore, ended))
        })
    })
}

#[napi]
pub fn posix_semaphore_post(handle: u32) -> Result<()> {
    guarded(|| {
        with(handle, |semaphore| {
            semaphore.post().map_err(|error| system_error("sem_post", &error))
        })
    })
}

#[napi]
pub fn posix_semaphore_value(handle: u32) -> Result<u32> {
    guarded(|| {
        with(handle, |semaphore| {
            semaphore.value().map_err(|error| system_error("sem_getvalue", &error))
        })
    })
}

/// False: closed before.
#[napi]
pub fn posix_semaphore_close(handle: u32) -> Result<bool> {
    guarded(|| {
        Ok(OPENED
            .with_borrow_mut(|opened| opened.semaphores.remove(&handle))
            .is_some())
    })
}

/// False: there is none.
#[napi]
pub fn posix_semaphore_unlink(name: String) -> Result<bool> {
    guarded(|| posix_semaphore::unlink(&name).map_err(|error| system_error("sem_unlink", &error)))
}

fn opened(semaphore: std::io::Result<PosixSemaphore>) -> Result<u32> {
    let semaphore = semaphore.map_err(|error| system_error("sem_open", &error))?;
    OPENED.with_borrow_mut(|opened| {
        // Never used again, so that a number that was closed stays closed.
        opened.last = opened.last.checked_add(1).ok_or_else(closed)?;
        opened.semaphores.insert(opened.last, Arc::new(semaphore));
        Ok(opened.last)
    })
}

fn with<T>(handle: u32, use_it: impl FnOnce(&Arc<PosixSemaphore>) -> Result<T>) -> Result<T> {
    OPENED.with_borrow(|opened| use_it(opened.semaphores.get(&handle).ok_or_else(closed)?))
}

fn closed() -> Error<Code> {
    Error::new("CLOSED".into(), "the semaphore is closed")
}
