//! `procref_locks::ofd_range` for JavaScript: a pool is a number, and so is a slot that it holds (a token, see there).

use std::cell::RefCell;
use std::path::Path;

use napi::bindgen_prelude::{Error, Uint8Array};
use napi::sys;
use napi_derive::napi;
use procref_locks::ofd_range::{self, Pool, Scan, Token, wait};

use crate::descriptors;
use crate::errors::{Code, Result, guarded, lock_error};
use crate::fast_call::{Call, answer, export};
use crate::kernel_wait;

/// Answered instead of a token: refused, or every slot was proven to be held.
const NONE: i32 = -1;
/// Answered by a scan that proved nothing.
const UNPROVEN: i32 = -2;

#[napi]
pub const OFD_SLOTS_A_FILE: u32 = ofd_range::SLOTS_A_FILE;

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there. A number that was closed stays closed.
    static POOLS: RefCell<Vec<Option<Pool>>> = const { RefCell::new(Vec::new()) };
}

/// Gives back whatever this environment holds.
pub fn close_all() {
    POOLS.with_borrow_mut(Vec::clear);
}

/// A number for a pool of the directory, whose claims write `record` and start at slot `first`.
#[napi]
pub fn ofd_open(dir: String, slots: u32, record: &[u8], first: u32) -> Result<i32> {
    guarded(|| {
        let pool = Pool::open(Path::new(&dir), slots, record, first).map_err(lock_error)?;
        POOLS.with_borrow_mut(|pools| {
            pools.push(Some(pool));
            i32::try_from(pools.len() - 1).map_err(|_| closed())
        })
    })
}

/// `ofdTryClaim(pool)`: a token, or -1: none was found quickly, and nothing was proven.
unsafe extern "C" fn try_claim(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let body = |call: &Call<1>| with(call.int(0)?, |pool| Ok(pool.try_claim().map_or(NONE, Token::to_int)));
    // SAFETY: Node-API has just called us with these.
    unsafe { answer(env, info, body) }
}

/// `ofdRelease(pool, token)`: 0: it was released before.
unsafe extern "C" fn release(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let body = |call: &Call<2>| {
        let token = call.int(1)?;
        // A pool that is closed has released everything.
        let released = with(call.int(0)?, |pool| {
            Ok(Token::from_int(token).is_some_and(|token| pool.release(token)))
        });
        Ok(released.unwrap_or(false).into())
    };
    // SAFETY: Node-API has just called us with these.
    unsafe { answer(env, info, body) }
}

pub fn export_fast_calls(env: sys::napi_env, exports: sys::napi_value) -> napi::Result<()> {
    export(env, exports, "ofdTryClaim", Some(try_claim))?;
    export(env, exports, "ofdRelease", Some(release))
}

/// A token, or -1: refused.
#[napi]
pub fn ofd_try_claim_at(pool: i32, slot: u32) -> Result<i32> {
    guarded(|| {
        with(pool, |pool| {
            let claimed = pool.try_claim_at(slot).map_err(lock_error)?;
            Ok(claimed.map_or(NONE, Token::to_int))
        })
    })
}

/// A token, or -1: every slot of the shard was proven to be held; -2: nothing could be claimed, and nothing was proven.
#[napi]
pub fn ofd_scan(pool: i32, shard: u32) -> Result<i32> {
    guarded(|| {
        with(pool, |pool| {
            Ok(match pool.scan(shard).map_err(lock_error)? {
                Scan::Taken(token) => token.to_int(),
                Scan::AllHeld => NONE,
                Scan::Unproven(_) => UNPROVEN,
            })
        })
    })
}

/// After scans of all shards found nothing.
#[napi]
pub fn ofd_refresh_hints(pool: i32) -> Result<()> {
    guarded(|| {
        with(pool, |pool| {
            pool.refresh_hints();
            Ok(())
        })
    })
}

/// Does the path still lead to the file in which the slot is? False also when it cannot be told, or the pool is closed.
#[napi]
pub fn ofd_is_current(pool: i32, token: i32) -> Result<bool> {
    guarded(|| {
        let current = with(pool, |pool| {
            Ok(Token::from_int(token).is_some_and(|token| pool.is_current(token)))
        });
        Ok(current.unwrap_or(false))
    })
}

/// Tokens of the slots of the shard that anybody holds.
#[napi]
pub fn ofd_used(pool: i32, shard: u32) -> Result<Vec<i32>> {
    guarded(|| {
        with(pool, |pool| {
            let used = pool.used(shard).map_err(lock_error)?;
            Ok(used.into_iter().map(Token::to_int).collect())
        })
    })
}

/// Is a file of that shard open? Then somebody was there.
#[napi]
pub fn ofd_is_open(pool: i32, shard: u32) -> Result<bool> {
    guarded(|| with(pool, |pool| Ok(pool.is_open(shard))))
}

/// What stands there about the slot's holder; empty when its file is not open any more.
#[napi]
pub fn ofd_read_record(pool: i32, token: i32) -> Result<Uint8Array> {
    guarded(|| {
        with(pool, |pool| {
            let record = Token::from_int(token).map(|token| pool.read_record(token));
            Ok(record.unwrap_or_else(|| Ok(Vec::new())).map_err(lock_error)?.into())
        })
    })
}

/// Waits for the slot, on a thread of its own; see `kernel_wait`. What it brings is for `ofdAdopt`.
#[napi]
pub fn ofd_start_slot_wait(listener: u32, pool: i32, slot: u32) -> Result<i64> {
    guarded(|| {
        with(pool, |pool| {
            kernel_wait::start(listener, |ended| wait::lock_slot(pool, slot, ended))
        })
    })
}

/// Waits until nobody holds a slot of the shard.
#[napi]
pub fn ofd_start_unused_wait(listener: u32, pool: i32, shard: u32) -> Result<i64> {
    guarded(|| {
        with(pool, |pool| {
            kernel_wait::start(listener, |ended| wait::until_unused(pool, shard, ended))
        })
    })
}

/// Makes the pool's what a wait for the slot brought: a token; or -1, and the slot is let go: its file is no longer at its path.
#[napi]
pub fn ofd_adopt(pool: i32, descriptor: i32, slot: u32) -> Result<i32> {
    guarded(|| {
        let locked = descriptors::take_back(descriptor).ok_or_else(closed)?;
        with(pool, |pool| {
            let adopted = pool.adopt(locked, slot).map_err(lock_error)?;
            Ok(adopted.map_or(NONE, Token::to_int))
        })
    })
}

/// Gives back what the pool holds. False: it was closed before.
#[napi]
pub fn ofd_close(pool: i32) -> Result<bool> {
    guarded(|| {
        let closing = usize::try_from(pool).ok();
        let closed = POOLS.with_borrow_mut(|pools| pools.get_mut(closing?)?.take());
        Ok(closed.is_some())
    })
}

fn with<T>(pool: i32, use_it: impl FnOnce(&mut Pool) -> Result<T>) -> Result<T> {
    POOLS.with_borrow_mut(|pools| {
        let open = usize::try_from(pool)
            .ok()
            .and_then(|index| pools.get_mut(index)?.as_mut());
        use_it(open.ok_or_else(closed)?)
    })
}

fn closed() -> Error<Code> {
    Error::new("CLOSED".into(), "it is closed")
}
