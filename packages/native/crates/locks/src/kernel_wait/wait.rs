use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

#[cfg(unix)]
use super::handshake::Attempt;
use super::handshake::{Handshake, Rounds};
use super::platform::{INTERRUPT_AGAIN, Interruption, NOT_FOUND, SPAWN, reopen_to_wait};
use crate::file_lock::{self, BorrowedDescriptor, Descriptor, LockError};

/// The standard library takes more where the system demands it.
const STACK_BYTES: usize = 64 * 1024;

/// How a wait ended.
#[derive(Debug)]
pub enum Outcome {
    /// The lock is ours; it is released when the descriptor is closed.
    Locked(Descriptor),
    /// Ours, and no descriptor.
    Taken(Box<dyn Taken>),
    /// Nobody held the lock a moment ago.
    Free,
    CalledOff,
    Failed(LockError),
    Panicked(String),
}

/// What a wait took that is no descriptor. Dropped, it is given back.
pub trait Taken: Debug + Send {
    /// Leaves it to whoever keeps account of what was taken through the thing that was waited for, and says its number. `None`: that was closed
    /// meanwhile, so it was given back.
    fn keep(self: Box<Self>) -> Option<u32>;
}

/// A wait that runs. Dropped, it is called off, and whatever it got is released.
pub struct Wait {
    waiter: Arc<Waiter>,
}

pub(super) struct Waiter {
    pub(super) interruption: Interruption,
    pub(super) handshake: Handshake,
    /// Taken and joined only once the handshake is over: the number of a joined thread may be another thread's.
    thread: Mutex<Option<JoinHandle<Outcome>>>,
}

static INTERRUPTIONS: Rounds<Arc<Waiter>> = Rounds::new();

/// Waits for the exclusive lock of the file at `path`, which is opened as `file_lock::try_lock` does. Calls `ended`, on the
/// waiting thread, when `Wait::end()` would not have to wait any more.
///
/// Guarantee: as `try_lock`, once the outcome is `Locked`.
/// Unspecified: whether `path` still leads to that file by then.
pub fn lock_exclusive(path: &Path, ended: impl FnOnce() + Send + 'static) -> Result<Wait, LockError> {
    let file = file_lock::open_to_lock(path)?;
    start_with(
        Interruption::new()?,
        move |waiter| match waiter
            .handshake
            .wait(file, |file| waiter.interruption.lock_exclusive(file))
        {
            None => Outcome::CalledOff,
            Some(Ok(file)) => Outcome::Locked(file),
            Some(Err(error)) => Outcome::Failed(error),
        },
        ended,
    )
}

/// Waits until nobody holds the lock of the watched file, which was found at `path`. Calls `ended` as `lock_exclusive` does.
///
/// Guarantee: it waits through a new open file description, and closes that before it tells anybody: so it is in a claimer's way
/// only for a moment, as a probe is.
pub fn wait_shared(
    watch: BorrowedDescriptor<'_>,
    path: &Path,
    ended: impl FnOnce() + Send + 'static,
) -> Result<Wait, LockError> {
    // A deleted file, and no way to it: nobody could ask for its lock without keeping it.
    let file = reopen_to_wait(watch, path)?
        .ok_or_else(|| LockError::system("open", io::Error::from_raw_os_error(NOT_FOUND)))?;
    start_with(
        Interruption::new()?,
        move |waiter| match waiter
            .handshake
            .wait(file, |file| waiter.interruption.lock_shared(file))
        {
            None => Outcome::CalledOff,
            Some(Ok(file)) => {
                drop(file);
                Outcome::Free
            }
            Some(Err(error)) => Outcome::Failed(error),
        },
        ended,
    )
}

/// Calls `block` on a thread of its own until it is granted, fails, or was called off; then `ended`. What was granted becomes the outcome
/// that `granted` makes of `lock`.
///
/// Caller: dropping `lock` gives back what `block` took.
#[cfg(unix)]
pub(crate) fn start<L: Send + 'static>(
    lock: L,
    block: impl FnMut(&L) -> Attempt<LockError> + Send + 'static,
    granted: impl FnOnce(L) -> Outcome + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
) -> Result<Wait, LockError> {
    start_with(
        Interruption::new()?,
        move |waiter| match waiter.handshake.wait(lock, block) {
            None => Outcome::CalledOff,
            Some(Ok(lock)) => granted(lock),
            Some(Err(error)) => Outcome::Failed(error),
        },
        ended,
    )
}

