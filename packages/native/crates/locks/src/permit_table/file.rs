//! The file that all processes of a pool map: its layout, how it is made and recognised, and the kernel locks on it.
//!
//! ```text
//! 0        header: format, slots, inode, name of the semaphores, boot, reach; from 2048 on the words that change
//! 4096     the processes: who has the file open, and how many operations each is in the middle of
//! 69632    16 bytes a slot: its word
//! then     512 bytes a slot: its holder's record (not mapped)
//! ```
//! The header names the boot, since processes of an earlier one are dead; the file's own inode, since a copy is another table with the same
//! semaphores; and its reach, see `reach`.
//!
//! # Locks
//! | lock | who | what for |
//! |---|---|---|
//! | flock(2), shared | who has the file open | that nobody takes it for unused |
//! | flock(2), exclusive | the last one who leaves; who finds a table out of its reach | proof that nobody uses it: its semaphores may go |
//! | `WATCHDOG` byte (OFD) | one thread of all | who repairs |
//! | `SWITCH` byte (OFD) | for the time of a switch | one switch at a time, and one who takes the dead off the list |
//!
//! All of them end with their process.
//!
//! # A file that shrinks
//! Touching a mapped page that the file no longer has is SIGBUS. As in `robust_mutex`: the size is asked for before, and a program
//! that truncates the file in the moment between still kills us. A full disk does not: all that is mapped was written before.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::TableError;
use super::protocol::Word;
use super::reach::reach;
use crate::identity::boot_id;
use crate::ofd_range::byte_locks;
use crate::posix_semaphore::random_name;

/// More would be looked at for each scan, and no pool of ours is larger.
pub const MAX_SLOTS: usize = 10_000;
/// Who has the file open at once.
pub const MAX_PROCESSES: usize = 4_096;
/// What a holder may leave about itself.
pub const RECORD_BYTES: usize = 512;

pub const WATCHDOG: u64 = 1 << 40;
const SWITCH: u64 = WATCHDOG + 1;

const FORMAT: &[u8; 32] = b"procref permit table, format 1\n\0";
const SLOTS_AT: usize = FORMAT.len();
const INODE_AT: usize = SLOTS_AT + 8;
const NAME_AT: usize = INODE_AT + 8;
const NAME_BYTES: usize = 64;
const BOOT_AT: usize = NAME_AT + NAME_BYTES;
const BOOT_BYTES: usize = 64;
const REACH_AT: usize = BOOT_AT + BOOT_BYTES;
const REACH_BYTES: usize = 512;
const FACTS_BYTES: usize = REACH_AT + REACH_BYTES;
const STATE_AT: usize = 2048;
const PROCESSES_AT: usize = 4096;
const WORDS_AT: usize = PROCESSES_AT + MAX_PROCESSES * size_of::<Process>();
/// While the last one leaves nobody can open the file: a few system calls.
const LEAVING_LOOKS: usize = 20;
const LEAVING_LOOK_AGAIN: std::time::Duration = std::time::Duration::from_micros(100);
/// Replaced this often while it is opened, a file is being deleted on purpose.
const MAX_REPLACEMENTS: usize = 8;

/// What changes in the header.
#[derive(Debug)]
#[repr(C)]
pub struct State {
    pub generation: AtomicU64,
    /// Of every generation before, the semaphore has no name any more.
    pub first_name: AtomicU64,
    /// Which process repairs: a label.
    pub watchdog: AtomicU64,
}

/// A process that has the file open. Taken by whoever changes `holder` from 0.
#[derive(Debug)]
#[repr(C)]
pub struct Process {
    pub holder: AtomicU64,
    pub in_flight: AtomicU32,
    unused: u32,
}

/// What stands in the header for good.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    slots: usize,
    inode: u64,
    /// The semaphores are called this, with the generation's number behind it.
    semaphores: String,
    boot: String,
    reach: String,
}

