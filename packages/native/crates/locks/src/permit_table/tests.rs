use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::file::WATCHDOG;
use super::*;
use crate::ofd_range::byte_locks;
use crate::test_dir::TestDir;

const SCAN: Duration = Duration::from_millis(20);
const RECORD: [u8; RECORD_BYTES] = [b'r'; RECORD_BYTES];
const HANGS: Duration = Duration::from_secs(30);

struct Fixture {
    _dir: TestDir,
    path: PathBuf,
}

fn fixture(slots: usize) -> Fixture {
    let dir = TestDir::new();
    let path = dir.join("permits");
    create(&path, slots).unwrap();
    Fixture { _dir: dir, path }
}

fn open(path: &Path) -> PermitTable {
    PermitTable::open(path, SCAN).unwrap()
}

/// As a pool does: an unsettled table is looked at again.
fn take(table: &mut PermitTable) -> Option<usize> {
    let began = Instant::now();
    loop {
        match table.try_take(0, &RECORD).unwrap() {
            Take::Taken(slot) => return Some(slot),
            Take::Full => return None,
            Take::Unsettled => assert!(began.elapsed() < HANGS, "stays unsettled"),
        }
    }
}

fn semaphores_of(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let name = bytes[48..112].split(|byte| *byte == 0).next().unwrap();
    let base = std::str::from_utf8(name).unwrap().trim_start_matches('/').to_owned();
    fs::read_dir("/dev/shm")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(&base))
        .collect()
}

#[test]
fn as_many_can_be_taken_as_there_are_slots() {
    let Fixture { path, _dir } = fixture(3);
    let (mut table, mut other) = (open(&path), open(&path));
    let mut taken: Vec<_> = [&mut table, &mut other, &mut table_again(&path)]
        .into_iter()
        .map(|table| take(table).unwrap())
        .collect();
    // The third has been closed, so its slot is free again.
    taken.pop();
    assert_eq!(take(&mut other), Some(2));
    assert_eq!(take(&mut table), None);
    assert_eq!(table.held().unwrap(), [0, 1, 2]);
    assert_eq!(table.permits().unwrap().1, Some(0));
    assert!(table.release(taken[0]).unwrap());
    assert!(!table.release(taken[0]).unwrap());
    assert!(!table.release(taken[1]).unwrap(), "it is the other one's");
    assert_eq!(take(&mut other), Some(taken[0]));
}

fn table_again(path: &Path) -> PermitTable {
    open(path)
}

#[test]
fn the_last_who_leaves_leaves_no_semaphore_and_the_next_has_all_slots() {
    let Fixture { path, _dir } = fixture(2);
    for _ in 0..3 {
        let (mut table, mut other) = (open(&path), open(&path));
        assert_eq!((take(&mut table), take(&mut other)), (Some(0), Some(1)));
        assert_eq!(take(&mut table), None);
        assert_eq!(semaphores_of(&path).len(), 1);
        drop(table);
        assert_eq!(semaphores_of(&path).len(), 1);
        assert_eq!(other.held().unwrap(), [1]);
        drop(other);
        assert_eq!(semaphores_of(&path), [""; 0]);
    }
}

#[test]
fn a_semaphore_whose_name_was_removed_is_replaced_and_no_slot_is_lost() {
    let Fixture { path, _dir } = fixture(2);
    let mut table = open(&path);
    assert_eq!(take(&mut table), Some(0));
    for name in semaphores_of(&path) {
        fs::remove_file(Path::new("/dev/shm").join(name)).unwrap();
    }
    let mut other = open(&path);
    assert_eq!(take(&mut other), Some(1));
    assert_eq!(take(&mut other), None);
    assert!(table.release(0).unwrap());
    assert_eq!(take(&mut other), Some(0));
    assert_eq!(take(&mut table), None);
}

#[test]
fn permits_that_somebody_made_up_let_nobody_in() {
    let Fixture { path, _dir } = fixture(1);
    let mut table = open(&path);
    assert_eq!(take(&mut table), Some(0));
    let [name] = semaphores_of(&path).try_into().unwrap();
    let name = format!("/{}", name.trim_start_matches("sem."));
    let semaphore = crate::posix_semaphore::PosixSemaphore::open_existing(&name)
        .unwrap()
        .unwrap();
    semaphore.post().unwrap();
    semaphore.post().unwrap();
    let mut other = open(&path);
    assert_eq!(take(&mut other), None);
    assert!(table.release(0).unwrap());
    assert_eq!(take(&mut other), Some(0));
    assert_eq!(take(&mut table), None);
}

#[test]
fn permits_that_somebody_took_away_are_made_anew() {
    let Fixture { path, _dir } = fixture(2);
    let mut table = open(&path);
    assert_eq!(take(&mut table), Some(0));
    let [name] = semaphores_of(&path).try_into().unwrap();
    let name = format!("/{}", name.trim_start_matches("sem."));
    let semaphore = crate::posix_semaphore::PosixSemaphore::open_existing(&name)
        .unwrap()
        .unwrap();
    assert!(semaphore.try_wait().unwrap());
    assert_eq!(take(&mut table), Some(1));
    assert_eq!(take(&mut table), None);
}

#[test]
fn a_record_stays_with_its_slot() {
    let Fixture { path, _dir } = fixture(1);
    let (mut table, mut other) = (open(&path), open(&path));
    assert_eq!(take(&mut table), Some(0));
    assert_eq!(other.read_record(0).unwrap(), RECORD);
    assert!(table.release(0).unwrap());
    assert_eq!(other.try_take(0, b"other").unwrap(), Take::Taken(0));
    assert_eq!(&table.read_record(0).unwrap()[..5], b"other");
    assert!(other.release(0).unwrap());
    assert_eq!(take(&mut table), Some(0));
    assert_eq!(other.read_record(0).unwrap(), RECORD);
}

#[test]
fn a_truncated_file_and_rubbish_are_named_and_kill_nobody() {
    let Fixture { path, _dir } = fixture(2);
    let other = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    // The table's thread waits for this: in the middle of a look, the truncation would be the SIGBUS that `file` warns of.
    assert!(byte_locks::try_lock(other.as_fd(), WATCHDOG).unwrap());
    let mut table = open(&path);
    assert_eq!(take(&mut table), Some(0));
    other.set_len(4096).unwrap();
    let stale = Some(libc::ESTALE);
    assert_eq!(table.try_take(0, &RECORD).unwrap_err().raw_os_error(), stale);
    assert_eq!(table.held().unwrap_err().raw_os_error(), stale);
    assert_eq!(table.release(0).unwrap_err().raw_os_error(), stale);
    assert!(matches!(PermitTable::open(&path, SCAN), Err(TableError::Damaged(_))));
    drop(table);
    fs::write(&path, "hello").unwrap();
    assert!(matches!(PermitTable::open(&path, SCAN), Err(TableError::Damaged(_))));
    assert!(matches!(remove_unused(&path), Err(TableError::Damaged(_))));
}

#[test]
fn a_file_in_use_is_not_removed_and_an_unused_one_goes_with_its_semaphores() {
    let Fixture { path, _dir } = fixture(1);
    let mut table = open(&path);
    assert_eq!(take(&mut table), Some(0));
    assert!(!remove_unused(&path).unwrap());
    drop(table);
    assert!(remove_unused(&path).unwrap());
    assert!(!path.exists());
    assert!(remove_unused(&path).unwrap());
}
