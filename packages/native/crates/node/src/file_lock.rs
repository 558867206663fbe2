//! `procref_locks::file_lock` for JavaScript.

use std::path::Path;

use napi_derive::napi;
use procref_locks::file_lock::{self, Probe};

use crate::descriptors;
use crate::errors::{Result, guarded, lock_error};

/// Answered instead of a descriptor.
const REFUSED: i32 = -1;

/// A descriptor that holds the lock, or -1: refused now.
#[napi]
pub fn try_lock(path: String) -> Result<i32> {
    guarded(|| {
        let locked = file_lock::try_lock(Path::new(&path)).map_err(lock_error)?;
        Ok(locked.map_or(REFUSED, descriptors::hand_out))
    })
}

/// A descriptor that holds the lock of the file at `path`, with the record written; or -1: refused now.
#[napi]
pub fn try_take(path: String, record: &[u8]) -> Result<i32> {
    guarded(|| {
        let taken = file_lock::try_take(Path::new(&path), record).map_err(lock_error)?;
        Ok(taken.map_or(REFUSED, descriptors::hand_out))
    })
}

/// A descriptor to look through.
#[napi]
pub fn open_watch(path: String) -> Result<i32> {
    file_lock::open_watch(Path::new(&path))
        .map(descriptors::hand_out)
        .map_err(lock_error)
}

/// 0: free; 1: held; 2: free for good, close the watch.
#[napi]
pub fn probe(watch: i32, path: String) -> Result<u32> {
    guarded(
        || match descriptors::borrow(watch, |fd| file_lock::probe(fd, Path::new(&path))) {
            None => Err(napi::Error::new("CLOSED".into(), "the watch is closed")),
            Some(Ok(Probe::Free)) => Ok(0),
            Some(Ok(Probe::Held)) => Ok(1),
            Some(Ok(Probe::FreeForGood)) => Ok(2),
            Some(Err(error)) => Err(lock_error(error)),
        },
    )
}

/// Does the path lead to the open file? False also when it cannot be told, or the descriptor is closed.
#[napi]
pub fn is_current(descriptor: i32, path: String) -> Result<bool> {
    guarded(|| {
        let current = descriptors::borrow(descriptor, |fd| file_lock::is_current(fd, Path::new(&path)));
        Ok(current.unwrap_or(false))
    })
}

/// Closes a descriptor that was handed out; false: it was closed before.
#[napi]
pub fn close(descriptor: i32) -> Result<bool> {
    guarded(|| Ok(descriptors::take_back(descriptor).is_some()))
}
