//! The word of one slot: how it is taken, released and waited for, without the system calls in between, so that loom can try every order
//! of the steps of takers, sleepers and the dying.
//!
//! Whoever goes to sleep marks the word first (`FUTEX_WAITERS`), and the kernel lets it sleep only while the word is what it marked: so a
//! release that the sleeper did not see sees the mark. A taker leaves the mark, since it cannot know whether anybody still sleeps; a release
//! takes it away and wakes all, who mark it again if they were too late.
//!
//! The kernel wakes only ONE sleeper of a word whose owner died; that one wakes the others.

use std::io;

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, Ordering};

const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
pub const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
const FUTEX_WAITERS: u32 = 0x8000_0000;

/// What of futex(2) is needed.
pub trait Futex {
    /// Sleeps while the word is `expected`; may end at any time, and does after a while.
    fn wait(&self, word: &AtomicU32, expected: u32) -> io::Result<()>;
    fn wake_all(&self, word: &AtomicU32);
}

pub fn is_held(word: u32) -> bool {
    owner(word) != 0
}

/// 0: nobody.
pub fn owner(word: u32) -> u32 {
    word & FUTEX_TID_MASK
}

/// Takes the word for the thread if it is free; did its last owner die?
pub fn take(word: &AtomicU32, thread: u32) -> Option<bool> {
    let mut seen = word.load(Ordering::Relaxed);
    while !is_held(seen) {
        // Sleepers stay known; OWNER_DIED goes (pthread_mutex_consistent): nothing behind the mutex could be inconsistent.
        let ours = thread | (seen & FUTEX_WAITERS);
        match word.compare_exchange_weak(seen, ours, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return Some(seen & FUTEX_OWNER_DIED != 0),
            Err(now) => seen = now,
        }
    }
    None
}

/// For the owner.
pub fn release(word: &AtomicU32, futex: &impl Futex) {
    if word.swap(0, Ordering::AcqRel) & FUTEX_WAITERS != 0 {
        futex.wake_all(word);
    }
}

