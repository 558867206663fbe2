//! `procref_locks::file_lock` for JavaScript.

use std::path::Path;

use napi::sys;
use napi_derive::napi;
use procref_locks::file_lock::{self, Probe};

use crate::descriptors;
use crate::errors::{Result, guarded, lock_error};
use crate::fast_call::{Call, answer, export};

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

/// Writes the record into the locked file, if the path leads to it; false: it does not, it cannot be told, or the descriptor is closed.
#[napi]
pub fn adopt(descriptor: i32, path: String, record: &[u8]) -> Result<bool> {
    guarded(|| {
        descriptors::borrow(descriptor, |fd| file_lock::adopt(fd, Path::new(&path), record))
            .unwrap_or(Ok(false))
            .map_err(lock_error)
    })
}

/// `tryTake(path, record)`: a descriptor that holds the lock of the file at `path`, with the record written; or -1: refused now.
unsafe extern "C" fn try_take(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let body = |call: &Call<2>| {
        let taken = call.path(0, |path| {
            call.bytes(1, |record| file_lock::try_take(path, record).map_err(lock_error))
        })?;
        Ok(taken.map_or(REFUSED, descriptors::hand_out))
    };
    // SAFETY: Node-API has just called us with these.
    unsafe { answer(env, info, body) }
}

/// `close(descriptor)`: closes a descriptor that was handed out; 0: it was closed before.
unsafe extern "C" fn close(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node-API has just called us with these.
    unsafe {
        answer(env, info, |call: &Call<1>| {
            Ok(descriptors::take_back(call.int(0)?).is_some().into())
        })
    }
}

pub fn export_fast_calls(env: sys::napi_env, exports: sys::napi_value) -> napi::Result<()> {
    export(env, exports, "tryTake", Some(try_take))?;
    export(env, exports, "close", Some(close))
}