pub(super) fn start_with(
    interruption: Interruption,
    wait: impl FnOnce(&Waiter) -> Outcome + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
) -> Result<Wait, LockError> {
    let waiter = Arc::new(Waiter {
        interruption,
        handshake: Handshake::new(),
        thread: Mutex::new(None),
    });
    let run = {
        let waiter = Arc::clone(&waiter);
        move || {
            waiter.interruption.prepare_this_thread();
            let outcome = catch_unwind(AssertUnwindSafe(|| wait(&waiter)));
            ended();
            outcome.unwrap_or_else(|panic| panicked(&*panic))
        }
    };
    *guard(&waiter.thread) = Some(spawn("procref-wait", run)?);
    Ok(Wait { waiter })
}

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, LockError> {
    thread::Builder::new()
        .name(name.into())
        .stack_size(STACK_BYTES)
        .spawn(run)
        .map_err(|error| LockError::system(SPAWN, error))
}

fn panicked(panic: &(dyn Any + Send)) -> Outcome {
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    Outcome::Panicked(said.unwrap_or_else(|| "a panic".into()))
}

impl Wait {
    /// Does not wait. The outcome will be `CalledOff`, unless there is another one already.
    pub fn call_off(&self) {
        if !self.waiter.handshake.call_off() {
            return;
        }
        if INTERRUPT_AGAIN.is_none() {
            return self.waiter.interrupt();
        }
        if !INTERRUPTIONS.add(Arc::clone(&self.waiter)) {
            return;
        }
        // One thread for all that are called off, which ends with the last of them: a caller that has an event loop must not sleep.
        if spawn("procref-call-off", || INTERRUPTIONS.run(interrupt_all)).is_err() {
            INTERRUPTIONS.run(interrupt_all);
        }
    }

    /// The outcome, once the thread is gone. Calls the wait off if it has not ended.
    pub fn end(self) -> Outcome {
        self.join().unwrap_or(Outcome::CalledOff)
    }

    /// `None`: joined before.
    fn join(&self) -> Option<Outcome> {
        self.waiter.handshake.call_off();
        while !self.waiter.handshake.is_over() {
            self.waiter.interrupt();
            match INTERRUPT_AGAIN {
                Some(after) => thread::sleep(after),
                None => break,
            }
        }
        let thread = guard(&self.waiter.thread).take()?;
        Some(thread.join().unwrap_or_else(|panic| panicked(&*panic)))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.join();
    }
}

impl Waiter {
    fn interrupt(&self) {
        let thread = guard(&self.thread);
        if let Some(thread) = &*thread {
            self.interruption.interrupt(thread);
        }
    }
}

