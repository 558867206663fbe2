//! Where a free slot probably is, so that a claim in a nearly full pool need not try the others.
//!
//! Only a hint: the kernel alone knows who holds a slot, and it tells nobody when a holder is killed, so no file that programs
//! write can be right. This one is allowed to be wrong at any time: a killed holder's marks stay, several write to it at once, it may be
//! truncated, overwritten, deleted, or written by another version. What it says decides which slot is TRIED first, and nothing else:
//! whether a slot is free is what its lock says, and that all are held is said only after every lock was looked at, which puts
//! this map right as well.
//!
//! Not mapped into memory: whoever truncates a mapped file kills those who touch it (SIGBUS), and that would be a whole Node process
//! for the sake of a hint. A byte is read or written in about a system call's own time, and most claims and releases need
//! one read of one byte in all, because marks are made by those who are turned away and not by those who claim. So there are no atomics
//! here either: a byte is written whole.
//!
//! Layout: for each shard one byte, then for each slot one byte. `TAKEN` means "do not try it", whatever else is there, or is
//! missing, "perhaps free". A byte and not a bit for each, so that nobody has to read what others write at that moment.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use super::shard::{SLOTS_A_FILE, Slots, bit, bits};
use crate::file_lock;

const TAKEN: u8 = 1;
const FREE: u8 = 0;

/// The largest pool's shards.
const MAX_SHARDS: usize = 100_000usize.div_ceil(SLOTS_A_FILE as usize);

pub struct HintMap {
    path: PathBuf,
    shards: u32,
    slots: u32,
    /// `None`: it cannot be opened, so nothing is known; then claims are slow where the pool is nearly full, and right.
    file: Option<OwnedFd>,
}

impl HintMap {
    pub fn open(path: PathBuf, slots: u32) -> Self {
        let file = open(&path);
        let shards = slots.div_ceil(SLOTS_A_FILE);
        Self {
            path,
            shards,
            slots,
            file,
        }
    }

    /// After a look at all locks found nothing to claim: then it does not matter what this costs. Others may use another file by now.
    pub fn open_anew(&mut self) {
        self.file = open(&self.path);
    }

    /// The first shard, in turn from `first`, that may have a free slot, of `count`.
    pub fn likely_shard(&self, first: u32, count: u32) -> Option<u32> {
        let mut known = [FREE; MAX_SHARDS];
        let known = known.get_mut(..self.shards as usize)?;
        self.read(known, 0);
        (0..count)
            .map(|n| (first + n) % self.shards)
            .find(|shard| known.get(*shard as usize) != Some(&TAKEN))
    }

    /// The slots of a shard that had better not be tried.
    pub fn taken(&self, shard: u32) -> Slots {
        let mut known = [FREE; SLOTS_A_FILE as usize];
        let count = self.slots_of(shard) as usize;
        if let Some(known) = known.get_mut(..count) {
            self.read(known, self.slot_at(shard, 0));
        }
        let marked = known.iter().zip(0..).filter(|(byte, _)| **byte == TAKEN);
        marked.fold(0, |slots, (_, slot)| slots | bit(slot))
    }

    /// Somebody was turned away from a slot: marks it and what its holder has beside it, as `look` says it.
    ///
    /// The marks are made BEFORE the look that confirms them. Whoever releases one of these slots after that look finds the mark, and takes it
    /// away; who released one before is seen by the look, and the mark goes. WRONG: look, then mark; it stays on a slot that
    /// was released in between.
    pub fn turned_away(&self, shard: u32, mut look: impl FnMut() -> Slots) {
        let found = look();
        self.mark(shard, found, TAKEN);
        self.mark_free(shard, found & !look());
    }

