//! The descriptors that this thread's JavaScript environment holds, so that they are closed when a worker thread ends: nobody is
//! left then who could release them. (Node closes by itself only what `node:fs` has opened.)
//!
//! Kept by thread: an environment runs on one thread, and each of its calls comes from there.

use std::cell::RefCell;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

thread_local! {
    static HELD: RefCell<DescriptorSet> = const { RefCell::new(DescriptorSet { words: Vec::new() }) };
}

/// Bits, because descriptors are small numbers, and adding one is on the way of every claim.
struct DescriptorSet {
    words: Vec<u64>,
}

impl DescriptorSet {
    fn insert(&mut self, index: usize) {
        let word = index / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (index % 64);
        }
    }

    /// False: it was not there.
    fn remove(&mut self, index: usize) -> bool {
        let Some(word) = self.words.get_mut(index / 64) else {
            return false;
        };
        let bit = 1 << (index % 64);
        let was_there = *word & bit != 0;
        *word &= !bit;
        was_there
    }

    fn contains(&self, index: usize) -> bool {
        self.words
            .get(index / 64)
            .is_some_and(|word| word & (1 << (index % 64)) != 0)
    }
}

/// Hands the descriptor to JavaScript, as a number.
pub fn hand_out(fd: OwnedFd) -> i32 {
    let raw = fd.into_raw_fd();
    HELD.with_borrow_mut(|held| held.insert(raw as usize));
    raw
}

/// What was handed out, taken back; `None`: this environment has no such descriptor (any more), so it may be somebody else's.
pub fn take_back(raw: i32) -> Option<OwnedFd> {
    let ours = usize::try_from(raw).is_ok_and(|index| HELD.with_borrow_mut(|held| held.remove(index)));
    // SAFETY: `hand_out` gave up this descriptor's ownership, and removing its bit takes that back exactly once.
    ours.then(|| unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Calls `use_it` with a descriptor that was handed out; `None`: this environment has no such descriptor (any more).
pub fn borrow<T>(raw: i32, use_it: impl FnOnce(BorrowedFd<'_>) -> T) -> Option<T> {
    let ours = usize::try_from(raw).is_ok_and(|index| HELD.with_borrow(|held| held.contains(index)));
    // SAFETY: while its bit is set only `take_back` and `close_all`, on this very thread, can close the descriptor.
    ours.then(|| use_it(unsafe { BorrowedFd::borrow_raw(raw) }))
}

/// Closes whatever this environment still holds.
pub fn close_all() {
    let words = HELD.with_borrow_mut(|held| std::mem::take(&mut held.words));
    for (at, word) in words.iter().enumerate() {
        for bit in (0..64).filter(|bit| word & (1 << bit) != 0) {
            let raw = (at * 64 + bit) as i32;
            // SAFETY: its bit was set, so we own it, and the bits are gone.
            drop(unsafe { OwnedFd::from_raw_fd(raw) });
        }
    }
}
