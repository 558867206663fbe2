//! System V slots with real processes and real SIGKILLs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use common::{Other, argument, eventually, say, told, within};
use procref_locks::sysv::{MAX_SLOTS, SemaphoreSet, SetError};

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