/// Looks, and sleeps if the slot is held. True: it was seen free. False: not yet; look again.
///
/// `look`: what the word is after the sleep. (It need not be mapped any more by then.)
pub fn sleep_while_held(
    word: &AtomicU32,
    futex: &impl Futex,
    look: impl FnOnce() -> io::Result<u32>,
) -> io::Result<bool> {
    let seen = word.load(Ordering::Acquire);
    if !is_held(seen) {
        return Ok(true);
    }
    let marked = seen | FUTEX_WAITERS;
    if marked != seen
        && word
            .compare_exchange(seen, marked, Ordering::AcqRel, Ordering::Relaxed)
            .is_err()
    {
        return Ok(false);
    }
    let slept = futex.wait(word, marked);
    let free = !is_held(look()?);
    if free {
        futex.wake_all(word);
    }
    slept.map(|()| free)
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread::{self, JoinHandle};

    use super::*;

    const OWNER: u32 = 7;
    const TAKER: u32 = 8;

    /// A held word, and the kernel's queue of those who sleep on it. Nobody wakes without being woken: there is no time in here.
    struct Model {
        word: AtomicU32,
        queue: Mutex<Queue>,
        woken: Condvar,
    }

    #[derive(Default)]
    struct Queue {
        /// Who could still wake a sleeper.
        awake: usize,
        sleeping: usize,
        wake_ups: usize,
        /// Nobody is awake, and somebody sleeps. Then all are let go: loom cannot clean up after a deadlock.
        slept_for_ever: bool,
    }

    impl Futex for Model {
        fn wait(&self, word: &AtomicU32, expected: u32) -> io::Result<()> {
            // The look at the word and the way into the queue are one step.
            let mut queue = self.queue.lock().unwrap();
            if word.load(Ordering::SeqCst) != expected {
                return Ok(());
            }
            queue.sleeping += 1;
            self.is_awake_no_more(&mut queue);
            while queue.wake_ups == 0 && !queue.slept_for_ever {
                queue = self.woken.wait(queue).unwrap();
            }
            if !queue.slept_for_ever {
                queue.wake_ups -= 1;
                queue.sleeping -= 1;
            }
            Ok(())
        }

        fn wake_all(&self, _: &AtomicU32) {
            self.wake(usize::MAX);
        }
    }

    impl Model {
        /// With so many threads besides the test's own.
        fn held(threads: usize) -> Arc<Self> {
            Arc::new(Self {
                word: AtomicU32::new(OWNER),
                queue: Mutex::new(Queue {
                    awake: threads + 1,
                    ..Queue::default()
                }),
                woken: Condvar::new(),
            })
        }

        fn is_awake_no_more(&self, queue: &mut Queue) {
            queue.awake -= 1;
            if queue.awake == 0 && queue.sleeping > 0 {
                queue.slept_for_ever = true;
                self.woken.notify_all();
            }
        }

        fn wake(&self, at_most: usize) {
            let mut queue = self.queue.lock().unwrap();
            let woken = at_most.min(queue.sleeping - queue.wake_ups);
            queue.wake_ups += woken;
            queue.awake += woken;
            self.woken.notify_all();
        }

        /// What the kernel does for a thread that died with the word in its list (handle_futex_death).
        fn owner_dies(&self) {
            let mut seen = self.word.load(Ordering::SeqCst);
            while let Err(now) = self.word.compare_exchange(
                seen,
                (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
                Ordering::SeqCst,
                Ordering::SeqCst,
            ) {
                seen = now;
            }
            if seen & FUTEX_WAITERS != 0 {
                self.wake(1);
            }
        }

        fn slept_for_ever(&self) -> bool {
            self.queue.lock().unwrap().slept_for_ever
        }

        fn sleep_until_free(&self) {
            while !self.slept_for_ever()
                && !sleep_while_held(&self.word, self, || Ok(self.word.load(Ordering::Acquire))).unwrap()
            {}
        }

        /// A waiting claim: woken, it takes the slot, or waits on. Did the last owner die?
        fn claim(&self, thread: u32) -> bool {
            while !self.slept_for_ever() {
                self.sleep_until_free();
                if let Some(owner_died) = take(&self.word, thread) {
                    return owner_died;
                }
            }
            false
        }

        fn spawn<T: 'static>(model: &Arc<Self>, run: impl FnOnce(&Self) -> T + 'static) -> JoinHandle<T> {
            let model = model.clone();
            thread::spawn(move || {
                let answer = run(&model);
                model.is_awake_no_more(&mut model.queue.lock().unwrap());
                answer
            })
        }

        fn join<T>(&self, threads: Vec<JoinHandle<T>>) -> Vec<T> {
            self.is_awake_no_more(&mut self.queue.lock().unwrap());
            let answers = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert!(!self.slept_for_ever(), "slept for ever");
            answers
        }
    }

    /// A thread of the test does `act` while two sleep, or are about to.
    fn while_two_sleep(act: impl Fn(&Model) + Send + Sync + 'static) {
        model(move || {
            let model = Model::held(2);
            let sleepers = (0..2).map(|_| Model::spawn(&model, Model::sleep_until_free)).collect();
            act(&model);
            model.join(sleepers);
        });
    }

    fn model(check: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(check);
    }

    #[test]
    fn loom_a_slot_released_between_the_look_and_the_sleep_wakes_all_sleepers() {
        while_two_sleep(|model| release(&model.word, model));
    }

    #[test]
    fn loom_an_owner_that_dies_wakes_all_sleepers_though_the_kernel_wakes_one() {
        while_two_sleep(Model::owner_dies);
    }

    #[test]
    fn loom_a_slot_that_was_taken_before_its_sleepers_looked_wakes_them_when_it_is_free_again() {
        while_two_sleep(|model| {
            model.owner_dies();
            take(&model.word, TAKER);
            release(&model.word, model);
        });
    }

    #[test]
    #[should_panic(expected = "slept for ever")]
    fn loom_a_taker_that_forgets_the_sleepers_lets_them_sleep_for_ever() {
        while_two_sleep(|model| {
            model.owner_dies();
            model.word.store(TAKER, Ordering::SeqCst);
            release(&model.word, model);
        });
    }

    #[test]
    #[should_panic(expected = "slept for ever")]
    fn loom_a_sleeper_that_does_not_wake_the_others_lets_them_sleep_for_ever() {
        model(|| {
            let model = Model::held(2);
            let sleepers = (0..2)
                .map(|_| {
                    Model::spawn(&model, |model| {
                        let marked = OWNER | FUTEX_WAITERS;
                        model.word.fetch_or(FUTEX_WAITERS, Ordering::SeqCst);
                        model.wait(&model.word, marked).unwrap();
                    })
                })
                .collect();
            model.owner_dies();
            model.join(sleepers);
        });
    }

    #[test]
    fn loom_waiting_claims_get_the_slot_one_after_the_other_and_one_learns_of_the_death() {
        model(|| {
            let model = Model::held(2);
            let claims = (0..2)
                .map(|n| {
                    Model::spawn(&model, move |model| {
                        let owner_died = model.claim(TAKER + n);
                        assert_eq!(owner(model.word.load(Ordering::SeqCst)), TAKER + n, "two owners");
                        release(&model.word, model);
                        owner_died
                    })
                })
                .collect();
            model.owner_dies();
            let deaths = model.join(claims);
            assert_eq!(deaths.into_iter().filter(|died| *died).count(), 1);
        });
    }
}
