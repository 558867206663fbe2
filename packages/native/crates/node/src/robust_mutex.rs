//! `procref_locks::robust_mutex` for JavaScript. An open file is a number; what was taken through it is released when it is closed, also
//! by the end of a worker thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use napi::bindgen_prelude::{Error, Uint8Array};
use napi_derive::napi;
use procref_locks::robust_mutex::{self, FileError, RobustMutexes};

use crate::errors::{Code, Result, guarded, system_error};
use crate::kernel_wait;

const NONE: i32 = -1;

/// The largest number of slots in one file.
#[napi]
pub const ROBUST_MAX_SLOTS: u32 = robust_mutex::MAX_SLOTS as u32;

#[derive(Default)]
struct Opened {
    files: HashMap<u32, RobustMutexes>,
    last: u32,
}

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Releases whatever this environment took, and ends the threads that held it.
pub fn close_all() {
    let files = OPENED.with_borrow_mut(|opened| std::mem::take(&mut opened.files));
    drop(files);
}

/// Makes a file that must not exist.
#[napi]
pub fn robust_create(path: String, slots: u32) -> Result<()> {
    guarded(|| robust_mutex::create(Path::new(&path), slots as usize).map_err(|error| system_error("open", &error)))
}

/// A number for the open file. `OTHER_BOOT`: it may be replaced; `DAMAGED`: it must not be used, the message says why.
#[napi]
pub fn robust_open(path: String) -> Result<u32> {
    guarded(|| {
        let file = RobustMutexes::open(Path::new(&path)).map_err(file_error)?;
        OPENED.with_borrow_mut(|opened| {
            // Never used again, so that a number that was closed stays closed.
            opened.last = opened.last.checked_add(1).ok_or_else(closed)?;
            opened.files.insert(opened.last, file);
            Ok(opened.last)
        })
    })
}

#[napi]
pub fn robust_slots(handle: u32) -> Result<u32> {
    guarded(|| with(handle, |file| Ok(file.slots() as u32)))
}

/// A slot, with `record` written, looking from `start` on; or -1: every one was held.
#[napi]
pub fn robust_try_take(handle: u32, start: u32, record: &[u8]) -> Result<i32> {
    guarded(|| {
        with(handle, |file| {
            let Some(taken) = file.try_take(start as usize).map_err(futex_error)? else {
                return Ok(NONE);
            };
            // A label: without it (the disk is full) the slot is as good.
            let _ = file.write_record(taken.slot, record);
            Ok(taken.slot as i32)
        })
    })
}

/// False: not taken through this number.
#[napi]
pub fn robust_release(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |file| Ok(file.release(slot as usize))))
}

#[napi]
pub fn robust_held(handle: u32) -> Result<Vec<u32>> {
    guarded(|| {
        with(handle, |file| {
            let held = file.held().map_err(futex_error)?;
            Ok(held.into_iter().map(|slot| slot as u32).collect())
        })
    })
}

/// Is the slot held through this number?
#[napi]
pub fn robust_holds(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |file| file.holds(slot as usize).map_err(futex_error)))
}

/// Does the path lead to the open file? False also when it cannot be told, or the file is closed.
#[napi]
pub fn robust_is_at(handle: u32, path: String) -> Result<bool> {
    guarded(|| {
        Ok(OPENED.with_borrow(|opened| {
            opened
                .files
                .get(&handle)
                .is_some_and(|file| file.is_at(Path::new(&path)))
        }))
    })
}

#[napi]
pub fn robust_read_record(handle: u32, slot: u32) -> Result<Uint8Array> {
    guarded(|| {
        with(handle, |file| {
            let record = file
                .read_record(slot as usize)
                .map_err(|error| system_error("read", &error))?;
            Ok(record.to_vec().into())
        })
    })
}

/// Waits until the slot was free, on a thread of its own; see `kernel_wait`.
#[napi]
pub fn robust_start_slot_wait(listener: u32, handle: u32, slot: u32) -> Result<i64> {
    guarded(|| {
        with(handle, |file| {
            kernel_wait::start(listener, |ended| robust_mutex::until_free(file, slot as usize, ended))
        })
    })
}

/// Waits until nobody holds a slot.
#[napi]
pub fn robust_start_unused_wait(listener: u32, handle: u32) -> Result<i64> {
    guarded(|| {
        with(handle, |file| {
            kernel_wait::start(listener, |ended| robust_mutex::until_unused(file, ended))
        })
    })
}

/// Releases what was taken through this number. False: closed before.
#[napi]
pub fn robust_close(handle: u32) -> Result<bool> {
    guarded(|| Ok(OPENED.with_borrow_mut(|opened| opened.files.remove(&handle)).is_some()))
}

fn with<T>(handle: u32, use_it: impl FnOnce(&RobustMutexes) -> Result<T>) -> Result<T> {
    OPENED.with_borrow(|opened| use_it(opened.files.get(&handle).ok_or_else(closed)?))
}

fn closed() -> Error<Code> {
    Error::new("CLOSED".into(), "the file of mutexes is closed")
}

/// Of all calls on an open file only a look at its size can fail, and `ESTALE` says that it shrank.
fn futex_error(error: std::io::Error) -> Error<Code> {
    match error.raw_os_error() {
        Some(libc::ESTALE) => Error::new("DAMAGED".into(), "was truncated"),
        _ => system_error("fstat", &error),
    }
}

fn file_error(error: FileError) -> Error<Code> {
    match error {
        FileError::OtherBoot => Error::new("OTHER_BOOT".into(), error.to_string()),
        FileError::Damaged(_) => Error::new("DAMAGED".into(), error.to_string()),
        FileError::System(error) => system_error("open", &error),
    }
}