/// The open file, locked as used and mapped.
#[derive(Debug)]
pub struct TableFile {
    pub file: File,
    path: PathBuf,
    /// Kept open, so nobody else gets its inode number.
    device: u64,
    facts: Facts,
    base: NonNull<libc::c_void>,
    exclusive: Mutex<()>,
}

// SAFETY: the memory belongs to the value, is unmapped by its drop, and is only ever seen as atomics.
unsafe impl Send for TableFile {}
// SAFETY: as above.
unsafe impl Sync for TableFile {}

/// Makes the file at `path`, which must not exist, with every slot free and no semaphore.
///
/// Guarantee: it is complete, and on disk, when this returns. Caller: let nobody see it under its final name before that (link).
pub fn create(path: &Path, slots: usize) -> Result<(), TableError> {
    if slots == 0 || slots > MAX_SLOTS {
        return Err(io::Error::from(Errno::INVAL).into());
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    let facts = Facts {
        slots,
        inode: file.metadata()?.ino(),
        semaphores: random_name()?,
        boot: boot_id()?,
        reach: reach()?,
    };
    // Written, not left as a hole: see above.
    let mut bytes = facts.to_bytes();
    bytes.resize(mapped_bytes(slots), 0);
    file.write_all_at(&bytes, 0)?;
    file.set_len(file_bytes(slots))?;
    file.sync_all()?;
    Ok(())
}

/// Removes the file at `path`, and its semaphores, if nobody has it open. False: somebody has. True also when there is none.
pub fn remove_unused(path: &Path) -> Result<bool, TableError> {
    let file = match open_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    let facts = Facts::of(&file)?;
    if !flock(&file, FlockOperation::NonBlockingLockExclusive)? {
        return Ok(false);
    }
    if !leads_to(path, &file) {
        return Ok(false);
    }
    if file.metadata()?.len() >= mapped_bytes(facts.slots) as u64 {
        TableFile::map(path, file, facts)?.unlink_semaphores()?;
    }
    std::fs::remove_file(path)?;
    Ok(true)
}

impl TableFile {
    /// Opens what `create` made, and keeps it from being removed until it is dropped.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        for _ in 0..MAX_REPLACEMENTS {
            let file = open_file(path)?;
            lock_as_used(&file)?;
            // Locked too late, it was removed before.
            if leads_to(path, &file) {
                return Self::open_locked(path, file);
            }
        }
        Err(io::Error::from(Errno::STALE).into())
    }

    fn open_locked(path: &Path, file: File) -> Result<Self, TableError> {
        let facts = Facts::of(&file)?;
        let status = file.metadata()?;
        if facts.boot != boot_id()? {
            return Err(TableError::OtherBoot);
        }
        if facts.inode != status.ino() {
            return Err(TableError::Damaged("is a copy of another permit table"));
        }
        if status.len() < file_bytes(facts.slots) {
            return Err(TableError::Damaged("was truncated"));
        }
        let here = reach()?;
        if facts.reach != here {
            // Gives up the shared lock; nothing of it is needed any more.
            return Err(if flock(&file, FlockOperation::NonBlockingLockExclusive)? {
                TableError::Unused
            } else {
                TableError::OutOfReach {
                    there: facts.reach,
                    here,
                }
            });
        }
        Self::map(path, file, facts)
    }

    fn map(path: &Path, file: File, facts: Facts) -> Result<Self, TableError> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let base = unsafe {
            mmap(
                ptr::null_mut(),
                mapped_bytes(facts.slots),
                access,
                MapFlags::SHARED,
                &file,
                0,
            )
        }?;
        let base = NonNull::new(base).ok_or(io::Error::from(Errno::NOMEM))?;
        Ok(Self {
            path: path.to_owned(),
            device: file.metadata()?.dev(),
            file,
            facts,
            base,
            exclusive: Mutex::new(()),
        })
    }

    pub fn slots(&self) -> usize {
        self.facts.slots
    }

    pub fn state(&self) -> &State {
        // SAFETY: inside the mapping (of more than a page), aligned, mapped as long as self.
        let state = unsafe { self.base.byte_add(STATE_AT) };
        // SAFETY: as above; any bits are a valid State, and everybody changes them atomically.
        unsafe { state.cast::<State>().as_ref() }
    }

    pub fn processes(&self) -> &[Process] {
        // SAFETY: inside the mapping, aligned, MAX_PROCESSES long, mapped as long as self.
        let first = unsafe { self.base.as_ptr().byte_add(PROCESSES_AT) };
        // SAFETY: as above; any bits are a valid Process, and everybody changes them atomically.
        unsafe { std::slice::from_raw_parts(first.cast::<Process>(), MAX_PROCESSES) }
    }

    pub fn words(&self) -> &[Word] {
        // SAFETY: inside the mapping, aligned, `slots` long, mapped as long as self.
        let first = unsafe { self.base.as_ptr().byte_add(WORDS_AT) };
        // SAFETY: as above; any bits are a valid Word, and everybody changes them atomically.
        unsafe { std::slice::from_raw_parts(first.cast::<Word>(), self.facts.slots) }
    }

    /// `ESTALE` where touching the mapping would be SIGBUS.
    pub fn check_size(&self) -> io::Result<()> {
        if self.file.metadata()?.len() < file_bytes(self.facts.slots) {
            Err(Errno::STALE.into())
        } else {
            Ok(())
        }
    }

    pub fn semaphore_name(&self, generation: u64) -> String {
        format!("{}-{generation}", self.facts.semaphores)
    }

    /// Does the path still lead to this file? False also when it cannot be told.
    pub fn is_current(&self) -> bool {
        std::fs::symlink_metadata(&self.path)
            .is_ok_and(|there| there.ino() == self.facts.inode && there.dev() == self.device)
    }

    /// The place of a slot's record in the file.
    pub fn record_at(&self, slot: usize) -> io::Result<u64> {
        if slot >= self.facts.slots {
            return Err(Errno::INVAL.into());
        }
        Ok((mapped_bytes(self.facts.slots) + slot * RECORD_BYTES) as u64)
    }

    /// Gives up being a user of the file. True: there is no other one, and will not be until it is dropped.
    pub fn is_last(&self) -> io::Result<bool> {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Others may use the file, and remove it.
    pub fn give_up(&self) -> io::Result<()> {
        Ok(rustix::fs::flock(&self.file, FlockOperation::Unlock)?)
    }

    /// Runs `act` while nobody else, in this process or another one, runs something so. `None`: somebody does.
    pub fn exclusively<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
        // The kernel's lock belongs to the open file, and so to all threads of this process.
        let Ok(_guard) = self.exclusive.try_lock() else {
            return Ok(None);
        };
        if !byte_locks::try_lock(self.file.as_fd(), SWITCH)? {
            return Ok(None);
        }
        let acted = act();
        byte_locks::unlock(self.file.as_fd(), SWITCH..SWITCH + 1)?;
        acted.map(Some)
    }

    /// Removes the names of all semaphores, also of one that was made and never became known.
    ///
    /// Caller: is the last, or has the switch lock and has just made the generation the current one.
    pub fn unlink_semaphores(&self) -> io::Result<()> {
        let state = self.state();
        let generation = state.generation.load(SeqCst);
        self.unlink_semaphores_before(generation.saturating_add(2))
    }

    pub fn unlink_semaphores_before(&self, end: u64) -> io::Result<()> {
        let first_name = &self.state().first_name;
        for generation in first_name.load(SeqCst)..end {
            crate::posix_semaphore::unlink(&self.semaphore_name(generation))?;
        }
        first_name.store(end.saturating_sub(1), SeqCst);
        Ok(())
    }
}