    /// `look`, at all slots of a shard, with the marks put right; in the same order, for the same reason.
    pub fn look_at_all<E>(&self, shard: u32, look: impl FnOnce() -> Result<Slots, E>) -> Result<Slots, E> {
        let all = bits(0, self.slots_of(shard));
        self.mark(shard, all, TAKEN);
        self.write(&[TAKEN], shard.into());
        let held = look()?;
        self.mark_free(shard, all & !held);
        Ok(held)
    }

    /// Nothing in the shard is worth a try: it is passed over from now on. `own`: what the caller holds, which has turned nobody away yet,
    /// so nobody has marked it.
    pub fn nothing_likely(&self, shard: u32, own: Slots) {
        self.mark(shard, own & !self.taken(shard), TAKEN);
        self.write(&[TAKEN], shard.into());
        // Whoever released one of them in between did not find the mark of the shard.
        if bits(0, self.slots_of(shard)) & !self.taken(shard) != 0 {
            self.write(&[FREE], shard.into());
        }
    }

    /// To be called AFTER the slot was released. Nobody was turned away by it in nearly every case, so nobody has marked it.
    pub fn released(&self, shard: u32, slot: u32) {
        let mut known = [FREE];
        self.read(&mut known, self.slot_at(shard, slot));
        if known == [TAKEN] {
            self.mark_free(shard, bit(slot));
        }
    }

    fn mark_free(&self, shard: u32, slots: Slots) {
        if slots != 0 {
            self.mark(shard, slots, FREE);
            self.write(&[FREE], shard.into());
        }
    }

    fn slots_of(&self, shard: u32) -> u32 {
        self.slots.saturating_sub(shard * SLOTS_A_FILE).min(SLOTS_A_FILE)
    }

    fn slot_at(&self, shard: u32, slot: u32) -> u64 {
        u64::from(self.shards) + u64::from(shard * SLOTS_A_FILE + slot)
    }

    /// One write for each run of slots.
    fn mark(&self, shard: u32, mut slots: Slots, mark: u8) {
        let marks = [mark; SLOTS_A_FILE as usize];
        while slots != 0 {
            let start = slots.trailing_zeros();
            let length = (slots >> start).trailing_ones();
            if let Some(marks) = marks.get(..length as usize) {
                self.write(marks, self.slot_at(shard, start));
            }
            slots &= !bits(start, start + length);
        }
    }

    /// What cannot be read, or is not there, stays as it is: nothing but time depends on it.
    fn read(&self, bytes: &mut [u8], at: u64) {
        if let Some(file) = &self.file {
            rustix::io::pread(file, bytes, at).ok();
        }
    }

    /// What cannot be written is not known: nothing but time depends on it.
    fn write(&self, bytes: &[u8], at: u64) {
        if let Some(file) = &self.file {
            rustix::io::pwrite(file, bytes, at).ok();
        }
    }
}

