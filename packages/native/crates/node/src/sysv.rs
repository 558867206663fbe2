//! `procref_locks::sysv` for JavaScript. A set that is open is a number.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use napi::bindgen_prelude::Error;
use napi_derive::napi;
use procref_locks::sysv::{self, OpenSet, SemaphoreSet, SetError, wait};

use crate::errors::{Code, Result, guarded, system_error};
use crate::kernel_wait;

const NONE: i32 = -1;

/// The largest number of slots that one set has room for.
#[napi]
pub const SYSV_MAX_SLOTS: u32 = sysv::MAX_SLOTS as u32;

#[derive(Default)]
struct Opened {
    sets: HashMap<u32, Arc<OpenSet>>,
    last: u32,
}

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Gives back whatever this environment took.
pub fn close_all() {
    let sets = OPENED.with_borrow_mut(|opened| std::mem::take(&mut opened.sets));
    // Waits that run share them.
    sets.values().for_each(|set| set.close());
}

/// The id of a new set that `magic` (a number in hexadecimal) marks. Nobody removes it but `sysv_remove`.
#[napi]
pub fn sysv_create(slots: u32, magic: String) -> Result<i32> {
    guarded(|| {
        let set = SemaphoreSet::create(slots as usize, parse_magic(&magic)?);
        Ok(set.map_err(|error| system_error("semget", &error))?.id())
    })
}

/// A number for the set; `GONE` when it is no longer there.
#[napi]
pub fn sysv_open(id: i32, slots: u32, magic: String) -> Result<u32> {
    guarded(|| {
        let set = SemaphoreSet::open(id, slots as usize, parse_magic(&magic)?).map_err(set_error)?;
        OPENED.with_borrow_mut(|opened| {
            // Never used again, so that a number that was closed stays closed.
            opened.last = opened.last.checked_add(1).ok_or_else(closed)?;
            opened.sets.insert(opened.last, Arc::new(OpenSet::new(set)));
            Ok(opened.last)
        })
    })
}

/// A slot, or -1: every one was held.
#[napi]
pub fn sysv_try_take(handle: u32) -> Result<i32> {
    guarded(|| {
        with(handle, |open| {
            let taken = open.try_take().map_err(set_error)?;
            Ok(taken.map_or(NONE, |slot| slot as i32))
        })
    })
}

/// False: not taken through this number, or the set is gone.
#[napi]
pub fn sysv_release(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |open| Ok(open.release(slot as usize))))
}

#[napi]
pub fn sysv_held(handle: u32) -> Result<Vec<u32>> {
    guarded(|| {
        with(handle, |open| {
            let held = open.set().held().map_err(set_error)?;
            Ok(held.into_iter().map(|slot| slot as u32).collect())
        })
    })
}

#[napi]
pub fn sysv_is_held(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |open| open.set().is_held(slot as usize).map_err(set_error)))
}

/// The process that took or released the slot last; 0: not in our process table.
#[napi]
pub fn sysv_last_pid(handle: u32, slot: u32) -> Result<i32> {
    guarded(|| with(handle, |open| open.set().last_pid(slot as usize).map_err(set_error)))
}

/// Waits for a slot, on a thread of its own; see `kernel_wait`. What it brings is a slot that was taken through this number.
#[napi]
pub fn sysv_start_take_wait(listener: u32, handle: u32) -> Result<i64> {
    guarded(|| {
        with(handle, |open| {
            kernel_wait::start(listener, |ended| wait::take_when_free(open, ended))
        })
    })
}

/// Waits until nobody holds a slot.
#[napi]
pub fn sysv_start_unused_wait(listener: u32, handle: u32) -> Result<i64> {
    guarded(|| {
        with(handle, |open| {
            kernel_wait::start(listener, |ended| wait::until_unused(open, ended))
        })
    })
}

/// Gives back what was taken through this number, and removes the set if nobody holds anything in it: now, or when the last wait through
/// this number has ended. False: closed before.
#[napi]
pub fn sysv_close(handle: u32) -> Result<bool> {
    guarded(|| {
        let open = OPENED.with_borrow_mut(|opened| opened.sets.remove(&handle));
        if let Some(open) = &open {
            open.close();
        }
        Ok(open.is_some())
    })
}

/// Removes a set for everybody. False: there is none of this id and magic.
#[napi]
pub fn sysv_remove(id: i32, slots: u32, magic: String) -> Result<bool> {
    guarded(|| match SemaphoreSet::open(id, slots as usize, parse_magic(&magic)?) {
        Ok(set) => match set.remove() {
            Ok(()) => Ok(true),
            Err(error) => Err(system_error("semctl", &error)),
        },
        Err(SetError::Gone) => Ok(false),
        Err(error) => Err(set_error(error)),
    })
}

fn with<T>(handle: u32, use_it: impl FnOnce(&Arc<OpenSet>) -> Result<T>) -> Result<T> {
    OPENED.with_borrow(|opened| use_it(opened.sets.get(&handle).ok_or_else(closed)?))
}

fn closed() -> Error<Code> {
    Error::new("CLOSED".into(), "the semaphore set is closed")
}

fn parse_magic(magic: &str) -> Result<u64> {
    u64::from_str_radix(magic, 16).map_err(|error| Error::new("GONE".into(), error.to_string()))
}

fn set_error(error: SetError) -> Error<Code> {
    match error {
        SetError::Gone => Error::new("GONE".into(), error.to_string()),
        SetError::Damaged(_) => Error::new("DAMAGED".into(), error.to_string()),
        SetError::System(error) => system_error("semop", &error),
    }
}