impl Drop for TableFile {
    fn drop(&mut self) {
        // SAFETY: what `map` mapped; no reference into it is left, since they borrow self.
        let _ = unsafe { munmap(self.base.as_ptr(), mapped_bytes(self.facts.slots)) };
    }
}

impl Facts {
    fn of(file: &File) -> Result<Self, TableError> {
        let status = file.metadata()?;
        if !status.is_file() {
            return Err(TableError::Damaged("is not a plain file"));
        }
        if status.uid() != rustix::process::geteuid().as_raw() {
            return Err(TableError::Damaged("belongs to another user"));
        }
        let mut bytes = [0; FACTS_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            read => {
                read?;
                Self::parse(&bytes)
            }
        }
        .ok_or(TableError::Damaged("has no header of a permit table"))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_vec();
        bytes.extend_from_slice(&(self.slots as u64).to_ne_bytes());
        bytes.extend_from_slice(&self.inode.to_ne_bytes());
        for (text, length) in [
            (&self.semaphores, NAME_BYTES),
            (&self.boot, BOOT_BYTES),
            (&self.reach, REACH_BYTES),
        ] {
            let end = bytes.len() + length;
            bytes.extend_from_slice(text.as_bytes().get(..length).unwrap_or(text.as_bytes()));
            bytes.resize(end, 0);
        }
        bytes
    }

