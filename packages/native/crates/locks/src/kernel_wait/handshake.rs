//! What a waiting thread and the one that calls it off have to agree on, without the system calls in between, so that loom can
//! try every order of their steps.
//!
//! A blocking call can be interrupted only while a thread is inside it, and no system call says "block, unless I was called off
//! meanwhile". So the caller sets a flag and interrupts AGAIN and again, until the thread says that it is past its last blocking
//! call. WRONG: flag, then one interruption; it may arrive after the thread looked at the flag and before it blocks.

#[cfg(loom)]
use loom::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering},
};
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering},
};

/// The thread blocks, or is about to.
const WAITING: u8 = 0;
/// As `WAITING`, but nobody wants what it waits for: it is being interrupted.
const CALLED_OFF: u8 = 1;
/// The thread blocks no more, and holds nothing that it does not hand out.
const OVER: u8 = 2;

pub struct Handshake(AtomicU8);

/// How one blocking call ended.
pub enum Attempt<E> {
    Granted,
    Interrupted,
    Failed(E),
}

impl Handshake {
    pub fn new() -> Self {
        Self(AtomicU8::new(WAITING))
    }

    /// For the caller. True, once: the thread has to be interrupted until `is_over()`. False: it is over, or was called off before.
    pub fn call_off(&self) -> bool {
        self.settle_as(CALLED_OFF)
    }

    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == OVER
    }

    /// For the thread: calls `block` until it does not end by an interruption, or the wait was called off.
    ///
    /// Guarantee: `None` exactly if `call_off()` came first; then `lock` is dropped, and so whatever was granted is given back,
    /// before `is_over()`. Also when `block` panics.
    pub fn wait<L, E>(&self, lock: L, mut block: impl FnMut(&L) -> Attempt<E>) -> Option<Result<L, E>> {
        // Declared first, so dropped last.
        let _over = Over(self);
        let lock = lock;
        let ended = loop {
            if self.0.load(Ordering::Acquire) == CALLED_OFF {
                return None;
            }
            match block(&lock) {
                Attempt::Granted => break Ok(lock),
                Attempt::Interrupted => {}
                Attempt::Failed(error) => break Err(error),
            }
        };
        // Whoever changes the state first decides whose the lock is: ours to hand out, or nobody's.
        self.settle_as(OVER).then_some(ended)
    }

    fn settle_as(&self, state: u8) -> bool {
        self.0
            .compare_exchange(WAITING, state, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

struct Over<'a>(&'a Handshake);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.0.store(OVER, Ordering::Release);
    }
}

/// Work that is done in rounds by one thread, which exists only while there is some.
pub struct Rounds<T> {
    /// What came since the last round; `None`: nobody makes rounds.
    new: Mutex<Option<Vec<T>>>,
}

