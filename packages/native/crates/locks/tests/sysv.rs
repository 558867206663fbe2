//! System V slots with real processes and real SIGKILLs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use common::{HANGS, Other, argument, eventually, say, told, within};
use procref_locks::file_lock::LockError;
use procref_locks::kernel_wait::{Outcome, Wait};
use procref_locks::sysv::{MAX_SLOTS, OpenSet, SemaphoreSet, SetError, wait};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A set that is removed with the test.
struct Made {
    set: Arc<SemaphoreSet>,
    magic: u64,
}

impl Made {
    fn new(slots: usize) -> Self {
        let magic = (u64::from(std::process::id()) << 20) + NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            set: Arc::new(SemaphoreSet::create(slots, magic).unwrap()),
            magic,
        }
    }

    fn holder(&self) -> Other {
        self.start("holder")
    }

    fn start(&self, program: &str) -> Other {
        Other::start(
            program,
            &format!("{} {} {}", self.set.id(), self.set.slots(), self.magic),
        )
    }

    fn values(&self) -> Vec<u16> {
        let mut values = vec![0u16; 65_536];
        // SAFETY: GETALL writes one short per semaphore, and no set here has more.
        let result = unsafe { libc::semctl(self.set.id(), 0, libc::GETALL, values.as_mut_ptr()) };
        assert_ne!(result, -1);
        values.truncate(self.set.slots() + 2);
        values
    }

    /// The two equations of the module's comment, with no permit out.
    fn assert_consistent(&self) {
        let values = self.values();
        let slots = self.set.slots();
        let free = values[..slots].iter().filter(|value| **value == 1).count();
        assert_eq!(usize::from(values[slots]), free, "free");
        assert_eq!(usize::from(values[slots + 1]), slots - free, "in use");
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = self.set.remove();
    }
}

fn opened() -> Option<SemaphoreSet> {
    let argument = argument()?;
    let mut parts = argument.split(' ');
    let id = parts.next()?.parse().ok()?;
    let slots = parts.next()?.parse().ok()?;
    let magic = parts.next()?.parse().ok()?;
    Some(SemaphoreSet::open(id, slots, magic).unwrap())
}

#[test]
#[ignore = "a child of other tests"]
fn holder() {
    let Some(set) = opened() else { return };
    say(format!("{:?}", set.try_take().unwrap()));
    while let Some(word) = told() {
        match word.as_str() {
            "take" => say(format!("{:?}", set.try_take().unwrap())),
            "wait" => say(format!("{:?}", set.take_when_free().unwrap())),
            slot => say(set.release(slot.parse().unwrap())),
        }
    }
}

#[test]
#[ignore = "a child of other tests"]
fn churner() {
    let Some(set) = opened() else { return };
    say("churns");
    for round in 0usize.. {
        let taken = match round % 3 {
            0 => set.take_likely().unwrap(),
            1 => set.try_take().unwrap(),
            _ => set.take_when_free().unwrap(),
        };
        if let Some(slot) = taken {
            assert!(set.release(slot));
        }
    }
}

#[test]
#[ignore = "a child of other tests"]
fn execs() {
    use std::os::unix::process::CommandExt;
    let Some(set) = opened() else { return };
    say(format!("{:?}", set.try_take().unwrap()));
    let _ = std::process::Command::new("cat").exec();
}

#[test]
fn every_slot_can_be_taken_once() {
    let made = Made::new(5);
    let mut taken: Vec<_> = (0..5).map(|_| made.set.try_take().unwrap().unwrap()).collect();
    assert_eq!(made.set.try_take().unwrap(), None);
    assert_eq!(made.set.take_likely().unwrap(), None);
    taken.sort_unstable();
    assert_eq!(taken, [0, 1, 2, 3, 4]);
    assert_eq!(made.set.held().unwrap(), taken);
    assert!(made.set.release(3));
    made.assert_consistent();
    assert_eq!(made.set.try_take().unwrap(), Some(3));
    for slot in taken {
        assert!(made.set.release(slot));
    }
    made.assert_consistent();
    assert_eq!(made.set.held().unwrap(), []);
}

