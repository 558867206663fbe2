//! Many slots in few files: a slot is one byte of `ofd_0000.lock`, `ofd_0001.lock` …, locked by `fcntl(2)`'s open file description
//! locks. See `docs/slot-directory.md`, "Ranges".
//!
//! Such a lock belongs to the open file description, as one of flock(2) does and a classic POSIX lock does not. So each pool opens a
//! description of its own of each file that it needs, once: two pools of one process exclude each other, a claim is one fcntl (and
//! one stat, to see that the file is still at its path, and one pwrite of the record), and the kernel gives everything back when
//! the process ends. Release is F_UNLCK: the description is nobody else's, for it is not inherited, so unlocking takes nothing from
//! anybody. That is also why a slot cannot be handed to a child.
//!
//! Looking takes no lock at all: F_OFD_GETLK asks what WOULD be in the way of a shared lock, and only holders are. So nobody who
//! looks turns a claimer away, however often they look. The only shared locks are those of `wait`, and these do not look like
//! holders to those who look.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::file_lock::{LockError, MAX_REPLACEMENTS};

pub(crate) mod byte_locks;
mod hint_map;
mod shard;
pub mod wait;

use hint_map::HintMap;
pub use shard::{RECORD_BYTES, SLOTS_A_FILE};
use shard::{ShardFile, Slots, bit, bits};

type Result<T> = std::result::Result<T, LockError>;

/// The number of a slot takes so many bits of a `Token`, the rest say in which file of its shard: 100,000 slots are fewer than 2¹⁷.
const SLOT_BITS: u32 = 17;
const GENERATIONS: u32 = 1 << (31 - SLOT_BITS);
const MAX_SLOTS: u32 = 100_000;

/// A claim without a look at all locks tries so many slots, in so many files, and then leaves it to those looks.
const MAX_TRIES: u32 = 64;
const MAX_SHARDS: u32 = 8;

/// A slot in one certain file: that of its path may be deleted and made anew, and the slot claimed again there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(u32);

impl Token {
    fn new(generation: u32, slot: u32) -> Self {
        Self(generation << SLOT_BITS | slot)
    }

    pub fn slot(self) -> u32 {
        self.0 & ((1 << SLOT_BITS) - 1)
    }

    fn generation(self) -> u32 {
        self.0 >> SLOT_BITS
    }

    /// Never negative.
    pub fn to_int(self) -> i32 {
        self.0 as i32
    }

    pub fn from_int(int: i32) -> Option<Self> {
        u32::try_from(int).ok().map(Self)
    }
}

/// What a look at all slots of a shard came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    Taken(Token),
    /// Every slot was proven to be held.
    AllHeld,
    /// Nothing could be claimed, yet nobody held these: their holders have just left, or somebody who waits was granted them for a moment.
    /// Trying again is right.
    Unproven(Vec<u32>),
}

/// The slots of one directory, as one part of a program sees them. Dropped, it gives back what it holds.
pub struct Pool {
    slots: u32,
    record: Vec<u8>,
    shards: Vec<Shard>,
    hints: HintMap,
    /// The slot to be tried first.
    next: u32,
    /// We have just released it: worth a try whatever the hints say.
    next_is_free: bool,
}

/// A shard and all the files at its path that are of interest.
struct Shard {
    path: PathBuf,
    count: u32,
    /// Where the path led when it was last looked at.
    current: Option<ShardFile>,
    /// Files no longer at the path, while somebody holds a slot in them; and descriptions that got their lock by waiting.
    others: Vec<ShardFile>,
    last_generation: u32,
}

enum Claim {
    Taken(Token),
    Refused,
}

impl Pool {
    /// Opens nothing yet but the hints. `first`: the slot to be tried first; everybody had better start somewhere else.
    pub fn open(dir: &Path, slots: u32, record: &[u8], first: u32) -> Result<Self> {
        if slots == 0 || slots > MAX_SLOTS || record.len() > RECORD_BYTES {
            return Err(LockError::system("open", io::Error::from_raw_os_error(libc::EINVAL)));
        }
        let shards = (0..slots.div_ceil(SLOTS_A_FILE)).map(|index| Shard {
            path: dir.join(format!("ofd_{index:04}.lock")),
            count: (slots - index * SLOTS_A_FILE).min(SLOTS_A_FILE),
            current: None,
            others: Vec::new(),
            last_generation: 0,
        });
        Ok(Self {
            slots,
            record: record.to_vec(),
            shards: shards.collect(),
            hints: HintMap::open(dir.join("hints"), slots),
            next: first % slots,
            next_is_free: false,
        })
    }

