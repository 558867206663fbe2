//! Slots as robust mutexes in one shared, mapped file: the kernel marks a mutex whose owner died (`FUTEX_OWNER_DIED`, what libc
//! reports as `EOWNERDEAD`), and the next claimer takes it.
//!
//! # The mechanism
//! A mutex is a 32-bit word: 0 is free, else the owner's thread id, with `FUTEX_WAITERS` if somebody sleeps on it. The owner keeps a list
//! of the words it owns where the kernel finds it; when the thread ends, for whatever reason, the kernel walks the list, replaces the
//! thread id in each word by `FUTEX_OWNER_DIED` and wakes one sleeper (Documentation/locking/robust-futexes.rst and robust-futex-ABI.rst).
//! This is what `pthread_mutex_t` with `PTHREAD_MUTEX_ROBUST` is made of. We speak to the kernel ourselves, because
//!
//! - the ABI is documented and the same for every libc: programs of glibc and of musl share one file, which they must not do with
//!   their `pthread_mutex_t`;
//! - whether a mutex is held can be read from the word (`pthread_mutex_trylock` would turn a claimer away);
//! - the links of the list stay in private memory. libc keeps them inside the mutex, so in the shared file, where rubbish written
//!   by somebody else would be followed by us and by the kernel.
//!
//! # The file
//! A header (see `header`), then 16 bytes a slot with its word, then 512 bytes a slot for the holder's record. The header names the boot, since
//! words that survived a power failure name threads that nobody will ever mark as dead; and the file's own inode, since a copy of a
//! file in use is a file of owners that do not exist.
//!
//! # The owner
//! One thread of ours per opened file, the keeper. It takes and releases everything, and ends when the file is closed, after
//! releasing all. Not the claiming thread: a worker may end, and then its slots would be free while somebody believes in them; and
//! per file instead of per process, so that no list is longer than a file has slots (the kernel walks `ROBUST_LIST_LIMIT` = 2,048).
//!
//! WRONG: another thread writes the keeper's id into a word, to save the way through the channel. On SIGKILL the threads of a process end one
//! after the other: a word written after the keeper's list was walked stays held for ever.
//! WRONG: unmapping while a word is held, or ending the keeper: both free or strand the slots of a process that lives.
//!
//! # A file that shrinks
//! Touching a mapped page that the file no longer has is SIGBUS, which ends the process. Seals exist for memfds only, and a handler for SIGBUS is
//! the host program's. So: looking uses read(2), which just comes up short; taking and releasing ask fstat(2) for the size first. A program
//! that truncates the file in the moment between still kills us. A disk that is full does not, where files are not copied on
//! write: every word is written before the file is published.
//!
//! Linux only: macOS has neither robust mutexes nor their ABI.

mod wait;
mod word;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, compiler_fence};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use wait::{until_free, until_unused};
use word::{FUTEX_OWNER_DIED, Futex, is_held};

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// What the kernel walks of a thread's list when it ends (`ROBUST_LIST_LIMIT`).
pub const MAX_SLOTS: usize = 2_048;
/// What a holder may leave about itself.
pub const RECORD_BYTES: usize = 512;

const CELL_BYTES: usize = 16;
const HEADER_BYTES: usize = 4096;
const FORMAT: &[u8] = b"procref robust mutexes, format 1";
const KEEPER_STACK: usize = 64 * 1024;

/// Why a file of mutexes cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// It is of an earlier boot: whatever it says of owners is over, and it may be replaced.
    OtherBoot,
    /// It is not what `create` made, or no longer. Whoever has it mapped may hold slots: it must not be replaced unasked.
    Damaged(&'static str),
    System(io::Error),
}

impl std::fmt::Display for FileError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherBoot => to.write_str("is of an earlier boot"),
            Self::Damaged(how) => to.write_str(how),
            Self::System(error) => error.fmt(to),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<rustix::io::Errno> for FileError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}

/// A slot that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub slot: usize,
    /// Its last owner died holding it (`EOWNERDEAD`).
    pub owner_died: bool,
}