#[test]
fn a_killed_holder_gives_back_exactly_what_it_held() {
    let made = Made::new(3);
    let ours = made.set.try_take().unwrap().unwrap();
    let mut other = made.holder();
    assert!(other.line().starts_with("Some"));
    other.tell("take");
    assert!(other.line().starts_with("Some"));
    assert_eq!(made.set.try_take().unwrap(), None);
    let theirs = made.set.held().unwrap().into_iter().find(|slot| *slot != ours).unwrap();
    assert_eq!(made.set.last_pid(theirs).unwrap(), other.pid());
    other.kill();
    assert_eq!(made.set.held().unwrap(), [ours]);
    made.assert_consistent();
    assert_eq!(
        made.set.last_pid(ours).unwrap(),
        i32::try_from(std::process::id()).unwrap()
    );
}

#[test]
fn a_waiter_gets_the_slot_of_a_killed_holder() {
    let made = Made::new(1);
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    let set = Arc::clone(&made.set);
    let waiter = thread::spawn(move || set.take_when_free().unwrap());
    eventually("somebody waits", || (waiting(&made, 1) == 1).then_some(()));
    other.kill();
    assert_eq!(within("the waiter", move || waiter.join().unwrap()), Some(0));
    made.assert_consistent();
}

#[test]
fn a_killed_waiter_leaves_nothing_behind() {
    let made = Made::new(1);
    assert_eq!(made.set.try_take().unwrap(), Some(0));
    let mut other = made.holder();
    assert_eq!(other.line(), "None");
    other.tell("wait");
    eventually("it waits", || (waiting(&made, 1) == 1).then_some(()));
    other.kill();
    assert!(made.set.release(0));
    made.assert_consistent();
    assert_eq!(made.set.try_take().unwrap(), Some(0));
}

#[test]
fn the_kernel_tells_when_the_last_slot_is_free() {
    let made = Made::new(4);
    let ours = made.set.try_take().unwrap().unwrap();
    let mut other = made.holder();
    other.line();
    let set = Arc::clone(&made.set);
    let watcher = thread::spawn(move || set.wait_unused().unwrap());
    assert!(made.set.release(ours));
    assert!(!watcher.is_finished());
    other.kill();
    assert!(within("the watcher", move || watcher.join().unwrap()));
}

#[test]
fn processes_killed_in_the_middle_of_claims_leave_the_numbers_right() {
    let made = Made::new(3);
    for _ in 0..40 {
        let mut others = [made.start("churner"), made.start("churner")];
        for other in &mut others {
            other.line();
        }
        let [first, second] = others;
        first.kill();
        second.kill();
        made.assert_consistent();
        assert_eq!(made.set.held().unwrap(), []);
    }
}