    pub fn shards(&self) -> u32 {
        self.slots.div_ceil(SLOTS_A_FILE)
    }

    /// Claims a slot that is probably free: that released last, or the next one that the hints do not advise against. `None` says
    /// nothing but that none was found so quickly, for whatever reason: `scan` the shards then.
    pub fn try_claim(&mut self) -> Option<Token> {
        let first = self.next;
        if std::mem::take(&mut self.next_is_free) {
            match self.claim(first) {
                Ok(Claim::Taken(token)) => return Some(token),
                Ok(Claim::Refused) => self.learn(first),
                // The scan meets the same trouble, and knows where.
                Err(_) => {}
            }
        }
        self.try_hints(first)
    }

    /// Claims this very slot; `None`: refused.
    pub fn try_claim_at(&mut self, slot: u32) -> Result<Option<Token>> {
        if slot >= self.slots {
            return Err(invalid());
        }
        Ok(match self.claim(slot)? {
            Claim::Taken(token) => Some(token),
            Claim::Refused => None,
        })
    }

    /// Looks at the locks of all slots of a shard and claims the first that nobody holds. Puts the hints right.
    pub fn scan(&mut self, shard: u32) -> Result<Scan> {
        for _ in 0..MAX_REPLACEMENTS {
            let here = self.shards.get_mut(shard as usize).ok_or_else(invalid)?;
            let count = here.count;
            let held = self.hints.look_at_all(shard, || here.open_current()?.held(count))?;
            // A lock on a file that is no longer at its path says nothing about the slot.
            if here.is_current() {
                let free = bits(0, count) & !held;
                return self.claim_one_of(shard, free);
            }
            here.retire();
        }
        Err(LockError::Replaced)
    }

    /// After `scan` found nothing in any shard: from now on other programs' hints are read, if these use another file by now.
    pub fn refresh_hints(&mut self) {
        self.hints.open_anew();
    }

    /// Gives the slot back; false: it was given back before.
    pub fn release(&mut self, token: Token) -> bool {
        let slot = token.slot();
        let (shard, byte) = split(slot);
        let Ok(here) = self.shard(shard) else { return false };
        let Some(file) = here.file(token) else { return false };
        if file.own() & bit(byte) == 0 {
            return false;
        }
        file.unlock(byte);
        here.forget_unused();
        self.hints.released(shard, byte);
        // Probably still free, and its file warm.
        self.next = slot;
        self.next_is_free = true;
        true
    }

    /// Does the path still lead to the file in which the slot is? False also when it cannot be told.
    pub fn is_current(&mut self, token: Token) -> bool {
        let Ok(here) = self.shard(split(token.slot()).0) else {
            return false;
        };
        let path = here.path.clone();
        here.file(token).is_some_and(|file| file.is_at(&path))
    }

    /// The slots of a shard that are held, by whomever, in all the files that are known; nothing is made.
    ///
    /// Guarantee: who was seen here once is seen until they let go, whatever happens to the file or the directory.
    pub fn used(&mut self, shard: u32) -> Result<Vec<Token>> {
        let here = self.shard(shard)?;
        if !here.is_current() {
            here.retire();
        }
        if here.current.is_none() {
            let generation = here.new_generation();
            here.current = ShardFile::open(&here.path, false, generation)?;
        }
        let used = here.used(shard * SLOTS_A_FILE)?;
        // No more than what is needed stays open: whoever looks at a large pool needs no descriptor for each of its files.
        if !used.iter().any(|token| here.is_in_current(*token)) {
            here.current = None;
        }
        here.forget_unused();
        Ok(used)
    }

    /// Does this pool know somebody in that shard, or has it been there? Those are to be looked at first.
    pub fn is_open(&self, shard: u32) -> bool {
        self.shards
            .get(shard as usize)
            .is_some_and(|here| here.current.is_some() || !here.others.is_empty())
    }

    /// What stands there about the slot's holder; nothing, if it is not known any more.
    pub fn read_record(&mut self, token: Token) -> Result<Vec<u8>> {
        let (shard, byte) = split(token.slot());
        match self.shard(shard)?.file(token) {
            Some(file) => file.read_record(byte),
            None => Ok(Vec::new()),
        }
    }

