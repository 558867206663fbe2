//! Robust mutexes in a file with real processes and real SIGKILLs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use common::{HANGS, Other, argument, say, told};
use procref_locks::file_lock::LockError;
use procref_locks::kernel_wait::{Outcome, Wait};
use procref_locks::robust_mutex::{
    FileError, MAX_SLOTS, RECORD_BYTES, RobustMutexes, Taken, create, until_free, until_unused,
};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A file of mutexes in a directory that goes with the test.
struct Made {
    dir: PathBuf,
    path: PathBuf,
}

impl Made {
    fn new(slots: usize) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("procref-robust-{}-{number}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("robust.mutexes");
        create(&path, slots).unwrap();
        Self { dir, path }
    }

    fn open(&self) -> RobustMutexes {
        RobustMutexes::open(&self.path).unwrap()
    }

    fn holder(&self) -> Other {
        self.start("holder")
    }

    fn start(&self, program: &str) -> Other {
        Other::start(program, self.path.to_str().unwrap())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn slot_of(taken: Option<Taken>) -> Option<usize> {
    taken.map(|taken| taken.slot)
}

#[test]
#[ignore = "a child of other tests"]
fn holder() {
    let Some(path) = argument() else { return };
    let mutexes = RobustMutexes::open(Path::new(&path)).unwrap();
    say(format!("{:?}", slot_of(mutexes.try_take(0).unwrap())));
    while let Some(word) = told() {
        match word.as_str() {
            "take" => say(format!("{:?}", slot_of(mutexes.try_take(0).unwrap()))),
            "all" => {
                while mutexes.try_take(0).unwrap().is_some() {}
                say("all");
            }
            slot => say(mutexes.release(slot.parse().unwrap())),
        }
    }
}

#[test]
#[ignore = "a child of other tests"]
fn churner() {
    let Some(path) = argument() else { return };
    let mutexes = RobustMutexes::open(Path::new(&path)).unwrap();
    say("churns");
    for round in 0.. {
        if let Some(Taken { slot, .. }) = mutexes.try_take(round).unwrap() {
            assert!(mutexes.release(slot));
        }
    }
}

#[test]
#[ignore = "a child of other tests"]
fn execs() {
    use std::os::unix::process::CommandExt;
    let Some(path) = argument() else { return };
    let mutexes = RobustMutexes::open(Path::new(&path)).unwrap();
    say(format!("{:?}", slot_of(mutexes.try_take(0).unwrap())));
    told();
    let _ = std::process::Command::new("cat").exec();
}

#[test]
fn every_slot_can_be_taken_once_by_every_opener() {
    let made = Made::new(3);
    let (first, second) = (made.open(), made.open());
    assert_eq!(slot_of(first.try_take(1).unwrap()), Some(1));
    assert_eq!(slot_of(second.try_take(1).unwrap()), Some(2));
    assert!(first.holds(1).unwrap() && !second.holds(1).unwrap());
    assert_eq!(slot_of(second.try_take(1).unwrap()), Some(0));
    assert_eq!(first.try_take(0).unwrap(), None);
    assert_eq!(first.held().unwrap(), [0, 1, 2]);
    assert!(!first.release(2), "who does not hold a slot released it");
    assert!(second.release(2));
    assert!(!second.release(2));
    assert_eq!(first.held().unwrap(), [0, 1]);
    assert_eq!(
        first.try_take(0).unwrap(),
        Some(Taken {
            slot: 2,
            owner_died: false
        })
    );
}

#[test]
fn closing_releases_everything_in_whatever_order_it_was_taken() {
    let made = Made::new(50);
    let looks = made.open();
    let holds = made.open();
    for _ in 0..50 {
        assert!(holds.try_take(7).unwrap().is_some());
    }
    for slot in [7, 6, 30, 8, 49, 0, 29, 31] {
        assert!(holds.release(slot));
    }
    assert_eq!(looks.held().unwrap().len(), 42);
    for _ in 0..3 {
        assert!(holds.try_take(20).unwrap().is_some());
    }
    drop(holds);
    assert_eq!(looks.held().unwrap(), []);
    assert_eq!(
        looks.try_take(0).unwrap(),
        Some(Taken {
            slot: 0,
            owner_died: false
        })
    );
}

#[test]
fn a_killed_holder_gives_back_exactly_what_it_held_and_the_next_learns_it() {
    let made = Made::new(3);
    let mutexes = made.open();
    assert_eq!(slot_of(mutexes.try_take(1).unwrap()), Some(1));
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    other.tell("take");
    assert_eq!(other.line(), "Some(2)");
    assert_eq!(mutexes.try_take(0).unwrap(), None);
    other.kill();
    assert_eq!(mutexes.held().unwrap(), [1]);
    assert_eq!(
        mutexes.try_take(0).unwrap(),
        Some(Taken {
            slot: 0,
            owner_died: true
        })
    );
    assert!(mutexes.release(0));
    assert_eq!(
        mutexes.try_take(0).unwrap(),
        Some(Taken {
            slot: 0,
            owner_died: false
        })
    );
}

#[test]
fn a_killed_holder_of_as_many_as_there_can_be_gives_all_back() {
    let made = Made::new(MAX_SLOTS);
    let mut other = made.holder();
    other.line();
    other.tell("all");
    assert_eq!(other.line(), "all");
    let mutexes = made.open();
    assert_eq!(mutexes.held().unwrap().len(), MAX_SLOTS);
    assert_eq!(mutexes.try_take(5).unwrap(), None);
    other.kill();
    assert_eq!(mutexes.held().unwrap(), []);
    assert_eq!(
        create(&made.dir.join("more"), MAX_SLOTS + 1)
            .unwrap_err()
            .raw_os_error(),
        Some(libc::EINVAL)
    );
}

#[test]
fn a_holder_that_ends_by_itself_or_becomes_another_program_gives_back() {
    let made = Made::new(1);
    let mutexes = made.open();
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    other.finish();
    assert_eq!(mutexes.held().unwrap(), []);
    let mut other = made.start("execs");
    assert_eq!(other.line(), "Some(0)");
    assert_eq!(mutexes.try_take(0).unwrap(), None);
    other.tell("now");
    common::eventually("the slot is free", || mutexes.try_take(0).unwrap());
    let comm = format!("/proc/{}/comm", other.pid());
    common::eventually("it is another program", || {
        (fs::read_to_string(&comm).unwrap().trim() == "cat").then_some(())
    });
}

#[test]
fn the_thread_that_asked_may_end() {
    let made = Made::new(1);
    let mutexes = Arc::new(made.open());
    let asks = Arc::clone(&mutexes);
    assert_eq!(
        thread::spawn(move || slot_of(asks.try_take(0).unwrap()))
            .join()
            .unwrap(),
        Some(0)
    );
    assert_eq!(made.open().try_take(0).unwrap(), None);
    assert!(mutexes.release(0));
}

#[test]
fn processes_killed_in_the_middle_of_claims_strand_nothing() {
    let made = Made::new(2);
    let mutexes = made.open();
    for _ in 0..40 {
        let mut others = [made.start("churner"), made.start("churner")];
        for other in &mut others {
            other.line();
        }
        let [first, second] = others;
        first.kill();
        second.kill();
        assert_eq!(mutexes.held().unwrap(), []);
    }
}

#[test]
fn threads_of_several_openers_never_have_one_slot_twice() {
    let made = Made::new(3);
    let owners: Arc<[AtomicU32]> = (0..3).map(|_| AtomicU32::new(0)).collect();
    let opened = [Arc::new(made.open()), Arc::new(made.open())];
    let threads: Vec<_> = (0..6usize)
        .map(|number| {
            let (mutexes, owners) = (Arc::clone(&opened[number % 2]), Arc::clone(&owners));
            thread::spawn(move || {
                for round in 0..1_500 {
                    let Some(Taken { slot, .. }) = mutexes.try_take(round).unwrap() else {
                        continue;
                    };
                    assert_eq!(owners[slot].swap(1, Ordering::SeqCst), 0, "slot {slot} has two owners");
                    owners[slot].store(0, Ordering::SeqCst);
                    assert!(mutexes.release(slot));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(opened[0].held().unwrap(), []);
}

#[test]
fn who_waits_for_a_slot_is_woken_by_its_release_and_by_its_holders_death() {
    let made = Made::new(1);
    let mutexes = made.open();
    assert!(mutexes.try_take(0).unwrap().is_some());
    let waits: Vec<_> = (0..3).map(|_| waiting(&mutexes)).collect();
    assert!(mutexes.release(0));
    all_were_woken(waits);
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    let waits: Vec<_> = (0..3).map(|_| waiting(&mutexes)).collect();
    other.kill();
    all_were_woken(waits);
}

#[test]
fn who_waits_for_all_slots_is_woken_when_the_last_is_free() {
    let made = Made::new(5);
    let mutexes = made.open();
    assert_eq!(slot_of(mutexes.try_take(3).unwrap()), Some(3));
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    let (ended, has_ended) = mpsc::channel();
    let wait = until_unused(&mutexes, move || ended.send(()).unwrap()).unwrap();
    other.kill();
    assert!(has_ended.try_recv().is_err(), "it ended while a slot was held");
    assert!(mutexes.release(3));
    has_ended.recv_timeout(HANGS).unwrap();
    assert!(matches!(wait.end(), Outcome::Free));
}

#[test]
fn a_wait_outlives_the_file_that_it_was_started_with() {
    let made = Made::new(1);
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    let waits = vec![waiting(&made.open())];
    fs::remove_file(&made.path).unwrap();
    other.kill();
    all_were_woken(waits);
}

#[test]
fn a_wait_for_a_slot_that_is_not_there_or_in_a_file_that_was_truncated_fails() {
    let made = Made::new(1);
    let mutexes = made.open();
    let errno = |slot| {
        let (ended, has_ended) = mpsc::channel();
        let wait = until_free(&mutexes, slot, move || ended.send(()).unwrap()).unwrap();
        has_ended.recv_timeout(HANGS).unwrap();
        match wait.end() {
            Outcome::Failed(LockError::System { error, .. }) => error.raw_os_error(),
            outcome => panic!("{outcome:?}"),
        }
    };
    assert_eq!(errno(1), Some(libc::EINVAL));
    truncate(&made.path);
    assert_eq!(errno(0), Some(libc::ESTALE));
}

/// A wait for slot 0.
fn waiting(mutexes: &RobustMutexes) -> (Wait, mpsc::Receiver<()>) {
    let (ended, has_ended) = mpsc::channel();
    (
        until_free(mutexes, 0, move || ended.send(()).unwrap()).unwrap(),
        has_ended,
    )
}

fn all_were_woken(waits: Vec<(Wait, mpsc::Receiver<()>)>) {
    for (wait, has_ended) in waits {
        has_ended.recv_timeout(HANGS).unwrap();
        assert!(matches!(wait.end(), Outcome::Free));
    }
}

fn truncate(path: &Path) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
}

#[test]
fn a_file_that_was_truncated_is_refused_and_kills_nobody() {
    let made = Made::new(2);
    let mutexes = made.open();
    assert!(mutexes.try_take(0).unwrap().is_some());
    truncate(&made.path);
    assert_eq!(mutexes.try_take(0).unwrap_err().raw_os_error(), Some(libc::ESTALE));
    assert_eq!(mutexes.held().unwrap_err().raw_os_error(), Some(libc::ESTALE));
    assert_eq!(mutexes.is_held(0).unwrap_err().raw_os_error(), Some(libc::ESTALE));
    assert!(mutexes.release(0));
    assert!(matches!(RobustMutexes::open(&made.path), Err(FileError::Damaged(_))));
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    let made = Made::new(2);
    let good = fs::read(&made.path).unwrap();
    let refused = |bytes: &[u8]| {
        let path = made.dir.join("other");
        fs::write(&path, bytes).unwrap();
        let result = RobustMutexes::open(&path);
        fs::remove_file(&path).unwrap();
        result.err()
    };
    assert!(matches!(
        refused(&good),
        Some(FileError::Damaged("is a copy of another file of mutexes"))
    ));
    for bytes in [&b""[..], b"hello", &[0; 8192], &[0xff; 8192], &good[..40], &good[..80]] {
        assert!(matches!(refused(bytes), Some(FileError::Damaged(_))), "{bytes:?}");
    }
    let mut other_boot = good.clone();
    let end = other_boot.iter().rposition(|byte| byte.is_ascii_hexdigit()).unwrap();
    other_boot[end] = if other_boot[end] == b'0' { b'1' } else { b'0' };
    assert!(matches!(refused(&other_boot), Some(FileError::OtherBoot)));
    let file = OpenOptions::new().write(true).open(&made.path).unwrap();
    file.set_len(good.len() as u64 - 1).unwrap();
    assert!(matches!(
        RobustMutexes::open(&made.path),
        Err(FileError::Damaged("was truncated"))
    ));
    assert!(matches!(RobustMutexes::open(&made.dir), Err(FileError::System(_))));
}

#[test]
fn a_deleted_file_still_shows_its_holders_to_whoever_has_it_open() {
    let made = Made::new(1);
    let mutexes = made.open();
    let mut other = made.holder();
    assert_eq!(other.line(), "Some(0)");
    assert!(mutexes.is_at(&made.path));
    fs::remove_file(&made.path).unwrap();
    assert!(!mutexes.is_at(&made.path));
    create(&made.path, 1).unwrap();
    assert!(!mutexes.is_at(&made.path));
    assert_eq!(mutexes.held().unwrap(), [0]);
    assert_eq!(made.open().held().unwrap(), []);
    other.kill();
    assert_eq!(mutexes.held().unwrap(), []);
}

#[test]
fn a_record_is_kept_beside_its_slot() {
    let made = Made::new(2);
    let mutexes = made.open();
    mutexes.write_record(1, &[7; RECORD_BYTES]).unwrap();
    assert_eq!(made.open().read_record(1).unwrap(), [7; RECORD_BYTES]);
    assert_eq!(made.open().read_record(0).unwrap(), [0; RECORD_BYTES]);
    assert!(mutexes.write_record(2, b"x").is_err());
    assert_eq!(mutexes.held().unwrap(), []);
}

#[test]
fn words_that_say_anything_are_survived() {
    let made = Made::new(3);
    let file = OpenOptions::new().write(true).open(&made.path).unwrap();
    // Marked as dead, sleepers marked on a free word, an owner that does not exist.
    for (cell, word) in [0x4000_0000u32, 0xc000_0000, 0x3fff_fffe].into_iter().enumerate() {
        file.write_all_at(&word.to_ne_bytes(), 4096 + 16 * cell as u64).unwrap();
    }
    let mutexes = made.open();
    assert_eq!(mutexes.held().unwrap(), [2]);
    assert_eq!(
        mutexes.try_take(0).unwrap(),
        Some(Taken {
            slot: 0,
            owner_died: true
        })
    );
    assert_eq!(
        mutexes.try_take(0).unwrap(),
        Some(Taken {
            slot: 1,
            owner_died: true
        })
    );
    assert_eq!(mutexes.try_take(0).unwrap(), None);
}