#[test]
fn threads_never_have_one_slot_twice() {
    let made = Made::new(3);
    let owners: Arc<[AtomicU64]> = (0..3).map(|_| AtomicU64::new(0)).collect();
    let threads: Vec<_> = (0..6)
        .map(|number| {
            let (set, owners) = (Arc::clone(&made.set), Arc::clone(&owners));
            thread::spawn(move || {
                for round in 0..3_000 {
                    let taken = if (round + number) % 2 == 0 {
                        set.try_take()
                    } else {
                        set.take_when_free()
                    };
                    let Some(slot) = taken.unwrap() else { continue };
                    assert_eq!(owners[slot].swap(1, Ordering::SeqCst), 0, "slot {slot} has two owners");
                    owners[slot].store(0, Ordering::SeqCst);
                    assert!(set.release(slot));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    made.assert_consistent();
}

#[test]
fn a_thread_that_ends_gives_nothing_back() {
    let made = Made::new(1);
    let set = Arc::clone(&made.set);
    assert_eq!(thread::spawn(move || set.try_take().unwrap()).join().unwrap(), Some(0));
    assert_eq!(made.set.try_take().unwrap(), None);
    assert!(made.set.release(0));
    made.assert_consistent();
}

#[test]
fn a_program_that_the_holder_becomes_keeps_the_slot() {
    let made = Made::new(1);
    let mut other = made.start("execs");
    assert_eq!(other.line(), "Some(0)");
    let comm = format!("/proc/{}/comm", other.pid());
    eventually("it is another program", || {
        (std::fs::read_to_string(&comm).unwrap().trim() == "cat").then_some(())
    });
    assert_eq!(made.set.try_take().unwrap(), None);
    other.kill();
    assert_eq!(made.set.try_take().unwrap(), Some(0));
}

#[test]
fn a_removed_set_is_gone_for_everybody() {
    let made = Made::new(2);
    let slot = made.set.try_take().unwrap().unwrap();
    made.set.remove().unwrap();
    assert!(matches!(made.set.is_held(slot), Err(SetError::Gone)));
    assert!(matches!(made.set.try_take(), Err(SetError::Gone)));
    assert!(matches!(made.set.take_likely(), Err(SetError::Gone)));
    assert!(matches!(made.set.take_when_free(), Err(SetError::Gone)));
    assert!(matches!(made.set.wait_unused(), Err(SetError::Gone)));
    assert!(matches!(made.set.held(), Err(SetError::Gone)));
    assert!(!made.set.release(slot));
    assert!(matches!(
        SemaphoreSet::open(made.set.id(), 2, made.magic),
        Err(SetError::Gone)
    ));
}

#[test]
fn removing_the_set_wakes_who_waits() {
    let made = Made::new(1);
    assert_eq!(made.set.try_take().unwrap(), Some(0));
    let set = Arc::clone(&made.set);
    let waiter = thread::spawn(move || matches!(set.take_when_free(), Err(SetError::Gone)));
    eventually("somebody waits", || (waiting(&made, 1) == 1).then_some(()));
    made.set.remove().unwrap();
    assert!(within("the waiter", move || waiter.join().unwrap()));
}

#[test]
fn another_set_behind_the_id_is_not_touched() {
    let made = Made::new(2);
    // The same id with other numbers in it is what an id used anew looks like.
    assert!(matches!(
        SemaphoreSet::open(made.set.id(), 2, made.magic ^ 1),
        Err(SetError::Gone)
    ));
    assert!(matches!(
        SemaphoreSet::open(made.set.id(), 2, made.magic ^ (1 << 50)),
        Err(SetError::Gone)
    ));
    assert!(matches!(
        SemaphoreSet::open(made.set.id(), 3, made.magic),
        Err(SetError::Gone)
    ));
    let before = made.values();
    // SAFETY: SETVAL takes an integer as fourth argument.
    let result = unsafe { libc::semctl(made.set.id(), 4, libc::SETVAL, 1 << 14) };
    assert_eq!(result, 0);
    assert!(matches!(made.set.try_take(), Err(SetError::Gone)));
    assert!(matches!(made.set.take_likely(), Err(SetError::Gone)));
    assert!(!made.set.release(0));
    assert_eq!(made.values(), before);
}

#[test]
fn values_that_nobody_could_have_left_are_reported() {
    let made = Made::new(2);
    // SAFETY: SETVAL takes an integer as fourth argument.
    let result = unsafe { libc::semctl(made.set.id(), 1, libc::SETVAL, 7) };
    assert_eq!(result, 0);
    assert!(matches!(made.set.held(), Err(SetError::Damaged(_))));
    assert!(matches!(
        SemaphoreSet::open(made.set.id(), 2, made.magic),
        Err(SetError::Damaged(_))
    ));
}

#[test]
fn the_greatest_set_works_and_a_greater_one_is_refused() {
    let limit = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    let limit: usize = limit.split_whitespace().next().unwrap().parse().unwrap();
    let made = Made::new(MAX_SLOTS.min(limit - 6));
    for _ in 0..50 {
        assert!(made.set.take_likely().unwrap().is_some());
    }
    made.assert_consistent();
    assert_eq!(
        SemaphoreSet::create(MAX_SLOTS + 1, 1).unwrap_err().raw_os_error(),
        Some(libc::EINVAL)
    );
    assert_eq!(
        SemaphoreSet::create(0, 1).unwrap_err().raw_os_error(),
        Some(libc::EINVAL)
    );
}

/// The end of one would remove the set. In reach, so that no leak checker takes it for lost.
fn never_ends(open: Arc<OpenSet>) {
    static KEPT: Mutex<Vec<Arc<OpenSet>>> = Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(open);
}

/// A wait, through a set of its own, so that the test's own one is not shared with it.
fn waiting_to_take(made: &Made) -> (Arc<OpenSet>, Wait, mpsc::Receiver<()>) {
    let open = SemaphoreSet::open(made.set.id(), made.set.slots(), made.magic).unwrap();
    let open = Arc::new(OpenSet::new(open));
    let (ended, has_ended) = mpsc::channel();
    let wait = wait::take_when_free(&open, move || ended.send(()).unwrap()).unwrap();
    (open, wait, has_ended)
}

#[test]
fn the_slot_that_a_wait_took_belongs_to_the_process_and_not_to_the_thread_that_waited() {
    let made = Made::new(1);
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    let (open, wait, has_ended) = waiting_to_take(&made);
    other.kill();
    has_ended.recv_timeout(HANGS).unwrap();
    // Which joins the thread.
    let Outcome::Taken(taken) = wait.end() else {
        panic!("nothing was taken")
    };
    assert_eq!(taken.keep(), Some(0));
    assert_eq!(made.set.held().unwrap(), [0], "the thread's end gave the slot back");
    assert!(open.release(0));
    assert!(!open.release(0), "released twice");
    made.assert_consistent();
}

#[test]
fn a_killed_process_gives_back_what_a_thread_of_it_waited_for() {
    let made = Made::new(1);
    let ours = made.set.try_take().unwrap().unwrap();
    let mut other = made.start("waiter");
    assert_eq!(other.line(), "waits");
    eventually("it waits", || (waiting(&made, 1) == 1).then_some(()));
    assert!(made.set.release(ours));
    assert_eq!(other.line(), "Some(0), and the thread has ended");
    assert_eq!(made.set.held().unwrap(), [0]);
    other.kill();
    made.assert_consistent();
    assert_eq!(made.set.held().unwrap(), []);
}

#[test]
#[ignore = "a child of other tests"]
fn waiter() {
    let Some(set) = opened() else { return };
    let open = Arc::new(OpenSet::new(set));
    let (ended, has_ended) = mpsc::channel();
    let wait = wait::take_when_free(&open, move || ended.send(()).unwrap()).unwrap();
    say("waits");
    has_ended.recv_timeout(HANGS).unwrap();
    let Outcome::Taken(taken) = wait.end() else {
        panic!("nothing was taken")
    };
    say(format!("{:?}, and the thread has ended", taken.keep()));
    told();
}

#[test]
fn what_was_taken_and_is_not_kept_or_comes_after_the_end_is_given_back() {
    let made = Made::new(1);
    for closed in [false, true] {
        let ours = made.set.try_take().unwrap().unwrap();
        let (open, wait, has_ended) = waiting_to_take(&made);
        assert!(made.set.release(ours));
        has_ended.recv_timeout(HANGS).unwrap();
        let Outcome::Taken(taken) = wait.end() else {
            panic!("nothing was taken")
        };
        assert_eq!(made.set.held().unwrap(), [0]);
        if closed {
            open.close();
            assert_eq!(taken.keep(), None);
        } else {
            drop(taken);
        }
        made.assert_consistent();
        assert_eq!(made.set.held().unwrap(), []);
        never_ends(open);
    }
}

#[test]
fn a_wait_that_is_called_off_while_the_slot_is_freed_has_it_or_gives_it_back() {
    let made = Made::new(1);
    for round in 0..300 {
        let ours = made.set.try_take().unwrap().unwrap();
        let (open, wait, has_ended) = waiting_to_take(&made);
        if round % 2 == 0 {
            eventually("it waits", || (waiting(&made, 1) == 1).then_some(()));
        }
        let set = Arc::clone(&made.set);
        let releases = thread::spawn(move || assert!(set.release(ours)));
        wait.call_off();
        has_ended.recv_timeout(HANGS).unwrap();
        releases.join().unwrap();
        match wait.end() {
            Outcome::Taken(taken) => assert_eq!(made.set.held().unwrap(), [taken.keep().unwrap() as usize]),
            outcome => assert!(matches!(outcome, Outcome::CalledOff), "{outcome:?}"),
        }
        open.close();
        made.assert_consistent();
        assert_eq!(made.set.held().unwrap(), []);
        never_ends(open);
    }
}

#[test]
fn slots_are_handed_over_in_the_order_in_which_they_were_waited_for() {
    let made = Made::new(1);
    let ours = made.set.try_take().unwrap().unwrap();
    let (order, had) = mpsc::channel();
    let opened = SemaphoreSet::open(made.set.id(), 1, made.magic).unwrap();
    let open = Arc::new(OpenSet::new(opened));
    let waits: Vec<_> = (0..5)
        .map(|number| {
            let order = order.clone();
            let wait = wait::take_when_free(&open, move || order.send(number).unwrap()).unwrap();
            eventually("it waits", || (waiting(&made, 1) == number + 1).then_some(()));
            wait
        })
        .collect();
    assert!(made.set.release(ours));
    for (number, wait) in (0..5).zip(waits) {
        assert_eq!(had.recv_timeout(HANGS).unwrap(), number);
        // Dropped, it is the next one's.
        assert!(matches!(wait.end(), Outcome::Taken(_)));
    }
}

#[test]
fn a_set_that_was_closed_is_removed_when_its_last_wait_ends() {
    let made = Made::new(1);
    let ours = made.set.try_take().unwrap().unwrap();
    let (open, wait, has_ended) = waiting_to_take(&made);
    eventually("it waits", || (waiting(&made, 1) == 1).then_some(()));
    drop(open);
    assert!(made.set.release(ours));
    has_ended.recv_timeout(HANGS).unwrap();
    assert!(made.set.is_held(0).unwrap(), "the wait took nothing");
    drop(wait.end());
    assert!(matches!(made.set.held(), Err(SetError::Gone)));
}

#[test]
fn who_waits_for_all_slots_is_told_when_the_set_is_removed_and_when_it_is_damaged() {
    let outcome = |made: &Made, end: &dyn Fn(&Made)| {
        made.set.try_take().unwrap().unwrap();
        let open = Arc::new(OpenSet::new(SemaphoreSet::open(made.set.id(), 2, made.magic).unwrap()));
        let (ended, has_ended) = mpsc::channel();
        let wait = wait::until_unused(&open, move || ended.send(()).unwrap()).unwrap();
        end(made);
        has_ended.recv_timeout(HANGS).unwrap();
        wait.end()
    };
    assert!(matches!(
        outcome(&Made::new(2), &|made| made.set.remove().unwrap()),
        Outcome::Free
    ));
    let damaged = outcome(&Made::new(2), &|made| {
        // The count of slots in use.
        // SAFETY: SETVAL takes an integer as fourth argument.
        assert_ne!(unsafe { libc::semctl(made.set.id(), 3, libc::SETVAL, 0) }, -1);
    });
    match damaged {
        Outcome::Failed(LockError::System { error, .. }) => assert_eq!(error.raw_os_error(), Some(libc::ERANGE)),
        outcome => panic!("{outcome:?}"),
    }
}

/// How many wait for the semaphore to grow.
fn waiting(made: &Made, semaphore: i32) -> i32 {
    // SAFETY: GETNCNT takes no fourth argument.
    unsafe { libc::semctl(made.set.id(), semaphore, libc::GETNCNT) }
}

#[test]
fn a_set_is_removed_only_while_nobody_holds_anything_in_it() {
    let made = Made::new(2);
    let mut other = made.holder();
    other.line();
    assert!(!made.set.remove_if_unused().unwrap());
    made.assert_consistent();
    other.kill();
    assert!(made.set.remove_if_unused().unwrap());
    assert!(matches!(made.set.try_take(), Err(SetError::Gone)));
    assert!(matches!(made.set.remove_if_unused(), Err(SetError::Gone)));
}

#[test]
fn a_slot_that_was_claimed_while_others_try_to_remove_the_set_is_never_lost() {
    for _ in 0..300 {
        let made = Made::new(3);
        let removers: Vec<_> = (0..2)
            .map(|_| {
                let set = Arc::clone(&made.set);
                thread::spawn(move || (0..50).any(|_| !matches!(set.remove_if_unused(), Ok(false))))
            })
            .collect();
        match made.set.try_take() {
            Ok(Some(slot)) => {
                for remover in removers {
                    assert!(!remover.join().unwrap(), "the set was removed under a holder");
                }
                assert!(made.set.is_held(slot).unwrap());
                made.assert_consistent();
            }
            Err(SetError::Gone) => removers.into_iter().for_each(|remover| drop(remover.join())),
            other => panic!("an unused set was in use: {other:?}"),
        }
    }
}