    /// New open file descriptions of all files in which a slot of the shard may be held.
    fn reopen(&mut self, shard: u32) -> Result<Vec<OwnedFd>> {
        let here = self.shard(shard)?;
        here.files().map(ShardFile::reopen).collect()
    }

    /// A new open file description of the file at the slot's path, which is made if there is none.
    fn reopen_current(&mut self, shard: u32) -> Result<OwnedFd> {
        let here = self.shard(shard)?;
        if !here.is_current() {
            here.retire();
        }
        here.open_current()?.reopen()
    }

    /// The slot was locked through `fd` by waiting for it; `None`: its file is no longer the one at the path, so it was let go.
    pub fn adopt(&mut self, fd: OwnedFd, slot: u32) -> Result<Option<Token>> {
        if slot >= self.slots {
            return Err(invalid());
        }
        let (shard, byte) = split(slot);
        let record = self.record.clone();
        let here = self.shard(shard)?;
        let mut file = ShardFile::new(fd, here.new_generation())?;
        file.has_locked(byte);
        if !file.is_at(&here.path) {
            return Ok(None);
        }
        file.write_record(byte, &record)?;
        let token = Token::new(file.generation, slot);
        here.others.push(file);
        Ok(Some(token))
    }

    fn try_hints(&mut self, first: u32) -> Option<Token> {
        let (mut shard, mut from) = split(first);
        let count = self.shards();
        let mut left = count;
        let mut tries = 0;
        for _ in 0..MAX_SHARDS {
            while let Some(slot) = self.likely_slot(shard, from) {
                if tries == MAX_TRIES {
                    return None;
                }
                tries += 1;
                match self.claim(slot) {
                    Ok(Claim::Taken(token)) => return Some(token),
                    Ok(Claim::Refused) => self.learn(slot),
                    // The scan meets the same trouble, and knows where.
                    Err(_) => break,
                }
                from = split(slot).1 + 1;
            }
            left -= 1;
            let likely = self.hints.likely_shard((shard + 1) % count, left)?;
            left -= (likely + count - shard - 1) % count;
            (shard, from) = (likely, 0);
        }
        None
    }

    /// One of the shard's slots that is worth a try, in turn from `from`. If there is none, the shard is marked as full.
    fn likely_slot(&mut self, shard: u32, from: u32) -> Option<u32> {
        let here = self.shards.get(shard as usize)?;
        let own = here.current.as_ref().map_or(0, ShardFile::own);
        let likely = bits(0, here.count) & !own & !self.hints.taken(shard);
        if likely == 0 {
            self.hints.nothing_likely(shard, own);
        }
        let behind = likely & !bits(0, from);
        let found = if behind == 0 { likely } else { behind };
        (found != 0).then(|| shard * SLOTS_A_FILE + found.trailing_zeros())
    }

    /// The slot was refused: marks it, and all that its holder has beside it, so that nobody tries them soon.
    fn learn(&self, slot: u32) {
        let (shard, byte) = split(slot);
        let Some(here) = self.shards.get(shard as usize) else {
            return;
        };
        let Some(file) = &here.current else { return };
        self.hints.turned_away(shard, || match file.own() & bit(byte) {
            0 => file.holder_of(byte).ok().flatten().unwrap_or(0) & bits(0, here.count),
            // Ours are marked too: other programs do not try them, and releasing them takes the marks away.
            own => own,
        });
    }

    fn claim_one_of(&mut self, shard: u32, free: Slots) -> Result<Scan> {
        let mut unproven = Vec::new();
        for byte in (0..SLOTS_A_FILE).filter(|byte| free & bit(*byte) != 0) {
            let slot = shard * SLOTS_A_FILE + byte;
            match self.claim(slot)? {
                Claim::Taken(token) => return Ok(Scan::Taken(token)),
                Claim::Refused if self.is_held(shard, byte)? => self.learn(slot),
                Claim::Refused => unproven.push(slot),
            }
        }
        Ok(if unproven.is_empty() {
            Scan::AllHeld
        } else {
            Scan::Unproven(unproven)
        })
    }

    fn is_held(&mut self, shard: u32, byte: u32) -> Result<bool> {
        match &self.shard(shard)?.current {
            Some(file) => Ok(file.own() & bit(byte) != 0 || file.holder_of(byte)?.is_some()),
            None => Ok(false),
        }
    }

