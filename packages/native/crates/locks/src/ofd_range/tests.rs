use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;
use crate::kernel_wait::Outcome;
use crate::test_dir::TestDir;

/// Reaching it means "hangs".
const HANGS: Duration = Duration::from_secs(30);

fn pool(dir: &Path, slots: u32) -> Pool {
    Pool::open(dir, slots, b"4711\n", 0).unwrap()
}

/// As a claimer does it: quickly, then by a look at all; `None`: all were proven to be held.
fn claim(pool: &mut Pool) -> Option<Token> {
    if let Some(token) = pool.try_claim() {
        return Some(token);
    }
    loop {
        let mut unproven = false;
        for shard in 0..pool.shards() {
            match pool.scan(shard).unwrap() {
                Scan::Taken(token) => return Some(token),
                Scan::AllHeld => {}
                Scan::Unproven(_) => unproven = true,
            }
        }
        pool.refresh_hints();
        if !unproven {
            return None;
        }
    }
}

fn used(pool: &mut Pool) -> Vec<u32> {
    let mut slots: Vec<u32> = (0..pool.shards())
        .flat_map(|shard| pool.used(shard).unwrap())
        .map(Token::slot)
        .collect();
    slots.sort_unstable();
    slots
}

#[test]
fn all_slots_can_be_held_at_once_and_not_one_more() {
    for slots in [1, 127, 128, 129, 1000] {
        let dir = TestDir::new();
        let mut one = pool(&dir, slots);
        let mut two = Pool::open(&dir, slots, b"", slots / 2).unwrap();
        let mut seen = HashSet::new();
        let mut tokens = Vec::new();
        for n in 0..slots {
            let by = if n % 3 == 0 { &mut two } else { &mut one };
            let token = claim(by).unwrap();
            assert!(seen.insert(token.slot()), "slot {} twice", token.slot());
            tokens.push((n % 3 == 0, token));
        }
        assert!(claim(&mut one).is_none());
        assert!(claim(&mut two).is_none());
        assert_eq!(used(&mut one), (0..slots).collect::<Vec<_>>());
        assert_eq!(used(&mut pool(&dir, slots)), (0..slots).collect::<Vec<_>>());
        for (second, token) in tokens {
            let by = if second { &mut two } else { &mut one };
            assert!(by.release(token));
            assert!(!by.release(token), "released twice");
        }
        assert!(used(&mut one).is_empty());
        assert!(used(&mut two).is_empty());
    }
}

#[test]
fn a_pool_that_is_dropped_gives_back_what_it_holds() {
    let dir = TestDir::new();
    let mut one = pool(&dir, 3);
    let mut two = pool(&dir, 3);
    for _ in 0..3 {
        claim(&mut one).unwrap();
    }
    assert!(claim(&mut two).is_none());
    drop(one);
    assert!(used(&mut two).is_empty());
    assert!(claim(&mut two).is_some());
}

#[test]
fn the_only_free_slot_of_ten_thousand_is_found_by_its_hint() {
    let dir = TestDir::new();
    let mut holds = pool(&dir, 10_000);
    let tokens: Vec<Token> = (0..10_000).map(|_| claim(&mut holds).unwrap()).collect();
    let mut claims = pool(&dir, 10_000);
    assert!(claim(&mut claims).is_none());
    for token in tokens.iter().step_by(997) {
        holds.release(*token);
        // Quickly: without a look at all locks.
        let found = claims.try_claim().unwrap();
        assert_eq!(found.slot(), token.slot());
        assert!(claims.try_claim().is_none());
        claims.release(found);
        assert_eq!(holds.try_claim_at(token.slot()).unwrap().unwrap().slot(), token.slot());
    }
}