fn open(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = file_lock::open(path, flags).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some(file)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::test_dir::TestDir;

    fn mark_taken(map: &HintMap, shard: u32, slots: Slots) {
        map.turned_away(shard, || slots);
    }

    #[test]
    fn what_is_marked_is_passed_over_until_it_is_released() {
        let dir = TestDir::new();
        let map = HintMap::open(dir.join("hints"), 300);
        let other = HintMap::open(dir.join("hints"), 300);
        assert_eq!(map.taken(1), 0);
        mark_taken(&map, 1, bit(3) | bit(4) | bit(127));
        assert_eq!(other.taken(1), bit(3) | bit(4) | bit(127));
        assert_eq!(other.taken(0), 0);
        other.released(1, 4);
        other.released(1, 5);
        assert_eq!(map.taken(1), bit(3) | bit(127));
    }

    #[test]
    fn full_shards_are_passed_over_until_one_of_their_slots_is_released() {
        let dir = TestDir::new();
        let map = HintMap::open(dir.join("hints"), 300);
        assert_eq!(map.likely_shard(2, 3), Some(2));
        mark_taken(&map, 2, bits(0, 40));
        map.nothing_likely(2, bits(40, 44));
        assert_eq!(map.likely_shard(2, 3), Some(0));
        for shard in [0, 1] {
            map.look_at_all(shard, || Ok::<_, ()>(Slots::MAX)).unwrap();
        }
        assert_eq!(map.likely_shard(0, 3), None);
        map.released(2, 43);
        assert_eq!(map.likely_shard(0, 3), Some(2));
    }

    #[test]
    fn a_shard_in_which_something_may_be_free_is_not_marked_as_full() {
        let dir = TestDir::new();
        let map = HintMap::open(dir.join("hints"), 300);
        mark_taken(&map, 0, bits(0, 127));
        map.nothing_likely(0, 0);
        assert_eq!(map.likely_shard(0, 1), Some(0));
    }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    enum Moment {
        BeforeTheLook,
        AfterTheLook,
    }
    use Moment::{AfterTheLook, BeforeTheLook};

    /// A look at shard 0, with somebody who releases slot 5 at that moment.
    fn look(map: &HintMap, held: &Cell<Slots>, releases: Option<Moment>) -> Slots {
        let release = || {
            held.set(held.get() & !bit(5));
            map.released(0, 5);
        };
        if releases == Some(BeforeTheLook) {
            release();
        }
        let seen = held.get();
        if releases == Some(AfterTheLook) {
            release();
        }
        seen
    }

    #[test]
    fn a_slot_that_is_released_while_somebody_is_turned_away_is_not_marked_afterwards() {
        for (releasing, moment) in [
            (1, BeforeTheLook),
            (1, AfterTheLook),
            (2, BeforeTheLook),
            (2, AfterTheLook),
        ] {
            let dir = TestDir::new();
            let map = HintMap::open(dir.join("hints"), 300);
            let held = Cell::new(bit(5) | bit(6));
            let mut looks = 0;
            map.turned_away(0, || {
                looks += 1;
                look(&map, &held, (looks == releasing).then_some(moment))
            });
            assert_eq!(map.taken(0), bit(6), "{moment:?} {releasing}");
        }
    }

    #[test]
    fn a_slot_that_is_released_during_a_look_at_all_is_not_marked_afterwards_and_nor_is_the_shard() {
        for moment in [BeforeTheLook, AfterTheLook] {
            let dir = TestDir::new();
            let map = HintMap::open(dir.join("hints"), 300);
            let held = Cell::new(Slots::MAX);
            map.look_at_all(0, || Ok::<_, ()>(look(&map, &held, Some(moment))))
                .unwrap();
            assert_eq!((map.taken(0), map.likely_shard(0, 1)), (!bit(5), Some(0)), "{moment:?}");
        }
    }

    #[test]
    fn a_map_that_cannot_be_opened_or_is_rubbish_says_perhaps() {
        let dir = TestDir::new();
        std::fs::create_dir(dir.join("hints")).unwrap();
        let map = HintMap::open(dir.join("hints"), 300);
        mark_taken(&map, 0, 1);
        map.nothing_likely(0, 0);
        assert_eq!((map.taken(0), map.likely_shard(0, 3)), (0, Some(0)));
        std::fs::write(dir.join("rubbish"), [0xff; 20]).unwrap();
        let map = HintMap::open(dir.join("rubbish"), 300);
        assert_eq!((map.taken(0), map.taken(2), map.likely_shard(1, 3)), (0, 0, Some(1)));
    }

    #[test]
    fn a_map_that_is_truncated_while_it_is_used_only_forgets() {
        let dir = TestDir::new();
        let map = HintMap::open(dir.join("hints"), 300);
        mark_taken(&map, 2, bit(7));
        std::fs::OpenOptions::new()
            .write(true)
            .open(dir.join("hints"))
            .unwrap()
            .set_len(0)
            .unwrap();
        assert_eq!(map.taken(2), 0);
        mark_taken(&map, 2, bit(8));
        assert_eq!(map.taken(2), bit(8));
    }
}