/// Makes the file at `path`, which must not exist, with every slot free.
///
/// Guarantee: it is complete, and on disk, when this returns. Caller: let nobody see it under its final name before that (link or rename).
pub fn create(path: &Path, slots: usize) -> io::Result<()> {
    if slots == 0 || slots > MAX_SLOTS {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    // The words are written, not left as a hole: a hole is filled at the first claim, and on a full disk that would be SIGBUS.
    let mut bytes = header(slots, file.metadata()?.ino(), &boot_id()?);
    bytes.resize(HEADER_BYTES + slots * CELL_BYTES, 0);
    file.write_all_at(&bytes, 0)?;
    file.set_len(file_bytes(slots))?;
    file.sync_all()
}

/// One file of mutexes as one process has it open. Dropping it releases everything it holds.
#[derive(Debug)]
pub struct RobustMutexes {
    mapping: Arc<Mapping>,
    /// What stands in the words that are held here.
    owner: u32,
    requests: Option<Sender<Request>>,
    keeper: Option<JoinHandle<()>>,
}

impl RobustMutexes {
    /// Opens what `create` made.
    ///
    /// Guarantee: a kernel that does not mark the words of the dead is refused (`ENOSYS`), by trying it once per process.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        check_kernel()?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        let slots = checked_slots(&file)?;
        let mapping = Arc::new(Mapping::new(file, slots)?);
        let (requests, received) = mpsc::channel();
        let (ready, started) = mpsc::sync_channel(1);
        let of_keeper = Arc::clone(&mapping);
        let keeper = thread::Builder::new()
            .name("procref-keeper".to_owned())
            .stack_size(KEEPER_STACK)
            .spawn(move || keep(of_keeper, &received, &ready))?;
        let mut opened = Self {
            mapping,
            owner: 0,
            requests: Some(requests),
            keeper: Some(keeper),
        };
        opened.owner = started.recv().map_err(|_| ended())??;
        Ok(opened)
    }

    pub fn slots(&self) -> usize {
        self.mapping.slots
    }

    /// Takes a free slot, looking from `start` on and round. `None`: every slot was seen held.
    ///
    /// Errors: `ESTALE` when the file was truncated.
    pub fn try_take(&self, start: usize) -> io::Result<Option<Taken>> {
        self.ask(|reply| Request::Take { start, reply })?
    }

    /// Releases a slot that was taken here. False: it is not held here.
    pub fn release(&self, slot: usize) -> bool {
        self.ask(|reply| Request::Release { slot, reply }).unwrap_or(false)
    }

    /// Which slots are held. Reads only: nobody is turned away by it. Errors: `ESTALE` when the file was truncated.
    pub fn held(&self) -> io::Result<Vec<usize>> {
        self.mapping.held()
    }

    /// Is this slot held, by whomever?
    pub fn is_held(&self, slot: usize) -> io::Result<bool> {
        Ok(is_held(self.mapping.read_word(slot)?))
    }

    /// Is this slot held here? False also when somebody wrote into the file what only its owner may.
    pub fn holds(&self, slot: usize) -> io::Result<bool> {
        Ok(word::owner(self.mapping.read_word(slot)?) == self.owner)
    }

    /// Is the file at `path` the one that is open here?
    pub fn is_at(&self, path: &Path) -> bool {
        let (Ok(ours), Ok(there)) = (self.mapping.file.metadata(), std::fs::symlink_metadata(path)) else {
            return false;
        };
        ours.nlink() > 0 && ours.dev() == there.dev() && ours.ino() == there.ino()
    }

    /// Leaves a record about the holder of `slot`. A label: it may be missing, e.g. because the disk is full.
    pub fn write_record(&self, slot: usize, record: &[u8]) -> io::Result<()> {
        self.mapping.file.write_all_at(
            record.get(..RECORD_BYTES).unwrap_or(record),
            self.mapping.record_at(slot)?,
        )
    }

    /// What the last holder of `slot` left.
    pub fn read_record(&self, slot: usize) -> io::Result<[u8; RECORD_BYTES]> {
        let mut record = [0; RECORD_BYTES];
        self.mapping
            .file
            .read_exact_at(&mut record, self.mapping.record_at(slot)?)?;
        Ok(record)
    }

    fn ask<T>(&self, request: impl FnOnce(SyncSender<T>) -> Request) -> io::Result<T> {
        let (reply, answer) = mpsc::sync_channel(1);
        let requests = self.requests.as_ref().ok_or_else(ended)?;
        requests.send(request(reply)).map_err(|_| ended())?;
        answer.recv().map_err(|_| ended())
    }
}