#[test]
fn looks_turn_no_claimer_away() {
    let dir = TestDir::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut looks = pool(&dir, 1);
                while !done.load(Ordering::Relaxed) {
                    used(&mut looks);
                }
            });
        }
        let mut claims = pool(&dir, 1);
        for _ in 0..20_000 {
            // Not even for a moment, so no second try is needed.
            let token = claims.try_claim_at(0).unwrap().expect("turned away by a look");
            claims.release(token);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_record_of_each_holder_is_read_back() {
    let dir = TestDir::new();
    let mut one = Pool::open(&dir, 300, &[b'1'; RECORD_BYTES], 0).unwrap();
    let mut two = Pool::open(&dir, 300, b"two", 299).unwrap();
    one.try_claim_at(130).unwrap().unwrap();
    two.try_claim_at(131).unwrap().unwrap();
    let mut looks = pool(&dir, 300);
    let found = looks.used(1).unwrap();
    assert_eq!(found.iter().map(|token| token.slot()).collect::<Vec<_>>(), [130, 131]);
    assert_eq!(looks.read_record(found[0]).unwrap(), [b'1'; RECORD_BYTES]);
    assert!(looks.read_record(found[1]).unwrap().starts_with(b"two"));
}

#[test]
fn a_deleted_file_keeps_its_holders_and_another_one_takes_its_place() {
    let dir = TestDir::new();
    let mut holder = pool(&dir, 2);
    let mut looks = pool(&dir, 2);
    let old = holder.try_claim_at(0).unwrap().unwrap();
    assert_eq!(used(&mut looks), [0]);
    assert!(holder.is_current(old));
    fs::remove_file(dir.join("ofd_0000.lock")).unwrap();
    assert!(!holder.is_current(old));
    assert_eq!(used(&mut looks), [0], "a holder was forgotten with its file");
    let other = looks.try_claim_at(0).unwrap().unwrap();
    assert!(looks.is_current(other));
    assert_eq!(used(&mut looks), [0, 0]);
    assert!(holder.try_claim_at(0).unwrap().is_none());
    let anew = holder.try_claim_at(1).unwrap().unwrap();
    assert_eq!(used(&mut holder), [0, 0, 1]);
    holder.release(old);
    assert_eq!(used(&mut looks), [0, 1]);
    assert!(
        looks.is_current(other),
        "a release in the old file freed a slot in the new one"
    );
    assert!(holder.try_claim_at(0).unwrap().is_none());
    holder.release(anew);
    assert_eq!(used(&mut looks), [0]);
}

#[test]
fn a_full_file_that_is_replaced_is_free_again() {
    let dir = TestDir::new();
    let mut holder = pool(&dir, 128);
    for _ in 0..128 {
        claim(&mut holder).unwrap();
    }
    let mut claims = pool(&dir, 128);
    assert!(claim(&mut claims).is_none());
    fs::write(dir.join("new"), b"").unwrap();
    fs::rename(dir.join("new"), dir.join("ofd_0000.lock")).unwrap();
    let token = claim(&mut claims).unwrap();
    assert!(claims.is_current(token));
    assert_eq!(used(&mut claims).len(), 129);
}

#[test]
fn looks_make_no_file_and_keep_none_open_that_nobody_uses() {
    let dir = TestDir::new();
    let mut looks = pool(&dir, 1000);
    assert!(used(&mut looks).is_empty());
    assert_eq!(fs::read_dir(&*dir).unwrap().count(), 1, "only the hints");
    let mut holder = pool(&dir, 1000);
    let token = holder.try_claim_at(200).unwrap().unwrap();
    assert_eq!(used(&mut looks), [200]);
    assert!(looks.is_open(1));
    holder.release(token);
    assert!(used(&mut looks).is_empty());
    assert!(!looks.is_open(1));
}

#[test]
fn what_is_no_plain_file_is_refused_and_never_followed_or_waited_for() {
    let dir = TestDir::new();
    let elsewhere = dir.join("elsewhere");
    symlink(&elsewhere, dir.join("ofd_0000.lock")).unwrap();
    symlink(&elsewhere, dir.join("hints")).unwrap();
    fs::create_dir(dir.join("ofd_0001.lock")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, dir.join("ofd_0002.lock"), fifo, mode, 0).unwrap();
    let mut pool = pool(&dir, 500);
    for shard in 0..3 {
        assert!(pool.scan(shard).is_err());
        assert!(pool.used(shard).is_err());
        assert!(pool.try_claim_at(shard * SLOTS_A_FILE).is_err());
    }
    assert!(matches!(pool.scan(2), Err(LockError::NotAPlainFile)));
    assert!(!elsewhere.exists());
    // The others do.
    let token = claim_in(&mut pool, 3);
    assert!(token.slot() >= 384);
}

fn claim_in(pool: &mut Pool, shard: u32) -> Token {
    match pool.scan(shard).unwrap() {
        Scan::Taken(token) => token,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slot_is_handed_over_when_its_holder_lets_go_also_by_a_pool_to_itself() {
    let dir = TestDir::new();
    let mut holder = pool(&dir, 1);
    let mut waits = pool(&dir, 1);
    for own in [false, true] {
        let token = claim(&mut holder).unwrap();
        let waiter = if own { &mut holder } else { &mut waits };
        let (ended, has_ended) = channel();
        let wait = wait::lock_slot(waiter, 0, move || ended.send(()).unwrap()).unwrap();
        assert!(has_ended.try_recv().is_err());
        holder.release(token);
        has_ended.recv_timeout(HANGS).unwrap();
        let Outcome::Locked(fd) = wait.end() else {
            panic!("not handed over")
        };
        let waiter = if own { &mut holder } else { &mut waits };
        let token = waiter.adopt(fd, 0).unwrap().unwrap();
        assert!(waiter.is_current(token));
        assert_eq!(used(waiter), [0]);
        assert!(claim(&mut holder).is_none());
        assert!(claim(&mut waits).is_none());
        assert_eq!(used(&mut holder), [0]);
        assert_eq!(used(&mut waits), [0]);
        let waiter = if own { &mut holder } else { &mut waits };
        assert!(waiter.release(token));
        assert!(used(&mut holder).is_empty());
    }
}

#[test]
fn a_shard_is_waited_for_until_nobody_is_left_in_any_of_its_files() {
    let dir = TestDir::new();
    let mut holder = pool(&dir, 3);
    let mut waits = pool(&dir, 3);
    let old = holder.try_claim_at(0).unwrap().unwrap();
    assert_eq!(used(&mut waits), [0]);
    fs::remove_file(dir.join("ofd_0000.lock")).unwrap();
    let new = holder.try_claim_at(1).unwrap().unwrap();
    assert_eq!(used(&mut waits), [0, 1]);
    let (ended, has_ended) = channel();
    let wait = wait::until_unused(&mut waits, 0, move || ended.send(()).unwrap()).unwrap();
    holder.release(new);
    assert!(has_ended.try_recv().is_err());
    holder.release(old);
    has_ended.recv_timeout(HANGS).unwrap();
    assert!(matches!(wait.end(), Outcome::Free));
    let (ended, has_ended) = channel();
    let token = claim(&mut holder).unwrap();
    used(&mut waits);
    let wait = wait::until_unused(&mut waits, 0, move || ended.send(()).unwrap()).unwrap();
    wait.call_off();
    has_ended.recv_timeout(HANGS).unwrap();
    assert!(matches!(wait.end(), Outcome::CalledOff));
    assert!(holder.is_current(token));
}

const CHILD_DIR: &str = "PROCREF_TEST_CHILD_DIR";
const CHILD_SLOTS: &str = "PROCREF_TEST_CHILD_SLOTS";

/// A process that claims so many slots of 300, says so, and waits to be killed.
struct Holder(Child);

impl Holder {
    fn start(dir: &Path, count: u32) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ofd_range::tests::in_a_child", "--nocapture"])
            .env(CHILD_DIR, dir)
            .env(CHILD_SLOTS, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(io::Result::ok).any(|line| line.ends_with("holding")));
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn in_a_child() {
    let (Ok(dir), Ok(count)) = (std::env::var(CHILD_DIR), std::env::var(CHILD_SLOTS)) else {
        return;
    };
    let mut pool = Pool::open(Path::new(&dir), 300, b"", std::process::id()).unwrap();
    for _ in 0..count.parse::<u32>().unwrap() {
        claim(&mut pool).unwrap();
    }
    println!("holding");
    io::stdout().flush().unwrap();
    // Until it is killed, or whoever started it is gone.
    io::stdin().lines().for_each(drop);
}

#[test]
fn a_killed_holder_leaves_its_marks_and_not_its_slots() {
    let dir = TestDir::new();
    let mut claims = pool(&dir, 300);
    for _ in 0..3 {
        let holder = Holder::start(&dir, 297);
        let own: Vec<Token> = (0..3).map(|_| claim(&mut claims).unwrap()).collect();
        assert!(claim(&mut claims).is_none());
        assert_eq!(used(&mut claims).len(), 300);
        holder.kill();
        assert_eq!(used(&mut claims).len(), 3);
        let more: Vec<Token> = (0..297).map(|_| claim(&mut claims).unwrap()).collect();
        assert!(claim(&mut claims).is_none());
        own.into_iter()
            .chain(more)
            .for_each(|token| assert!(claims.release(token)));
    }
}

/// Whatever happens to the hints: no slot has two holders, and none is missed.
#[test]
fn hints_that_are_wrong_at_any_time_mislead_nobody() {
    const SLOTS: u32 = 300;
    const FREE: u32 = 8;
    const ROUNDS: u32 = 4_000;
    let dir = TestDir::new();
    let mut filler = pool(&dir, SLOTS);
    for slot in FREE..SLOTS {
        filler.try_claim_at(slot * 7 % SLOTS).unwrap().unwrap();
    }
    let holders: Vec<AtomicU8> = (0..SLOTS).map(|_| AtomicU8::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| corrupt(&dir.join("hints"), &done));
        let claimers: Vec<_> = (0..4)
            .map(|n| {
                let (dir, holders) = (&dir, &holders);
                scope.spawn(move || {
                    let mut pool = Pool::open(dir, SLOTS, b"", n * 71).unwrap();
                    for _ in 0..ROUNDS {
                        let token = claim(&mut pool).expect("said to be exhausted, and at least five slots were free");
                        let holder = &holders[token.slot() as usize];
                        assert_eq!(holder.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                        thread::yield_now();
                        holder.fetch_sub(1, Ordering::SeqCst);
                        assert!(pool.release(token));
                    }
                })
            })
            .collect();
        let ended: Vec<_> = claimers.into_iter().map(|claimer| claimer.join()).collect();
        done.store(true, Ordering::SeqCst);
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
}

/// A mark that stayed on a free slot would make everybody pass it over, until a claimer finds nothing and looks at all locks.
#[test]
fn no_mark_stays_on_a_slot_that_was_released() {
    const SLOTS: u32 = 200;
    const FREE: u32 = 4;
    const ROUNDS: u32 = 2_000;
    let dir = TestDir::new();
    let mut filler = pool(&dir, SLOTS);
    for slot in FREE..SLOTS {
        filler.try_claim_at(slot).unwrap().unwrap();
    }
    for _ in 0..5 {
        thread::scope(|scope| {
            for n in 0..4 {
                let dir = &dir;
                scope.spawn(move || {
                    let mut pool = Pool::open(dir, SLOTS, b"", n).unwrap();
                    for _ in 0..ROUNDS {
                        // Often enough there is none: then all locks were looked at.
                        let tokens: Vec<Token> = (0..2).map_while(|_| claim(&mut pool)).collect();
                        tokens.into_iter().for_each(|token| assert!(pool.release(token)));
                    }
                });
            }
        });
        assert_eq!(filler.hints.taken(0) & bits(0, FREE), 0, "a free slot is marked");
        assert_eq!(
            filler.hints.likely_shard(0, 1),
            Some(0),
            "a shard with free slots is marked as full"
        );
    }
}

fn corrupt(path: &Path, done: &AtomicBool) {
    let mut random = 0x2545_f491_u32;
    while !done.load(Ordering::SeqCst) {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let byte = (random >> 24) as u8;
        match random >> 16 & 7 {
            0 => drop(fs::write(path, b"")),
            1 => drop(fs::remove_file(path)),
            2 => drop(fs::write(path, [1; 400])),
            3 => drop(fs::write(path, [byte; 4000])),
            4 => drop(fs::write(path, [0; 400])),
            5 => drop(fs::write(path, [byte & 1; 30])),
            6 => {
                fs::remove_file(path).ok();
                fs::create_dir(path).ok();
            }
            _ => drop(fs::remove_dir(path)),
        }
        thread::sleep(Duration::from_micros(200));
    }
}