    fn parse(bytes: &[u8; FACTS_BYTES]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        let text = |at: usize, length: usize| {
            let field = bytes.get(at..at + length)?;
            let text = field.split(|byte| *byte == 0).next()?;
            Some(std::str::from_utf8(text).ok()?.to_owned())
        };
        if bytes.get(..FORMAT.len())? != FORMAT {
            return None;
        }
        let facts = Self {
            slots: usize::try_from(number(SLOTS_AT)?).ok()?,
            inode: number(INODE_AT)?,
            semaphores: text(NAME_AT, NAME_BYTES)?,
            boot: text(BOOT_AT, BOOT_BYTES)?,
            reach: text(REACH_AT, REACH_BYTES)?,
        };
        let named = facts.semaphores.len() > 1 && facts.semaphores.starts_with('/');
        (named && (1..=MAX_SLOTS).contains(&facts.slots)).then_some(facts)
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
}

fn lock_as_used(file: &File) -> Result<(), TableError> {
    for _ in 0..LEAVING_LOOKS {
        if flock(file, FlockOperation::NonBlockingLockShared)? {
            return Ok(());
        }
        std::thread::sleep(LEAVING_LOOK_AGAIN);
    }
    Err(TableError::BeingLeft)
}

/// False: refused.
fn flock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match rustix::fs::flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn leads_to(path: &Path, file: &File) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    ours.nlink() > 0 && ours.dev() == there.dev() && ours.ino() == there.ino()
}

fn mapped_bytes(slots: usize) -> usize {
    WORDS_AT + slots * size_of::<Word>()
}

fn file_bytes(slots: usize) -> u64 {
    (mapped_bytes(slots) + slots * RECORD_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_was_put_into_it_and_rubbish_says_nothing() {
        let facts = Facts {
            slots: 100,
            inode: 42,
            semaphores: "/prf-0123".into(),
            boot: "5c1c".into(),
            reach: "pid:[1]".into(),
        };
        let bytes: [u8; FACTS_BYTES] = facts.to_bytes().try_into().unwrap();
        assert_eq!(Facts::parse(&bytes), Some(facts));
        for byte in [0, SLOTS_AT + 6, NAME_AT] {
            let mut rubbish = bytes;
            rubbish[byte] = 0xff;
            assert_eq!(Facts::parse(&rubbish), None, "{byte}");
        }
    }

    #[test]
    fn what_changes_is_where_the_layout_says() {
        assert_eq!(size_of::<Process>(), 16);
        assert_eq!(size_of::<Word>(), 16);
        assert_eq!(WORDS_AT, 69_632);
        const { assert!(FACTS_BYTES <= STATE_AT && STATE_AT + size_of::<State>() <= PROCESSES_AT) };
    }
}
