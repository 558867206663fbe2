//! The descriptors that this thread's JavaScript environment holds, so that they are closed when a worker thread ends: nobody is
//! left then who could release them. (Node closes by itself only what `node:fs` has opened.)
//!
//! Kept by thread: an environment runs on one thread, and each of its calls comes from there.

use std::cell::RefCell;

use procref_locks::file_lock::{BorrowedDescriptor, Descriptor};

#[cfg(unix)]
use unix as raw;
#[cfg(windows)]
use windows as raw;

thread_local! {
    static HELD: RefCell<DescriptorSet> = const { RefCell::new(DescriptorSet { words: Vec::new() }) };
}

/// Bits, because descriptors are small numbers (handles: as a fourth of them), and adding one is on the way of every claim.
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
pub fn hand_out(descriptor: Descriptor) -> i32 {
    let index = raw::give_up(descriptor);
    HELD.with_borrow_mut(|held| held.insert(index));
    index as i32
}

/// What was handed out, taken back; `None`: this environment has no such descriptor (any more), so it may be somebody else's.
pub fn take_back(number: i32) -> Option<Descriptor> {
    let index = usize::try_from(number).ok()?;
    let ours = HELD.with_borrow_mut(|held| held.remove(index));
    // SAFETY: `hand_out` gave up this descriptor's ownership, and removing its bit takes that back exactly once.
    ours.then(|| unsafe { raw::take(index) })
}

/// Calls `use_it` with a descriptor that was handed out; `None`: this environment has no such descriptor (any more).
pub fn borrow<T>(number: i32, use_it: impl FnOnce(BorrowedDescriptor<'_>) -> T) -> Option<T> {
    let index = usize::try_from(number).ok()?;
    let ours = HELD.with_borrow(|held| held.contains(index));
    // SAFETY: while its bit is set only `take_back` and `close_all`, on this very thread, can close the descriptor.
    ours.then(|| use_it(unsafe { raw::borrow(index) }))
}

/// Closes whatever this environment still holds.
pub fn close_all() {
    let words = HELD.with_borrow_mut(|held| std::mem::take(&mut held.words));
    for (at, word) in words.iter().enumerate() {
        for bit in (0..64).filter(|bit| word & (1 << bit) != 0) {
            // SAFETY: its bit was set, so we own it, and the bits are gone.
            drop(unsafe { raw::take(at * 64 + bit) });
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

    pub fn give_up(fd: OwnedFd) -> usize {
        fd.into_raw_fd() as usize
    }

    /// # Safety
    /// `index` must be of a descriptor that was given up, and is not owned by anybody.
    pub unsafe fn take(index: usize) -> OwnedFd {
        // SAFETY: as the caller promised.
        unsafe { OwnedFd::from_raw_fd(index as i32) }
    }

    /// # Safety
    /// `index` must be of an open descriptor that is not closed meanwhile.
    pub unsafe fn borrow<'a>(index: usize) -> BorrowedFd<'a> {
        // SAFETY: as the caller promised.
        unsafe { BorrowedFd::borrow_raw(index as i32) }
    }
}

/// Handles are small multiples of four: "64-bit versions of Windows use 32-bit handles for interoperability", and "the two lowest
/// bits are reserved" (Interprocess communication between 32-bit and 64-bit applications; Kernel objects).
#[cfg(windows)]
mod windows {
    use std::os::windows::io::{BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle};

    const STEP: usize = 4;

    pub fn give_up(handle: OwnedHandle) -> usize {
        handle.into_raw_handle() as usize / STEP
    }

    /// # Safety
    /// `index` must be of a handle that was given up, and is not owned by anybody.
    pub unsafe fn take(index: usize) -> OwnedHandle {
        // SAFETY: as the caller promised.
        unsafe { OwnedHandle::from_raw_handle((index * STEP) as *mut _) }
    }

    /// # Safety
    /// `index` must be of an open handle that is not closed meanwhile.
    pub unsafe fn borrow<'a>(index: usize) -> BorrowedHandle<'a> {
        // SAFETY: as the caller promised.
        unsafe { BorrowedHandle::borrow_raw((index * STEP) as *mut _) }
    }
}