/// One round; takes out those that need no more.
fn interrupt_all(waiters: &mut Vec<Arc<Waiter>>) {
    waiters.retain(|waiter| !waiter.handshake.is_over());
    if !waiters.is_empty() {
        waiters.iter().for_each(|waiter| waiter.interrupt());
        if let Some(after) = INTERRUPT_AGAIN {
            thread::sleep(after);
        }
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    #[cfg(windows)]
    use super::super::handshake::Attempt;
    use super::*;
    use crate::file_lock::borrowed;
    use crate::test_dir::{TestDir, soon};

    /// Reaching it means "hangs".
    const HANGS: Duration = Duration::from_secs(30);

    struct Fixture {
        _dir: TestDir,
        path: PathBuf,
    }

    fn fixture() -> Fixture {
        let dir = TestDir::new();
        let path = dir.join("slot_00.lock");
        Fixture { _dir: dir, path }
    }

    fn take(path: &Path) -> Option<Descriptor> {
        file_lock::try_lock(path).unwrap()
    }

    fn take_soon(path: &Path) -> Descriptor {
        soon(path, take)
    }

    fn start_lock_wait(path: &Path) -> (Wait, Receiver<()>) {
        let (ended, has_ended) = channel();
        (
            lock_exclusive(path, move || ended.send(()).unwrap()).unwrap(),
            has_ended,
        )
    }

    fn start_shared_wait(path: &Path) -> (Wait, Receiver<()>) {
        let (ended, has_ended) = channel();
        let watch = file_lock::open_watch(path).unwrap();
        (
            wait_shared(borrowed(&watch), path, move || ended.send(()).unwrap()).unwrap(),
            has_ended,
        )
    }

    #[test]
    fn a_lock_is_handed_over_when_its_holder_lets_go() {
        let Fixture { path, _dir } = fixture();
        let held = take_soon(&path);
        let (wait, has_ended) = start_lock_wait(&path);
        drop(held);
        has_ended.recv_timeout(HANGS).unwrap();
        let outcome = wait.end();
        assert!(matches!(outcome, Outcome::Locked(_)), "{outcome:?}");
        assert!(take(&path).is_none());
        drop(outcome);
        drop(take_soon(&path));
    }

    #[test]
    fn a_wait_for_a_free_lock_keeps_nothing_of_it() {
        let Fixture { path, _dir } = fixture();
        let held = take_soon(&path);
        let (wait, has_ended) = start_shared_wait(&path);
        drop(held);
        has_ended.recv_timeout(HANGS).unwrap();
        assert!(
            take(&path).is_some(),
            "it is still in the way after it said that it ended"
        );
        assert!(matches!(wait.end(), Outcome::Free));
    }

    #[test]
    fn a_deleted_file_can_be_waited_for() {
        let Fixture { path, _dir } = fixture();
        let held = take_soon(&path);
        let watch = file_lock::open_watch(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let (ended, has_ended) = channel();
        match wait_shared(borrowed(&watch), &path, move || ended.send(()).unwrap()) {
            Ok(wait) => {
                drop(held);
                has_ended.recv_timeout(HANGS).unwrap();
                assert!(matches!(wait.end(), Outcome::Free));
            }
            // Where there is no /proc it is refused, not waited for in vain.
            Err(error) => assert!(fs::metadata("/proc/self/fd").is_err(), "{error}"),
        }
    }

    #[test]
    fn what_was_called_off_ends_though_the_lock_stays_held() {
        let Fixture { path, _dir } = fixture();
        let _held = take_soon(&path);
        for _ in 0..200 {
            let (exclusive, exclusive_ended) = start_lock_wait(&path);
            let (shared, shared_ended) = start_shared_wait(&path);
            exclusive.call_off();
            shared.call_off();
            exclusive_ended.recv_timeout(HANGS).unwrap();
            shared_ended.recv_timeout(HANGS).unwrap();
            assert!(matches!(exclusive.end(), Outcome::CalledOff));
            assert!(matches!(shared.end(), Outcome::CalledOff));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_signal_that_comes_before_the_blocking_call_is_not_the_last() {
        let Fixture { path, _dir } = fixture();
        let _held = take_soon(&path);
        let file = file_lock::open_to_lock(&path).unwrap();
        let (looked, has_looked) = channel();
        let (ended, has_ended) = channel();
        let mut first = true;
        let slow = move |waiter: &Waiter| match waiter.handshake.wait(file, |file| {
            // The waiter has looked at the flag; the caller sets it and sends a signal; the waiter blocks.
            if std::mem::take(&mut first) {
                looked.send(()).unwrap();
                // SAFETY: it takes nothing and returns when a signal's handler ran.
                unsafe { libc::pause() };
            }
            waiter.interruption.lock_exclusive(file)
        }) {
            None => Outcome::CalledOff,
            Some(_) => Outcome::Free,
        };
        let wait = start_with(Interruption::new().unwrap(), slow, move || ended.send(()).unwrap()).unwrap();
        has_looked.recv_timeout(HANGS).unwrap();
        wait.call_off();
        has_ended.recv_timeout(HANGS).unwrap();
        assert!(matches!(wait.end(), Outcome::CalledOff));
    }

    #[test]
    fn a_lock_freed_while_the_wait_is_called_off_is_had_or_free() {
        let Fixture { path, _dir } = fixture();
        for n in 0..500 {
            let held = take_soon(&path);
            let (wait, has_ended) = start_lock_wait(&path);
            if n % 2 == 0 {
                thread::yield_now();
            }
            let releases = thread::spawn(move || drop(held));
            wait.call_off();
            has_ended.recv_timeout(HANGS).unwrap();
            releases.join().unwrap();
            match wait.end() {
                Outcome::Locked(lock) => {
                    assert!(take(&path).is_none());
                    drop(lock);
                }
                outcome => assert!(matches!(outcome, Outcome::CalledOff), "{outcome:?}"),
            }
            drop(take_soon(&path));
        }
    }

    #[test]
    fn a_thousand_waits_at_once_are_dropped_and_leave_no_lock_behind() {
        let Fixture { path, _dir } = fixture();
        let held = take_soon(&path);
        let waits: Vec<Wait> = (0..1000).map(|_| lock_exclusive(&path, || {}).unwrap()).collect();
        waits.iter().for_each(Wait::call_off);
        drop(waits);
        drop(held);
        drop(take_soon(&path));
    }

    #[test]
    fn what_cannot_be_waited_for_says_so_at_once() {
        let Fixture { path, _dir } = fixture();
        let missing = path.with_file_name("missing/slot_00.lock");
        assert!(matches!(
            lock_exclusive(&missing, || {}).err(),
            Some(LockError::System { syscall: "open", .. })
        ));
        let directory = path.parent().unwrap();
        assert!(lock_exclusive(directory, || {}).is_err());
    }

    #[test]
    fn a_panic_is_an_outcome_that_somebody_is_told_of() {
        let (ended, has_ended) = channel();
        let broken = |waiter: &Waiter| match waiter
            .handshake
            .wait((), |()| -> Attempt<LockError> { panic!("broken") })
        {
            Some(Ok(())) => Outcome::Free,
            _ => Outcome::CalledOff,
        };
        let wait = start_with(Interruption::new().unwrap(), broken, move || ended.send(()).unwrap()).unwrap();
        has_ended.recv_timeout(HANGS).unwrap();
        assert!(matches!(wait.end(), Outcome::Panicked(said) if said == "broken"));
    }
}
