//! `procref_locks::sysv` for JavaScript. A set that is open is a number; what was taken through it is remembered, because the kernel
//! gives it back only when the process ends, and a worker thread ends before.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use napi::bindgen_prelude::Error;
use napi_derive::napi;
use procref_locks::sysv::{self, SemaphoreSet, SetError};

use crate::errors::{Code, Result, guarded, system_error};

const NONE: i32 = -1;

/// The largest number of slots that one set has room for.
#[napi]
pub const SYSV_MAX_SLOTS: u32 = sysv::MAX_SLOTS as u32;

#[derive(Default)]
struct Opened {
    sets: HashMap<u32, Open>,
    last: u32,
}

struct Open {
    set: Arc<SemaphoreSet>,
    taken: HashSet<usize>,
}

impl Open {
    fn give_back(mut self) -> Arc<SemaphoreSet> {
        for slot in self.taken.drain() {
            self.set.release(slot);
        }
        Arc::clone(&self.set)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        for slot in &self.taken {
            self.set.release(*slot);
        }
    }
}

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Gives back whatever this environment took.
pub fn close_all() {
    OPENED.with_borrow_mut(|opened| opened.sets.clear());
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
            let taken = HashSet::new();
            let set = Arc::new(set);
            opened.sets.insert(opened.last, Open { set, taken });
            Ok(opened.last)
        })
    })
}

/// A slot, or -1: every one was held.
#[napi]
pub fn sysv_try_take(handle: u32) -> Result<i32> {
    guarded(|| {
        with(handle, |open| {
            let taken = match open.set.take_likely().map_err(set_error)? {
                Some(slot) => Some(slot),
                None => open.set.try_take().map_err(set_error)?,
            };
            Ok(taken.map_or(NONE, |slot| {
                open.taken.insert(slot);
                slot as i32
            }))
        })
    })
}

/// False: not taken through this number, or the set is gone.
#[napi]
pub fn sysv_release(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| {
        with(handle, |open| {
            Ok(open.taken.remove(&(slot as usize)) && open.set.release(slot as usize))
        })
    })
}

#[napi]
pub fn sysv_held(handle: u32) -> Result<Vec<u32>> {
    guarded(|| {
        with(handle, |open| {
            let held = open.set.held().map_err(set_error)?;
            Ok(held.into_iter().map(|slot| slot as u32).collect())
        })
    })
}

#[napi]
pub fn sysv_is_held(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |open| open.set.is_held(slot as usize).map_err(set_error)))
}

/// The process that took or released the slot last; 0: not in our process table.
#[napi]
pub fn sysv_last_pid(handle: u32, slot: u32) -> Result<i32> {
    guarded(|| with(handle, |open| open.set.last_pid(slot as usize).map_err(set_error)))
}

/// Gives back what was taken through this number. False: closed before.
#[napi]
pub fn sysv_close(handle: u32) -> Result<bool> {
    guarded(|| Ok(OPENED.with_borrow_mut(|opened| opened.sets.remove(&handle)).is_some()))
}

/// As `sysv_close`; and removes the set if nobody holds anything in it. True: it was removed.
#[napi]
pub fn sysv_close_and_remove_if_unused(handle: u32) -> Result<bool> {
    guarded(|| {
        let Some(open) = OPENED.with_borrow_mut(|opened| opened.sets.remove(&handle)) else {
            return Ok(false);
        };
        let set = open.give_back();
        match set.remove_if_unused() {
            Ok(removed) => Ok(removed),
            Err(SetError::Gone) => Ok(false),
            Err(error) => Err(set_error(error)),
        }
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

fn with<T>(handle: u32, use_it: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
    OPENED.with_borrow_mut(|opened| use_it(opened.sets.get_mut(&handle).ok_or_else(closed)?))
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