impl<T> Rounds<T> {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { new: Mutex::new(None) }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self { new: Mutex::new(None) }
    }

    /// True: the caller has to see to it that somebody calls `run()`.
    pub fn add(&self, work: T) -> bool {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = new.is_none();
        new.get_or_insert_default().push(work);
        nobody
    }

    /// Calls `round`, which takes out what is done, until there is nothing left.
    pub fn run(&self, mut round: impl FnMut(&mut Vec<T>)) {
        let mut work = Vec::new();
        loop {
            {
                let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
                work.append(new.get_or_insert_default());
                if work.is_empty() {
                    // Under the same lock as the look: whatever is added from now on finds nobody.
                    *new = None;
                    return;
                }
            }
            round(&mut work);
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::{Arc, Condvar};
    use loom::thread;

    use super::*;

    /// A lock that somebody else holds at first, and the blocking call that asks for it: it can be interrupted only from when it is
    /// entered until it ends, and a grant and an interruption can come at once.
    struct Kernel {
        state: Mutex<KernelState>,
        changed: Condvar,
    }

    #[derive(Default)]
    struct KernelState {
        held_by_other: bool,
        blocking: bool,
        interrupted: bool,
        held_by_us: bool,
        /// Whoever blocks from now on, or still does, does so for ever.
        no_more_signals: bool,
        slept_for_ever: bool,
    }

    impl Kernel {
        fn new() -> Self {
            let state = KernelState {
                held_by_other: true,
                ..KernelState::default()
            };
            Self {
                state: Mutex::new(state),
                changed: Condvar::new(),
            }
        }

        fn flock(&self) -> Attempt<()> {
            let mut state = self.state.lock().unwrap();
            state.blocking = true;
            state.interrupted = false;
            while state.held_by_other && !state.interrupted {
                if state.no_more_signals {
                    // Not really: loom cannot clean up after a deadlock.
                    state.slept_for_ever = true;
                    return Attempt::Failed(());
                }
                state = self.changed.wait(state).unwrap();
            }
            state.blocking = false;
            if state.held_by_other {
                return Attempt::Interrupted;
            }
            state.held_by_us = true;
            Attempt::Granted
        }

        fn signal(&self) {
            let mut state = self.state.lock().unwrap();
            if state.blocking {
                state.interrupted = true;
                self.changed.notify_all();
            }
        }

        fn send_no_more_signals(&self) {
            self.state.lock().unwrap().no_more_signals = true;
            self.changed.notify_all();
        }

        fn other_releases(&self) {
            self.state.lock().unwrap().held_by_other = false;
            self.changed.notify_all();
        }

        fn is_ours(&self) -> bool {
            self.state.lock().unwrap().held_by_us
        }
    }

    /// Our descriptor of it.
    struct Lock(Arc<Kernel>);

    impl Drop for Lock {
        fn drop(&mut self) {
            self.0.state.lock().unwrap().held_by_us = false;
        }
    }

    fn model(check: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        // One suffices for every fault that is planted below.
        builder.preemption_bound = Some(3);
        builder.check(check);
    }

    fn start(kernel: &Arc<Kernel>, handshake: &Arc<Handshake>) -> thread::JoinHandle<Option<Lock>> {
        let (kernel, handshake) = (kernel.clone(), handshake.clone());
        thread::spawn(move || {
            let lock = Lock(kernel);
            handshake.wait(lock, |lock| lock.0.flock()).and_then(Result::ok)
        })
    }

    fn interrupt(kernel: &Kernel, handshake: &Handshake) {
        while !handshake.is_over() {
            kernel.signal();
            thread::yield_now();
        }
    }

    #[test]
    fn loom_a_wait_that_is_called_off_ends_wherever_it_was() {
        model(|| {
            let (kernel, handshake) = (Arc::new(Kernel::new()), Arc::new(Handshake::new()));
            let waiting = start(&kernel, &handshake);
            assert!(handshake.call_off());
            interrupt(&kernel, &handshake);
            assert!(waiting.join().unwrap().is_none());
        });
    }

    #[test]
    fn loom_a_lock_granted_while_it_is_called_off_is_delivered_or_given_back_and_never_both() {
        model(|| {
            let (kernel, handshake) = (Arc::new(Kernel::new()), Arc::new(Handshake::new()));
            let waiting = start(&kernel, &handshake);
            let releases = {
                let kernel = kernel.clone();
                thread::spawn(move || kernel.other_releases())
            };
            let called_off = handshake.call_off();
            if called_off {
                interrupt(&kernel, &handshake);
                assert!(!kernel.is_ours(), "it is over, and the lock was not given back");
            }
            let delivered = waiting.join().unwrap();
            assert_eq!(delivered.is_none(), called_off);
            assert_eq!(kernel.is_ours(), delivered.is_some());
            releases.join().unwrap();
        });
    }

    #[test]
    #[should_panic(expected = "slept for ever")]
    fn loom_one_interruption_is_not_enough() {
        model(|| {
            let (kernel, handshake) = (Arc::new(Kernel::new()), Arc::new(Handshake::new()));
            let waiting = start(&kernel, &handshake);
            assert!(handshake.call_off());
            kernel.signal();
            kernel.send_no_more_signals();
            waiting.join().unwrap();
            assert!(!kernel.state.lock().unwrap().slept_for_ever, "slept for ever");
        });
    }

    #[test]
    #[should_panic(expected = "called off, and delivered")]
    fn loom_a_thread_that_only_looks_at_the_flag_delivers_what_was_called_off() {
        model(|| {
            let handshake = Arc::new(Handshake::new());
            let waiting = {
                let handshake = handshake.clone();
                thread::spawn(move || {
                    let wanted = handshake.0.load(Ordering::Acquire) == WAITING;
                    handshake.0.store(OVER, Ordering::Release);
                    wanted
                })
            };
            let called_off = handshake.call_off();
            let delivered = waiting.join().unwrap();
            assert!(!(called_off && delivered), "called off, and delivered");
        });
    }

    #[test]
    fn loom_work_that_comes_when_the_rounds_end_is_done() {
        model(|| {
            let rounds = Arc::new(Rounds::new());
            let adders: Vec<_> = (0..2)
                .map(|_| {
                    let rounds = rounds.clone();
                    thread::spawn(move || {
                        let mut done = 0;
                        if rounds.add(()) {
                            rounds.run(|work| done += work.drain(..).count());
                        }
                        done
                    })
                })
                .collect();
            let done: usize = adders.into_iter().map(|adder| adder.join().unwrap()).sum();
            assert_eq!(done, 2);
        });
    }
}
