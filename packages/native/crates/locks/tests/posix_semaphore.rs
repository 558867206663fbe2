//! Named semaphores with real processes and real SIGKILLs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::{Arc, mpsc};
use std::thread;

use common::{HANGS, Other, argument, say, told, within};
use procref_locks::kernel_wait::Outcome;
use procref_locks::posix_semaphore::{MAX_NAME_BYTES, PosixSemaphore, Waited, random_name, take, unlink};

/// A semaphore whose name goes with the test.
struct Made {
    semaphore: Arc<PosixSemaphore>,
    name: String,
}

impl Made {
    fn new(permits: u32) -> Self {
        let name = random_name().unwrap();
        Self {
            semaphore: Arc::new(PosixSemaphore::create(&name, permits).unwrap()),
            name,
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = unlink(&self.name);
    }
}

#[test]
#[ignore = "a child of other tests"]
fn taker() {
    let Some(name) = argument() else { return };
    let semaphore = PosixSemaphore::open(&name, 1_000).unwrap();
    say(semaphore.try_wait().unwrap());
    while let Some(word) = told() {
        match word.as_str() {
            "post" => say(semaphore.post().is_ok()),
            _ => say(semaphore.try_wait().unwrap()),
        }
    }
}

#[test]
fn permits_are_counted_among_processes() {
    let made = Made::new(2);
    let mut other = Other::start("taker", &made.name);
    assert_eq!(other.line(), "true");
    assert!(made.semaphore.try_wait().unwrap());
    assert!(!made.semaphore.try_wait().unwrap());
    other.tell("post");
    assert_eq!(other.line(), "true");
    assert!(made.semaphore.try_wait().unwrap());
    other.tell("take");
    assert_eq!(other.line(), "false");
}

#[test]
fn the_permit_of_a_killed_holder_is_lost_for_good_until_somebody_posts_for_it() {
    let made = Made::new(3);
    let mut other = Other::start("taker", &made.name);
    assert_eq!(other.line(), "true");
    other.kill();
    assert!(made.semaphore.try_wait().unwrap());
    assert!(made.semaphore.try_wait().unwrap());
    assert!(!made.semaphore.try_wait().unwrap(), "the permit came back by itself");
    made.semaphore.post().unwrap();
    assert!(made.semaphore.try_wait().unwrap());
}

#[test]
fn a_waiter_gets_what_is_posted() {
    let made = Made::new(0);
    for limit in [None, Some(HANGS)] {
        if cfg!(target_vendor = "apple") && limit.is_some() {
            continue;
        }
        let semaphore = Arc::clone(&made.semaphore);
        let waiter = thread::spawn(move || semaphore.wait(limit).unwrap());
        made.semaphore.post().unwrap();
        assert_eq!(within("the waiter", move || waiter.join().unwrap()), Waited::Taken);
    }
}

#[test]
fn a_permit_that_a_wait_took_is_kept_or_given_back() {
    let made = Made::new(0);
    for keeps in [true, false] {
        let (ended, has_ended) = mpsc::channel();
        let wait = take(&made.semaphore, move || ended.send(()).unwrap()).unwrap();
        made.semaphore.post().unwrap();
        has_ended.recv_timeout(HANGS).unwrap();
        let Outcome::Taken(taken) = wait.end() else {
            panic!("nothing was taken")
        };
        assert!(!made.semaphore.try_wait().unwrap());
        if keeps {
            assert_eq!(taken.keep(), Some(0));
        } else {
            drop(taken);
        }
        assert_eq!(made.semaphore.try_wait().unwrap(), !keeps);
    }
}

#[test]
fn a_wait_that_is_called_off_while_somebody_posts_has_the_permit_or_leaves_it() {
    let made = Made::new(0);
    let mut called_off = 0;
    for _ in 0..300 {
        let (ended, has_ended) = mpsc::channel();
        let wait = take(&made.semaphore, move || ended.send(()).unwrap()).unwrap();
        let semaphore = Arc::clone(&made.semaphore);
        let posts = thread::spawn(move || semaphore.post().unwrap());
        wait.call_off();
        has_ended.recv_timeout(HANGS).unwrap();
        posts.join().unwrap();
        match wait.end() {
            Outcome::Taken(taken) => assert_eq!(taken.keep(), Some(0)),
            Outcome::CalledOff => {
                called_off += 1;
                assert!(made.semaphore.try_wait().unwrap(), "the permit is lost");
            }
            outcome => panic!("{outcome:?}"),
        }
        assert!(!made.semaphore.try_wait().unwrap(), "there are two permits");
    }
    assert!(called_off > 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_wait_ends_with_its_limit_and_with_a_signal() {
    let made = Made::new(0);
    assert_eq!(
        made.semaphore.wait(Some(std::time::Duration::from_millis(1))).unwrap(),
        Waited::TimedOut
    );
    assert_eq!(
        made.semaphore.wait(Some(std::time::Duration::ZERO)).unwrap(),
        Waited::TimedOut
    );

    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: integers, pointers and a set of bits, for all of which zero is valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
    // SAFETY: an empty handler, without SA_RESTART, for a signal that nobody here uses.
    unsafe { libc::sigaction(libc::SIGRTMIN() + 5, &raw const action, std::ptr::null_mut()) };
    let semaphore = Arc::clone(&made.semaphore);
    let waiter = thread::spawn(move || semaphore.wait(Some(HANGS * 2)).unwrap());
    common::eventually("the waiter is interrupted", || {
        use std::os::unix::thread::JoinHandleExt;
        // SAFETY: the thread is not joined yet, so its id is valid.
        unsafe { libc::pthread_kill(waiter.as_pthread_t() as libc::pthread_t, libc::SIGRTMIN() + 5) };
        waiter.is_finished().then_some(())
    });
    assert_eq!(waiter.join().unwrap(), Waited::Interrupted);
}

#[test]
fn a_name_that_is_removed_can_be_made_anew_and_old_users_keep_the_old_one() {
    let made = Made::new(1);
    assert_eq!(
        PosixSemaphore::create(&made.name, 1).unwrap_err().raw_os_error(),
        Some(libc::EEXIST)
    );
    assert!(unlink(&made.name).unwrap());
    assert!(!unlink(&made.name).unwrap());
    let anew = PosixSemaphore::create(&made.name, 0).unwrap();
    assert!(!anew.try_wait().unwrap());
    assert!(made.semaphore.try_wait().unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn the_value_follows_and_the_semaphore_is_for_us_alone() {
    use std::os::unix::fs::MetadataExt;
    let made = Made::new(2);
    assert_eq!(made.semaphore.value().unwrap(), 2);
    made.semaphore.try_wait().unwrap();
    assert_eq!(made.semaphore.value().unwrap(), 1);
    let file = procref_locks::posix_semaphore::file_of(&made.name);
    assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn what_another_user_made_is_refused() {
    let made = Made::new(1);
    let file = procref_locks::posix_semaphore::file_of(&made.name);
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_err() {
        println!("not checked: only root can give a file away");
        return;
    }
    assert_eq!(
        PosixSemaphore::open(&made.name, 1).unwrap_err().raw_os_error(),
        Some(libc::EPERM)
    );
}

#[test]
fn bad_names_and_values_are_refused() {
    for name in ["", "/", "name", "/a/b", "/a\0b", "//"] {
        let error = PosixSemaphore::open(name, 1).map(drop).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{name:?}");
        assert_eq!(unlink(name).unwrap_err().raw_os_error(), Some(libc::EINVAL), "{name:?}");
    }
    let longest = format!(
        "/{}{}",
        random_name().unwrap().replace('/', ""),
        "x".repeat(MAX_NAME_BYTES)
    );
    let longest = &longest[..MAX_NAME_BYTES];
    PosixSemaphore::create(longest, 1).unwrap();
    assert!(unlink(longest).unwrap());
    let error = PosixSemaphore::open(&format!("{longest}x"), 1).map(drop).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENAMETOOLONG));
    let name = random_name().unwrap();
    assert_eq!(
        PosixSemaphore::create(&name, u32::MAX)
            .map(drop)
            .unwrap_err()
            .raw_os_error(),
        Some(libc::EINVAL)
    );
    assert!(name.len() <= 31, "{name} is too long for macOS");
}
