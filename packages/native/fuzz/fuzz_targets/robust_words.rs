//! The words of `robust.mutexes`: whatever they say, every slot is either held or can be taken once, and can be taken again when it was
//! released.
//!
//!     cargo +nightly fuzz run robust_words

#![no_main]

use std::fs::{OpenOptions, remove_file};
use std::os::unix::fs::FileExt;

use libfuzzer_sys::fuzz_target;
use procref_locks::robust_mutex::{RobustMutexes, create};

/// Where the words are, and one from the next: see the module's comment.
const FIRST_AT: u64 = 4096;
const APART: u64 = 16;

fuzz_target!(|data: &[u8]| {
    let (words, _) = data.as_chunks::<4>();
    let slots = words.len().clamp(1, 64);
    // In memory; one fuzzer a process.
    let path = std::path::PathBuf::from(format!("/dev/shm/procref-fuzz-{}.mutexes", std::process::id()));
    create(&path, slots).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    for (word, at) in words.iter().take(slots).zip(0..) {
        file.write_all_at(word, FIRST_AT + at * APART).unwrap();
    }
    let mutexes = RobustMutexes::open(&path).unwrap();
    remove_file(&path).unwrap();
    let held = mutexes.held().unwrap();
    for _ in 0..2 {
        let mut taken = Vec::new();
        while let Some(one) = mutexes.try_take(slots / 2).unwrap() {
            assert!(!held.contains(&one.slot), "a held slot was taken");
            assert!(mutexes.holds(one.slot).unwrap());
            taken.push(one.slot);
        }
        assert_eq!(mutexes.held().unwrap().len(), slots);
        assert_eq!(taken.len() + held.len(), slots);
        for slot in taken {
            assert!(mutexes.release(slot), "a slot was taken twice");
        }
        assert_eq!(mutexes.held().unwrap(), held);
    }
});