impl Drop for RobustMutexes {
    fn drop(&mut self) {
        // The keeper ends when nobody can ask it any more.
        drop(self.requests.take());
        if let Some(keeper) = self.keeper.take() {
            // It does not panic, and there is nobody to tell.
            let _ = keeper.join();
        }
    }
}

/// A word of the file.
#[repr(C, align(16))]
struct Cell {
    value: AtomicU32,
}

/// `struct robust_list`, in private memory: `futex_offset` leads from here to the word of the same slot.
#[repr(C, align(16))]
struct Node {
    next: AtomicUsize,
}

/// `struct robust_list_head`.
#[repr(C)]
struct Head {
    next: AtomicUsize,
    futex_offset: AtomicUsize,
    pending: AtomicUsize,
}

/// Two mappings side by side: private nodes, then the file, so that one offset leads from each node to its word.
#[derive(Debug)]
struct Mapping {
    base: NonNull<libc::c_void>,
    /// The length of either half, and the distance from a node to its word.
    half: usize,
    slots: usize,
    file: File,
}

// SAFETY: the memory belongs to the value, is unmapped by its drop, and is only ever seen as atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(file: File, slots: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let half = (HEADER_BYTES + slots * CELL_BYTES).next_multiple_of(page);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new private mapping, at an address of the kernel's choice.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), half * 2, access, MapFlags::PRIVATE) }?;
        let base = NonNull::new(base).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        let mapping = Self {
            base,
            half,
            slots,
            file,
        };
        // SAFETY: `half` is inside the mapping just made.
        let second = unsafe { base.as_ptr().byte_add(half) };
        // SAFETY: replaces the second half of our own mapping, to which nothing points yet.
        let mapped = unsafe {
            mmap(
                second,
                half,
                access,
                MapFlags::SHARED | MapFlags::FIXED,
                &mapping.file,
                0,
            )
        }?;
        debug_assert_eq!(mapped, second);
        Ok(mapping)
    }

    fn cells(&self) -> &[Cell] {
        // SAFETY: inside the second half, aligned (a page plus 4096), `slots` cells long, mapped as long as self.
        let first = unsafe { self.base.as_ptr().byte_add(self.half + HEADER_BYTES) };
        // SAFETY: as above; any bits are a valid Cell, and everybody changes them atomically.
        unsafe { std::slice::from_raw_parts(first.cast::<Cell>(), self.slots) }
    }

    fn nodes(&self) -> &[Node] {
        // SAFETY: inside the first half, aligned, `slots` nodes long, mapped as long as self.
        let first = unsafe { self.base.as_ptr().byte_add(HEADER_BYTES) };
        // SAFETY: as above; zeroed memory is a valid Node, and it is only changed atomically.
        unsafe { std::slice::from_raw_parts(first.cast::<Node>(), self.slots) }
    }

    fn word(&self, slot: usize) -> io::Result<&Cell> {
        self.cells()
            .get(slot)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
    }

    /// Throws where touching the mapping would be SIGBUS.
    fn check_size(&self) -> io::Result<()> {
        if self.file.metadata()?.len() < file_bytes(self.slots) {
            Err(truncated())
        } else {
            Ok(())
        }
    }

    fn read_words(&self) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; self.slots * CELL_BYTES];
        self.file
            .read_exact_at(&mut bytes, HEADER_BYTES as u64)
            .map_err(short_is_truncated)?;
        Ok(bytes
            .chunks_exact(CELL_BYTES)
            .filter_map(|cell| cell.first_chunk())
            .map(|word| u32::from_ne_bytes(*word))
            .collect())
    }

    fn held(&self) -> io::Result<Vec<usize>> {
        let words = self.read_words()?;
        Ok((0..)
            .zip(words)
            .filter(|(_, word)| is_held(*word))
            .map(|(slot, _)| slot)
            .collect())
    }

    fn read_word(&self, slot: usize) -> io::Result<u32> {
        if slot >= self.slots {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let mut bytes = [0; 4];
        self.file
            .read_exact_at(&mut bytes, (HEADER_BYTES + slot * CELL_BYTES) as u64)
            .map_err(short_is_truncated)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn record_at(&self, slot: usize) -> io::Result<u64> {
        if slot >= self.slots {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        Ok((HEADER_BYTES + self.slots * CELL_BYTES + slot * RECORD_BYTES) as u64)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: what `new` mapped. No slice of it is left (they borrow self), and the keeper, which told the kernel about
        // it, has a share of the mapping and takes that back before it ends.
        let _ = unsafe { munmap(self.base.as_ptr(), self.half * 2) };
    }
}

enum Request {
    Take {
        start: usize,
        reply: SyncSender<io::Result<Option<Taken>>>,
    },
    Release {
        slot: usize,
        reply: SyncSender<bool>,
    },
}

/// The keeper's life.
fn keep(mapping: Arc<Mapping>, requests: &Receiver<Request>, ready: &SyncSender<io::Result<u32>>) {
    let head = Box::new(Head {
        next: AtomicUsize::new(0),
        futex_offset: AtomicUsize::new(mapping.half),
        pending: AtomicUsize::new(0),
    });
    head.next.store(address(&*head), Ordering::Relaxed);
    let registered = match Registered::new(&head) {
        Ok(registered) => registered,
        // Who opens the file waits for the answer; if not, there is nobody to tell.
        Err(error) => return drop(ready.send(Err(error))),
    };
    let slots = mapping.slots;
    let mut owned = Owned {
        mapping: &mapping,
        head: &head,
        thread: thread_id(),
        links: vec![None; slots],
        first: None,
    };
    if ready.send(Ok(owned.thread)).is_ok() {
        while let Ok(request) = requests.recv() {
            // A reply that nobody waits for cannot be: asking blocks until it came.
            match request {
                Request::Take { start, reply } => drop(reply.send(owned.take_any(start))),
                Request::Release { slot, reply } => drop(reply.send(owned.release(slot))),
            }
        }
    }
    while let Some(slot) = owned.first {
        owned.release(slot);
    }
    drop(registered);
}

/// The list that the kernel walks when this thread ends; the one of libc comes back with the drop.
struct Registered {
    before: *const libc::c_void,
}

impl Registered {
    fn new(head: &Head) -> io::Result<Self> {
        let mut before: *const libc::c_void = ptr::null();
        let mut length = 0usize;
        // SAFETY: 0 is this thread; the kernel writes a pointer and a length.
        let result = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut before, &raw mut length) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        register(ptr::from_ref(head).cast())?;
        Ok(Self { before })
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // It was the kernel's own answer, so it is accepted.
        let _ = register(self.before);
    }
}

fn register(head: *const libc::c_void) -> io::Result<()> {
    // SAFETY: the kernel reads it when this thread ends, and survives bad pointers in it. Ours stays until another is registered.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<Head>()) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[derive(Clone, Copy)]
struct Links {
    previous: Option<usize>,
    next: Option<usize>,
}

/// What the keeper owns. The order of the writes is that of robust-futex-ABI.rst: whatever the instruction at which the thread dies, the
/// kernel finds each owned word in the list or in `pending`. It reads them in this same thread's context, so only the compiler
/// has to be kept from reordering.
struct Owned<'a> {
    mapping: &'a Mapping,
    head: &'a Head,
    thread: u32,
    links: Vec<Option<Links>>,
    first: Option<usize>,
}

impl Owned<'_> {
    fn take_any(&mut self, start: usize) -> io::Result<Option<Taken>> {
        self.mapping.check_size()?;
        let slots = self.mapping.slots;
        for step in 0..slots {
            let slot = (start % slots + step) % slots;
            if let Some(taken) = self.take(slot)? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    fn take(&mut self, slot: usize) -> io::Result<Option<Taken>> {
        let word = &self.mapping.word(slot)?.value;
        if is_held(word.load(Ordering::Relaxed)) {
            return Ok(None);
        }
        // OK: pending, word, list, pending. WRONG: the word before pending (dying in between strands it).
        self.set_pending(Some(slot));
        let taken = word::take(word, self.thread).map(|owner_died| Taken { slot, owner_died });
        if taken.is_some() {
            self.link(slot);
        }
        self.set_pending(None);
        Ok(taken)
    }

    fn release(&mut self, slot: usize) -> bool {
        if self.links.get(slot).copied().flatten().is_none() {
            return false;
        }
        // OK: pending, list, word, pending.
        self.set_pending(Some(slot));
        self.unlink(slot);
        // In a file that was truncated there is no word left to release, and touching it would be SIGBUS.
        if let (Ok(()), Ok(cell)) = (self.mapping.check_size(), self.mapping.word(slot)) {
            word::release(&cell.value, &Kernel);
        }
        self.set_pending(None);
        true
    }

    fn link(&mut self, slot: usize) {
        let next = self.first;
        self.set_next(Some(slot), next);
        self.set_next(None, Some(slot));
        if let Some(Some(links)) = next.and_then(|next| self.links.get_mut(next)) {
            links.previous = Some(slot);
        }
        if let Some(links) = self.links.get_mut(slot) {
            *links = Some(Links { previous: None, next });
        }
        self.first = Some(slot);
    }

    fn unlink(&mut self, slot: usize) {
        let Some(Links { previous, next }) = self.links.get_mut(slot).and_then(Option::take) else {
            return;
        };
        self.set_next(previous, next);
        match previous.and_then(|previous| self.links.get_mut(previous)) {
            Some(Some(links)) => links.next = next,
            _ => self.first = next,
        }
        if let Some(Some(links)) = next.and_then(|next| self.links.get_mut(next)) {
            links.previous = previous;
        }
    }

    /// `None` is the head, at both ends.
    fn set_next(&self, from: Option<usize>, to: Option<usize>) {
        let target = self.address_of(to).unwrap_or_else(|| address(self.head));
        let link = match from {
            None => Some(&self.head.next),
            Some(slot) => self.mapping.nodes().get(slot).map(|node| &node.next),
        };
        compiler_fence(Ordering::SeqCst);
        if let Some(link) = link {
            link.store(target, Ordering::Relaxed);
        }
        compiler_fence(Ordering::SeqCst);
    }

    fn set_pending(&self, slot: Option<usize>) {
        compiler_fence(Ordering::SeqCst);
        self.head
            .pending
            .store(self.address_of(slot).unwrap_or(0), Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    fn address_of(&self, slot: Option<usize>) -> Option<usize> {
        self.mapping.nodes().get(slot?).map(address)
    }
}

/// For the kernel, which follows it after the reference is gone.
fn address<T>(value: &T) -> usize {
    ptr::from_ref(value).expose_provenance()
}

fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// A sleeper looks again after this. No poll but the answer to two deaths at once: of an owner, and of the sleeper that the kernel woke for it
/// before it woke the others.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The futexes of the kernel. Not FUTEX_PRIVATE: they are between processes.
struct Kernel;

impl Futex for Kernel {
    fn wait(&self, word: &AtomicU32, expected: u32) -> io::Result<()> {
        let limit = libc::timespec {
            tv_sec: LOOK_AGAIN.as_secs().try_into().unwrap_or(i32::MAX.into()),
            tv_nsec: LOOK_AGAIN.subsec_nanos().into(),
        };
        // SAFETY: the word is mapped and aligned while it is borrowed; the kernel reads the timespec.
        let result = unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT,
                expected,
                &raw const limit,
            )
        };
        if result == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if is_one_of(&error, &[libc::EAGAIN, libc::EINTR, libc::ETIMEDOUT]) => Ok(()),
            error => Err(error),
        }
    }

    fn wake_all(&self, word: &AtomicU32) {
        // SAFETY: the kernel uses the address as a key only. It cannot fail for a mapped word, and there is nothing to do if it does.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, libc::c_int::MAX) };
    }
}

/// Does this kernel keep its promise? A thread takes a word and ends; gVisor and other kernels that only look like Linux may accept the
/// list and ignore it.
fn check_kernel() -> io::Result<()> {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    let works = match ANSWER.get() {
        Some(works) => *works,
        None => {
            let works = dead_owner_is_marked()?;
            *ANSWER.get_or_init(|| works)
        }
    };
    if works {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

fn dead_owner_is_marked() -> io::Result<bool> {
    #[repr(C)]
    struct Test {
        head: Head,
        node: Node,
        cell: Cell,
    }
    let test = Arc::new(Test {
        head: Head {
            next: AtomicUsize::new(0),
            futex_offset: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
        },
        node: Node {
            next: AtomicUsize::new(0),
        },
        cell: Cell {
            value: AtomicU32::new(0),
        },
    });
    let owner = Arc::clone(&test);
    let thread = thread::Builder::new().stack_size(KEEPER_STACK).spawn(move || {
        let test = &*owner;
        test.head
            .futex_offset
            .store(address(&test.cell) - address(&test.node), Ordering::Relaxed);
        test.head.next.store(address(&test.node), Ordering::Relaxed);
        test.node.next.store(address(&test.head), Ordering::Relaxed);
        test.cell.value.store(thread_id(), Ordering::Relaxed);
        // Stays registered, and ends: the joining thread keeps the memory until the kernel has read it.
        register(ptr::from_ref(&test.head).cast())
    })?;
    match thread.join() {
        Ok(registered) => registered?,
        Err(_) => return Err(ended()),
    }
    Ok(test.cell.value.load(Ordering::Acquire) == FUTEX_OWNER_DIED)
}

/// `procref robust mutexes, format 1`, the number of slots and the inode (64 bits each, as this machine writes them), the boot id.
pub fn header(slots: usize, inode: u64, boot: &str) -> Vec<u8> {
    let mut bytes = FORMAT.to_vec();
    bytes.extend_from_slice(&(slots as u64).to_ne_bytes());
    bytes.extend_from_slice(&inode.to_ne_bytes());
    bytes.extend_from_slice(boot.as_bytes());
    bytes
}

/// What a header says, `None` where it is none.
pub fn parse_header(bytes: &[u8]) -> Option<(usize, u64, &str)> {
    let rest = bytes.strip_prefix(FORMAT)?;
    let (slots, rest) = rest.split_first_chunk()?;
    let (inode, rest) = rest.split_first_chunk()?;
    let slots = usize::try_from(u64::from_ne_bytes(*slots)).ok()?;
    let boot = std::str::from_utf8(rest.get(..BOOT_ID_BYTES)?).ok()?;
    (1..=MAX_SLOTS)
        .contains(&slots)
        .then_some((slots, u64::from_ne_bytes(*inode), boot))
}

fn checked_slots(file: &File) -> Result<usize, FileError> {
    let status = file.metadata()?;
    if !status.is_file() {
        return Err(FileError::Damaged("is not a plain file"));
    }
    if status.uid() != rustix::process::geteuid().as_raw() {
        return Err(FileError::Damaged("belongs to another user"));
    }
    let mut bytes = [0; FORMAT.len() + 16 + BOOT_ID_BYTES];
    match file.read_exact_at(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(FileError::Damaged("has no header of robust mutexes"));
        }
        read => read?,
    }
    let Some((slots, inode, boot)) = parse_header(&bytes) else {
        return Err(FileError::Damaged("has no header of robust mutexes"));
    };
    if boot != boot_id()? {
        return Err(FileError::OtherBoot);
    }
    if inode != status.ino() {
        return Err(FileError::Damaged("is a copy of another file of mutexes"));
    }
    if status.len() < file_bytes(slots) {
        return Err(FileError::Damaged("was truncated"));
    }
    Ok(slots)
}

fn file_bytes(slots: usize) -> u64 {
    (HEADER_BYTES + slots * (CELL_BYTES + RECORD_BYTES)) as u64
}

const BOOT_ID_BYTES: usize = 36;

fn boot_id() -> io::Result<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let id = text.trim();
    if id.len() == BOOT_ID_BYTES {
        Ok(id.to_owned())
    } else {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

fn truncated() -> io::Error {
    io::Error::from_raw_os_error(libc::ESTALE)
}

fn short_is_truncated(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        truncated()
    } else {
        error
    }
}

/// The keeper ended, which it does only with the value that owns it.
fn ended() -> io::Error {
    io::Error::from_raw_os_error(libc::EOWNERDEAD)
}

fn is_one_of(error: &io::Error, numbers: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}
