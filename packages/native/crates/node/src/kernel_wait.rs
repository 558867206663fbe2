//! `procref_locks::kernel_wait` for JavaScript: a wait is a number, and nothing of it belongs to an object, so no garbage collector
//! can end it.
//!
//! Kept by thread, as `descriptors` are. A wait that is over calls JavaScript through a thread-safe function, which does not keep
//! the process alive; its outcome stays here until JavaScript asks for it. (napi never unloads a library that has made one, so
//! there is always code for the threads and the signal handler.)

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use napi::Status;
use napi::bindgen_prelude::{Env, Error, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use procref_locks::file_lock::LockError;
use procref_locks::kernel_wait::{self, Outcome, Wait};

use crate::descriptors;
use crate::errors::{Code, Result, guarded, lock_error};

/// Answered instead of a descriptor.
const CALLED_OFF: i32 = -1;
/// Answered when there is no descriptor to hand out.
const FREE: i32 = -2;

/// Called with a wait's number. Weak: it keeps nothing alive. Its queue has no limit, so no call is refused.
type Ended = ThreadsafeFunction<i64, (), i64, Status, false, true, 0>;

thread_local! {
    // Never dropped by itself: that would hold up `process.exit()` until each of them is called off.
    static WAITS: RefCell<Option<ManuallyDrop<Waits>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Waits {
    listeners: Vec<Arc<Ended>>,
    last_number: i64,
    by_number: HashMap<i64, Wait>,
}

/// Whoever starts waits registers `ended` first, which is called with the number of each that is over, and passes what this returns
/// when it starts one. What is registered stays until the environment ends.
#[napi]
pub fn listen_for_waits(env: Env, ended: Function<'_, i64, ()>) -> Result<u32> {
    let ended = AssertUnwindSafe(ended);
    guarded(move || {
        let listener = ended
            .build_threadsafe_function()
            .weak::<true>()
            .callee_handled::<false>()
            .build()
            .map_err(node_error)?;
        let number = with_waits(|waits| {
            waits.listeners.push(Arc::new(listener));
            waits.listeners.len() - 1
        });
        // Hooks run from the last to the first: this one before the thread-safe function is taken down, so no thread calls it then.
        env.add_env_cleanup_hook((), |()| end_all()).map_err(node_error)?;
        u32::try_from(number).map_err(|error| Error::new("INVALID_ARGUMENT".into(), error.to_string()))
    })
}

/// Waits for the exclusive lock of the file at `path`, on a thread of its own. Its number.
#[napi]
pub fn start_lock_wait(listener: u32, path: String) -> Result<i64> {
    guarded(|| start(listener, |ended| kernel_wait::lock_exclusive(Path::new(&path), ended)))
}

/// Waits until nobody holds the lock of the watched file, on a thread of its own. Its number.
#[napi]
pub fn start_shared_wait(listener: u32, watch: i32, path: String) -> Result<i64> {
    guarded(|| {
        descriptors::borrow(watch, |fd| {
            start(listener, |ended| kernel_wait::wait_shared(fd, Path::new(&path), ended))
        })
        .unwrap_or_else(|| Err(Error::new("CLOSED".into(), "the watch is closed")))
    })
}

/// Returns at once: the wait is over, and says so, soon.
#[napi]
pub fn call_off_wait(wait: i64) -> Result<()> {
    guarded(|| {
        with_waits(|waits| waits.by_number.get(&wait).map(Wait::call_off));
        Ok(())
    })
}

/// The outcome of a wait that is over: the locked descriptor, or the number of what was taken (-2 where a wait takes nothing), or -1: called
/// off.
#[napi]
pub fn end_wait(wait: i64) -> Result<i32> {
    guarded(|| {
        let wait = with_waits(|waits| waits.by_number.remove(&wait));
        match wait.map_or(Outcome::CalledOff, Wait::end) {
            Outcome::Locked(fd) => Ok(descriptors::hand_out(fd)),
            Outcome::Taken(taken) => taken
                .keep()
                .map(|number| number as i32)
                .ok_or_else(|| Error::new("CLOSED".into(), "what it was taken through is closed")),
            Outcome::Free => Ok(FREE),
            Outcome::CalledOff => Ok(CALLED_OFF),
            Outcome::Failed(error) => Err(lock_error(error)),
            Outcome::Panicked(said) => Err(Error::new("PANIC".into(), said)),
        }
    })
}

/// Instead of `end_wait`: gives back what the wait brought.
#[napi]
pub fn drop_wait(wait: i64) -> Result<()> {
    guarded(|| {
        drop(with_waits(|waits| waits.by_number.remove(&wait)));
        Ok(())
    })
}

pub fn start(
    listener: u32,
    wait: impl FnOnce(Box<dyn FnOnce() + Send>) -> std::result::Result<Wait, LockError>,
) -> Result<i64> {
    let (listener, number) = with_waits(|waits| {
        waits.last_number += 1;
        (waits.listeners.get(listener as usize).cloned(), waits.last_number)
    });
    let listener = listener.ok_or_else(|| Error::new("INVALID_ARGUMENT".into(), "nobody listens for waits"))?;
    let ended = move || {
        // Refused only when the environment ends, and then nobody wants to know.
        listener.call(number, ThreadsafeFunctionCallMode::NonBlocking);
    };
    let wait = wait(Box::new(ended)).map_err(lock_error)?;
    with_waits(|waits| waits.by_number.insert(number, wait));
    Ok(number)
}

/// Ends the waits of this environment; what they got is released.
fn end_all() {
    if let Some(waits) = WAITS.take().map(ManuallyDrop::into_inner) {
        // All at once first: each of them needs a moment.
        waits.by_number.values().for_each(Wait::call_off);
    }
}

fn with_waits<T>(use_them: impl FnOnce(&mut Waits) -> T) -> T {
    WAITS.with_borrow_mut(|waits| use_them(waits.get_or_insert_default()))
}

fn node_error(error: napi::Error) -> Error<Code> {
    Error::new("NODE_API".into(), error.reason)
}
