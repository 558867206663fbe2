//! One file with the lock bytes and the records of up to 128 slots.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags, Stat};
use rustix::io::Errno;

use super::byte_locks;
use crate::file_lock::{self, LockError};

/// The kernel goes through all locks of a file at each call, so a claim costs more the more holders share one; and each file costs
/// whoever looks at it an open, and whoever uses it a descriptor. Measured (the scenario `locks-of-one-file`
/// of `benchmarks`): beside so many single locks of others one more costs less than twice what it does in an
/// empty file, beside twice as many about four times, and from there on it grows with their number.
pub const SLOTS_A_FILE: u32 = 128;
/// One bit for each slot of a file.
pub type Slots = u128;
/// What is written about the holder of a slot, at this many bytes times its number in the file.
pub const RECORD_BYTES: usize = 512;

// O_NONBLOCK means nothing for a plain file, but opening a FIFO would wait without it.
const AGAIN: OFlags = OFlags::RDWR
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);
const EXISTING: OFlags = AGAIN.union(OFlags::NOFOLLOW);

/// Our own open file description of a shard's file. Dropped, it gives back what it holds.
pub struct ShardFile {
    fd: OwnedFd,
    stat: Stat,
    own: Slots,
    /// Tells the files that one shard has had, one after another, apart.
    pub generation: u32,
}

impl ShardFile {
    /// `None`: there is no file (and none is to be made).
    pub fn open(path: &Path, create: bool, generation: u32) -> Result<Option<Self>, LockError> {
        let flags = if create {
            EXISTING.union(OFlags::CREATE)
        } else {
            EXISTING
        };
        match file_lock::open(path, flags) {
            Ok(fd) => Self::new(fd, generation).map(Some),
            Err(LockError::System { error, .. }) if !create && is(&error, Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn new(fd: OwnedFd, generation: u32) -> Result<Self, LockError> {
        let stat = rustix::fs::fstat(&fd).map_err(|error| LockError::system("fstat", error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(LockError::NotAPlainFile);
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(LockError::ForeignOwner(stat.st_uid));
        }
        Ok(Self {
            fd,
            stat,
            own: 0,
            generation,
        })
    }

    /// Is the file at `path`? While it is open nobody else can get its inode number, so one look at the path tells. False also when
    /// it cannot be told.
    pub fn is_at(&self, path: &Path) -> bool {
        rustix::fs::stat(path).is_ok_and(|there| there.st_nlink > 0 && self.is_file(&there))
    }

    pub fn is_same_file(&self, other: &Self) -> bool {
        self.is_file(&other.stat)
    }

    fn is_file(&self, stat: &Stat) -> bool {
        stat.st_ino == self.stat.st_ino && stat.st_dev == self.stat.st_dev
    }

    /// What we hold ourselves, through this very description.
    pub fn own(&self) -> Slots {
        self.own
    }

    /// False: somebody has it, we ourselves perhaps, or somebody waits for it and was granted a shared lock this moment.
    pub fn try_lock(&mut self, slot: u32) -> Result<bool, LockError> {
        if self.own & bit(slot) != 0 {
            return Ok(false);
        }
        let locked = byte_locks::try_lock(self.fd.as_fd(), slot.into()).map_err(fcntl_error)?;
        if locked {
            self.own |= bit(slot);
        }
        Ok(locked)
    }

    /// Says that this description has the lock of the slot, which it got in another way.
    pub fn has_locked(&mut self, slot: u32) {
        self.own |= bit(slot);
    }

    /// The kernel refuses this only when it has no memory left for splitting a lock; then the slot stays ours, and in use.
    pub fn unlock(&mut self, slot: u32) {
        if byte_locks::unlock(self.fd.as_fd(), slot.into()..u64::from(slot) + 1).is_ok() {
            self.own &= !bit(slot);
        }
    }

    /// The slots that other descriptions hold, of the first `count`.
    pub fn held_by_others(&self, count: u32) -> Result<Slots, LockError> {
        let mut held = 0;
        // An answer leaves what is before it and what is behind it.
        let mut unknown: Vec<_> = std::iter::once(0..u64::from(count)).collect();
        while let Some(bytes) = unknown.pop() {
            let holder = byte_locks::any_holder(self.fd.as_fd(), bytes.clone()).map_err(fcntl_error)?;
            let Some(holder) = holder else { continue };
            let clipped = holder.start.max(bytes.start)..holder.end.min(bytes.end);
            if clipped.is_empty() {
                // Not on what we asked for: no such kernel is known, and it must not be asked for ever.
                return Err(fcntl_error(io::Error::from_raw_os_error(libc::EIO)));
            }
            held |= bits(clipped.start as u32, clipped.end as u32);
            unknown.extend(
                [bytes.start..clipped.start, clipped.end..bytes.end]
                    .into_iter()
                    .filter(|left| !left.is_empty()),
            );
        }
        Ok(held)
    }

    /// The slots of the one lock that covers `slot`, if another description holds it.
    pub fn holder_of(&self, slot: u32) -> Result<Option<Slots>, LockError> {
        let holder = byte_locks::any_holder(self.fd.as_fd(), slot.into()..u64::from(slot) + 1).map_err(fcntl_error)?;
        Ok(holder.map(|bytes| {
            let last = u64::from(SLOTS_A_FILE);
            bits(bytes.start.min(last) as u32, bytes.end.min(last) as u32)
        }))
    }

    /// A full disk does not matter: the record is a label.
    pub fn write_record(&self, slot: u32, record: &[u8]) -> Result<(), LockError> {
        match rustix::io::pwrite(&self.fd, record, record_at(slot)) {
            Ok(_) | Err(Errno::NOSPC | Errno::DQUOT) => Ok(()),
            Err(error) => Err(LockError::system("pwrite", error)),
        }
    }

    /// As much of it as there is.
    pub fn read_record(&self, slot: u32) -> Result<Vec<u8>, LockError> {
        let mut record = vec![0; RECORD_BYTES];
        let count = rustix::io::pread(&self.fd, &mut record, record_at(slot))
            .map_err(|error| LockError::system("pread", error))?;
        record.truncate(count);
        Ok(record)
    }

    /// A new open file description of the same file, wherever it is by now. Where there is no /proc it throws ENOENT.
    pub fn reopen(&self) -> Result<OwnedFd, LockError> {
        file_lock::open(Path::new(&format!("/proc/self/fd/{}", self.fd.as_raw_fd())), AGAIN)
    }
}

impl Drop for ShardFile {
    fn drop(&mut self) {
        // Closing would do, but for a child that another thread is forking just now: it has a copy of the descriptor until it
        // becomes its program.
        if self.own != 0 {
            byte_locks::unlock(self.fd.as_fd(), 0..u64::from(SLOTS_A_FILE)).ok();
        }
    }
}

pub fn bit(slot: u32) -> Slots {
    1 << slot
}

/// Those from `start` until before `end`.
pub fn bits(start: u32, end: u32) -> Slots {
    let below = |slot: u32| {
        if slot >= SLOTS_A_FILE {
            Slots::MAX
        } else {
            bit(slot) - 1
        }
    };
    below(end) & !below(start)
}

fn record_at(slot: u32) -> u64 {
    u64::from(slot) * RECORD_BYTES as u64
}

fn fcntl_error(error: io::Error) -> LockError {
    LockError::system("fcntl", error)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