    fn claim(&mut self, slot: u32) -> Result<Claim> {
        let (shard, byte) = split(slot);
        let Some(here) = self.shards.get_mut(shard as usize) else {
            return Err(invalid());
        };
        for _ in 0..MAX_REPLACEMENTS {
            let file = here.open_current()?;
            let generation = file.generation;
            let locked = file.try_lock(byte)?;
            // Neither a lock nor a refusal of a file that is no longer at its path says anything about the slot.
            if !here.is_current() {
                if let (true, Some(file)) = (locked, &mut here.current) {
                    file.unlock(byte);
                }
                here.retire();
                continue;
            }
            if !locked {
                return Ok(Claim::Refused);
            }
            if let Some(file) = &mut here.current
                && let Err(error) = file.write_record(byte, &self.record)
            {
                file.unlock(byte);
                return Err(error);
            }
            // The next claim starts behind this slot: else a process that claims many would first try all that it holds itself.
            self.next = (slot + 1) % self.slots;
            return Ok(Claim::Taken(Token::new(generation, slot)));
        }
        Err(LockError::Replaced)
    }

    fn shard(&mut self, shard: u32) -> Result<&mut Shard> {
        self.shards.get_mut(shard as usize).ok_or_else(invalid)
    }
}

impl Shard {
    fn files(&self) -> impl Iterator<Item = &ShardFile> {
        self.current.iter().chain(&self.others)
    }

    fn file(&mut self, token: Token) -> Option<&mut ShardFile> {
        let mut files = self.current.iter_mut().chain(&mut self.others);
        files.find(|file| file.generation == token.generation())
    }

    fn is_in_current(&self, token: Token) -> bool {
        self.current
            .as_ref()
            .is_some_and(|file| file.generation == token.generation())
    }

    fn is_current(&self) -> bool {
        self.current.as_ref().is_some_and(|file| file.is_at(&self.path))
    }

    fn open_current(&mut self) -> Result<&mut ShardFile> {
        if self.current.is_none() {
            let generation = self.new_generation();
            self.current = ShardFile::open(&self.path, true, generation)?;
        }
        self.current.as_mut().ok_or_else(invalid)
    }

    /// One that none of the open files has.
    fn new_generation(&mut self) -> u32 {
        loop {
            self.last_generation = (self.last_generation + 1) % GENERATIONS;
            let candidate = self.last_generation;
            if self.files().all(|file| file.generation != candidate) {
                return candidate;
            }
        }
    }

    /// The file is no longer at the path: kept while anybody holds a slot in it.
    fn retire(&mut self) {
        self.others.extend(self.current.take());
        self.forget_unused();
    }

    fn forget_unused(&mut self) {
        if self.others.is_empty() {
            return;
        }
        let mut kept: Vec<ShardFile> = Vec::new();
        for file in std::mem::take(&mut self.others) {
            // One description of each file is enough to see who else is there.
            let is_known = self.current.iter().chain(&kept).any(|other| other.is_same_file(&file));
            // What cannot be looked at may be held.
            let is_used = || file.held_by_others(self.count).map_or(true, |held| held != 0);
            if file.own() != 0 || (!is_known && is_used()) {
                kept.push(file);
            }
        }
        self.others = kept;
    }

    fn used(&self, first_slot: u32) -> Result<Vec<Token>> {
        let mut used = Vec::new();
        for (n, file) in self.files().enumerate() {
            // Another description of a file that was looked at before: through that one its locks were seen.
            if self.files().take(n).any(|before| before.is_same_file(file)) {
                continue;
            }
            let held = file.held(self.count)?;
            let slots = (0..self.count).filter(|byte| held & bit(*byte) != 0);
            used.extend(slots.map(|byte| Token::new(file.generation, first_slot + byte)));
        }
        Ok(used)
    }
}

impl ShardFile {
    fn held(&self, count: u32) -> Result<Slots> {
        Ok(self.own() | self.held_by_others(count)?)
    }
}

/// The shard of a slot, and its number there.
fn split(slot: u32) -> (u32, u32) {
    (slot / SLOTS_A_FILE, slot % SLOTS_A_FILE)
}

fn invalid() -> LockError {
    LockError::system("fcntl", io::Error::from_raw_os_error(libc::EINVAL))
}

#[cfg(test)]
mod tests;
