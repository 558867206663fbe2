//! Slots in one System V semaphore set, given back by the kernel when their process dies (`SEM_UNDO`, semop(2)).
//!
//! # The set
//! `slots` semaphores, one a slot: 1 is free, 0 is held. Then `free`, how many claims are still possible; `in_use`, how many slots
//! are held; and four that hold a random number, so that another set which got the same id later is recognised.
//!
//! # Why the numbers are right whenever they are looked at
//! Let S be the number of slot semaphores at 1, and P the number of processes' *permits*: a waiter takes one off `free`
//! before it has found its slot. These hold after every operation:
//!
//! ```text
//! free + P = S          (so a permit always finds a slot, and free = 0 proves that every slot is held or about to be)
//! in_use   = slots - S  (so in_use = 0 proves that none is held)
//! ```
//!
//! They hold at the start (SETALL, before anybody knows the id). Each operation is ONE semop(2), which the kernel does
//! as a whole or not at all:
//!
//! | operation | slot | free | in_use | P |
//! |---|---|---|---|---|
//! | take a slot | -1 | -1 | +1 | |
//! | take all permits, to remove the set | | -slots | | +slots |
//! | take a permit (blocks) | | -1 | | +1 |
//! | turn a permit into a slot | -1 | | +1 | -1 |
//! | give a permit back | | +1 | | -1 |
//! | release a slot | +1 | +1 | -1 | |
//!
//! Each row keeps both equations. Every part has `SEM_UNDO`, so the kernel books the opposite in the process's `semadj` under the same
//! lock. What a process has booked is therefore always its slots and permits, no more and no less; at its death (SIGKILL at any
//! instruction) the kernel applies all of it under the set's lock, which is "release" and "give back" once for each.
//!
//! WRONG: SETVAL or SETALL once others know the id: they wipe what is booked for that semaphore in every process (semctl(2)), and the
//! slots of the next one to die stay held for ever. Nothing here does, and the values never need it.
//!
//! The first random number guards every operation: `-n, wait for zero, +n` in the same semop, without waiting, goes through
//! exactly when the value is `n`. So not even a release can change a foreign set.
//!
//! # What the kernel keeps per process
//! `semadj` belongs to the PROCESS: all of its threads share it (`CLONE_SYSVSEM`, which every pthread has), a thread that ends gives back
//! nothing, a child made by fork has none of it, and a program started by execve(2) keeps it. The caller has to give back what a
//! part of the process held that ended before the process.
//!
//! # Limits
//! One set: `SEMMSL` (32,000 by default); all sets: `SEMMNI`, `SEMMNS` (/proc/sys/kernel/sem). A set lives until IPC_RMID or reboot; it is
//! in an IPC namespace, and `RemoveIPC=` of systemd-logind removes it when its user has logged out everywhere.
//!
//! Linux only: macOS allows a process 10 undo entries (`SEMUME`), which is three slots.

mod opened;
pub mod wait;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{c_int, c_short, c_ushort, sembuf};

pub use opened::OpenSet;

const MAGIC_SEMAPHORES: usize = 4;
const EXTRA_SEMAPHORES: usize = 2 + MAGIC_SEMAPHORES;
/// A semaphore's greatest value is 32,767.
const MAGIC_BITS: u32 = 15;
/// `SEMMSL` as Linux has it unless root changed it, less what the set has besides its slots.
pub const MAX_SLOTS: usize = 32_000 - EXTRA_SEMAPHORES;
/// Removing takes two system calls; a busy machine may put thousands of ours in between.
const MAX_LOOKS_AT_REMOVAL: u32 = 100_000;
const WITH_UNDO: c_int = libc::SEM_UNDO;
const AT_ONCE: c_int = libc::IPC_NOWAIT;

/// The set as one process sees it. Dropping it gives nothing back and removes nothing.
#[derive(Debug)]
pub struct SemaphoreSet {
    id: c_int,
    slots: usize,
    /// The first of the random numbers.
    guard: c_short,
    /// Where the next look for a slot begins. Only a guess: any value is right. Each process starts somewhere else, or all would queue
    /// through the slots that are taken already.
    hint: AtomicUsize,
}

/// Why a look at the set, or a claim, did not work. Everything else is the system's error.
#[derive(Debug)]
pub enum SetError {
    /// The set was removed, or its id belongs to another set by now: every slot in it is gone.
    Gone,
    /// The set of this id cannot have been made by us, or somebody changed its values: nothing in it can be believed.
    Damaged(&'static str),
    System(io::Error),
}

impl std::fmt::Display for SetError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => to.write_str("the semaphore set was removed"),
            Self::Damaged(how) => write!(to, "the semaphore set was changed: {how}"),
            Self::System(error) => error.fmt(to),
        }
    }
}

impl std::error::Error for SetError {}

impl From<io::Error> for SetError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            // EIDRM: while we waited; EINVAL: no such id; EACCES, EPERM: ours is 0600 and our user's, so it is another one.
            Some(libc::EIDRM | libc::EINVAL | libc::EACCES | libc::EPERM) => Self::Gone,
            // A semaphore that the set does not have; a value that only somebody else can have set.
            Some(libc::EFBIG) => Self::Gone,
            Some(libc::ERANGE) => Self::Damaged("a value is out of range"),
            _ => Self::System(error),
        }
    }
}

impl SemaphoreSet {
    /// A new private set (mode 0600), every slot free, marked with `magic` (of which 60 bits are used).
    ///
    /// Guarantee: its values are set before anybody can know the id.
    /// Caller: publish `id()` and `magic` together, or `remove()` the set; nobody else ever will.
    /// Errors: `EINVAL` more slots than `SEMMSL` allows, `ENOSPC` the system's limit of sets or semaphores, `ENOMEM`.
    pub fn create(slots: usize, magic: u64) -> io::Result<Self> {
        if slots == 0 || slots > MAX_SLOTS {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let (guard, rest) = magic_values(magic);
        let total =
            c_int::try_from(slots + EXTRA_SEMAPHORES).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        // SAFETY: semget takes integers only.
        let id = check(unsafe { libc::semget(libc::IPC_PRIVATE, total, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) })?;
        let set = Self {
            id,
            slots,
            guard,
            hint: AtomicUsize::new(0),
        };
        let mut values: Vec<c_ushort> = vec![1; slots];
        values.push(c_ushort::try_from(slots).unwrap_or(c_ushort::MAX));
        values.push(0);
        values.push(guard.unsigned_abs());
        values.extend(rest);
        // SAFETY: SETALL reads one unsigned short per semaphore; `values` has as many as semget was asked for.
        match check(unsafe { libc::semctl(id, 0, libc::SETALL, values.as_ptr()) }) {
            Ok(_) => Ok(set),
            Err(error) => {
                // The first error is the one that matters, and there is nobody who could do better.
                let _ = set.remove();
                Err(error)
            }
        }
    }

    /// The set that `create(slots, magic)` made, wherever it was made. `Gone` when it is no longer behind this id.
    pub fn open(id: i32, slots: usize, magic: u64) -> Result<Self, SetError> {
        if slots == 0 || slots > MAX_SLOTS {
            return Err(SetError::Damaged("no set has this many slots"));
        }
        let (guard, _) = magic_values(magic);
        let set = Self {
            id,
            slots,
            guard,
            hint: AtomicUsize::new(std::process::id() as usize),
        };
        if !set.has_magic(magic)? || set.has(slots + EXTRA_SEMAPHORES)? {
            return Err(SetError::Gone);
        }
        set.snapshot()?;
        Ok(set)
    }

    /// The number by which `open` finds the set, in the same IPC namespace and until the next boot.
    pub fn id(&self) -> i32 {
        self.id
    }

    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Takes one slot if it is likely to find one at once. `None` proves nothing: look with `try_take`.
    pub fn take_likely(&self) -> Result<Option<usize>, SetError> {
        let slot = self.hint.load(Ordering::Relaxed) % self.slots;
        Ok(if self.take_this(slot)? { Some(slot) } else { None })
    }

    /// Takes a free slot without waiting. `None`: at one moment every slot was held, or promised to a waiter.
    ///
    /// Errors: `EAGAIN` when somebody who removes the set was stopped in the middle of it.
    pub fn try_take(&self) -> Result<Option<usize>, SetError> {
        let mut without_permits = 0;
        loop {
            let values = self.snapshot()?;
            if values.free == 0 {
                if values.slots.contains(&0) {
                    return Ok(None);
                }
                // All permits are out and no slot is taken: the set is being removed, so it is gone in a moment.
                without_permits += 1;
                if without_permits > MAX_LOOKS_AT_REMOVAL {
                    return Err(SetError::System(io::Error::from_raw_os_error(libc::EAGAIN)));
                }
                std::thread::yield_now();
                continue;
            }
            let start = self.hint.load(Ordering::Relaxed) % self.slots;
            // Every refusal means that somebody else got a slot meanwhile, or that the set is not what it was.
            let Some(slot) = values.first_free(start) else {
                return Err(SetError::Damaged("it counts free slots and has none"));
            };
            if self.take_this(slot)? {
                return Ok(Some(slot));
            }
        }
    }

    /// Takes the slot with this number if it is free and not promised.
    pub fn take_this(&self, slot: usize) -> Result<bool, SetError> {
        let taken = self.operate(&[
            self.on(slot, -1, WITH_UNDO | AT_ONCE),
            self.on(self.free(), -1, WITH_UNDO | AT_ONCE),
            self.on(self.in_use(), 1, WITH_UNDO),
        ])?;
        if taken {
            self.hint.store(slot + 1, Ordering::Relaxed);
        }
        Ok(taken)
    }

    /// Waits in the kernel until a slot can be had, and takes it. The kernel hands a freed permit to the waiter that is first in line and
    /// wakes nobody else.
    ///
    /// `None`: a signal handler ran (semop(2) is never restarted); nothing is taken. The caller decides whether to wait on.
    pub fn take_when_free(&self) -> Result<Option<usize>, SetError> {
        // Alone in its semop: the kernel finds the next waiter of one semaphore without looking at the others.
        if !self.wait(self.on(self.free(), -1, WITH_UNDO))? {
            return Ok(None);
        }
        let found = self.turn_permit_into_slot();
        if found.is_err() {
            self.give_permit_back();
        }
        found.map(Some)
    }

    fn turn_permit_into_slot(&self) -> Result<usize, SetError> {
        loop {
            let values = self.snapshot()?;
            let start = self.hint.load(Ordering::Relaxed) % self.slots;
            let Some(slot) = values.first_free(start) else {
                return Err(SetError::Damaged("it promised a slot and has none"));
            };
            if self.operate(&[
                self.on(slot, -1, WITH_UNDO | AT_ONCE),
                self.on(self.in_use(), 1, WITH_UNDO),
            ])? {
                self.hint.store(slot + 1, Ordering::Relaxed);
                return Ok(slot);
            }
        }
    }

    fn give_permit_back(&self) {
        // Refused: the set is gone, and the permit with it.
        let _ = self.operate(&[self.on(self.free(), 1, WITH_UNDO)]);
    }

    /// Waits in the kernel until no slot is held (sem_op 0, semop(2)). False: a signal handler ran first. A hint to look, since a slot
    /// may be taken by the time we run.
    ///
    /// Errors: `Damaged` where the count of held slots is wrong, so that nobody who looks finds one held, waits, and is woken at once, for ever.
    pub fn wait_unused(&self) -> Result<bool, SetError> {
        if !self.wait(self.on(self.in_use(), 0, 0))? {
            return Ok(false);
        }
        let values = self.snapshot()?;
        if usize::from(values.in_use) == values.held().len() {
            Ok(true)
        } else {
            Err(SetError::Damaged("it counts the slots in use wrongly"))
        }
    }

    /// Gives a slot back that this PROCESS took. False: the set is gone or changed, so there was nothing to give back.
    ///
    /// Caller: once for each slot that was taken. Twice, and somebody else's slot is free while it is held.
    pub fn release(&self, slot: usize) -> bool {
        let released = self.operate(&[
            self.on(slot, 1, WITH_UNDO),
            self.on(self.free(), 1, WITH_UNDO),
            self.on(self.in_use(), -1, WITH_UNDO | AT_ONCE),
        ]);
        self.hint.store(slot, Ordering::Relaxed);
        matches!(released, Ok(true))
    }

    /// Which slots are held, at one moment.
    pub fn held(&self) -> Result<Vec<usize>, SetError> {
        Ok(self.snapshot()?.held())
    }

    /// Is this slot held, by whomever?
    pub fn is_held(&self, slot: usize) -> Result<bool, SetError> {
        if !self.is_ours()? {
            return Err(SetError::Gone);
        }
        Ok(self.ask(slot, libc::GETVAL)? == 0)
    }

    /// The process that changed this slot last, so its holder while it is held; as seen from our process table, 0 when it is not
    /// in there. A label for people.
    pub fn last_pid(&self, slot: usize) -> Result<i32, SetError> {
        Ok(self.ask(slot, libc::GETPID)?)
    }

    /// Removes the set if nobody holds a slot or a permit; false: somebody does.
    ///
    /// Guarantee: no slot is lost by it. All permits are taken at once first, after which nobody can claim, so whoever read the id before and
    /// claims now finds the set gone; killed in between, we give the permits back like any holder.
    pub fn remove_if_unused(&self) -> Result<bool, SetError> {
        let Ok(all) = c_short::try_from(self.slots) else {
            return Ok(false);
        };
        if !self.operate(&[self.on(self.free(), -all, WITH_UNDO | AT_ONCE)])? {
            return Ok(false);
        }
        self.remove()?;
        Ok(true)
    }

    /// Removes the set, whoever holds slots in it: they are lost, and every waiter is woken. For a set that was never published, and for
    /// tests.
    pub fn remove(&self) -> io::Result<()> {
        // SAFETY: IPC_RMID takes no fourth argument.
        check(unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) }).map(drop)
    }

    fn free(&self) -> usize {
        self.slots
    }

    fn in_use(&self) -> usize {
        self.slots + 1
    }

    fn guard_index(&self) -> usize {
        self.slots + 2
    }

    fn on(&self, semaphore: usize, change: c_short, flags: c_int) -> sembuf {
        sembuf {
            // MAX_SLOTS fits; a number that does not is refused by the kernel (EFBIG).
            sem_num: c_ushort::try_from(semaphore).unwrap_or(c_ushort::MAX),
            sem_op: change,
            sem_flg: c_short::try_from(flags).unwrap_or(0),
        }
    }

    /// All of `changes` and the guard, or nothing: false when one of them could not be done at once.
    fn operate(&self, changes: &[sembuf]) -> Result<bool, SetError> {
        let guard = self.guard_index();
        let mut all = [self.on(guard, 0, AT_ONCE); 6];
        let Some((head, rest)) = all.split_at_mut_checked(changes.len()) else {
            return Err(SetError::System(io::Error::from_raw_os_error(libc::E2BIG)));
        };
        head.copy_from_slice(changes);
        let [down, zero, up, ..] = rest else {
            return Err(SetError::System(io::Error::from_raw_os_error(libc::E2BIG)));
        };
        *down = self.on(guard, -self.guard, AT_ONCE);
        *zero = self.on(guard, 0, AT_ONCE);
        *up = self.on(guard, self.guard, AT_ONCE);
        let count = changes.len() + 3;
        match self.semop(&mut all[..count]) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
                if self.is_ours()? {
                    Ok(false)
                } else {
                    Err(SetError::Gone)
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One change that may block. False: interrupted.
    fn wait(&self, change: sembuf) -> Result<bool, SetError> {
        if !self.is_ours()? {
            return Err(SetError::Gone);
        }
        match self.semop(&mut [change]) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn semop(&self, changes: &mut [sembuf]) -> io::Result<()> {
        // SAFETY: the pointer and the length are those of a live slice of sembuf.
        check(unsafe { libc::semop(self.id, changes.as_mut_ptr(), changes.len()) }).map(drop)
    }

    fn ask(&self, semaphore: usize, what: c_int) -> io::Result<c_int> {
        let index = c_int::try_from(semaphore).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        // SAFETY: GETVAL and GETPID take no fourth argument.
        check(unsafe { libc::semctl(self.id, index, what) })
    }

    /// Does the first random number stand where we expect it?
    fn is_ours(&self) -> Result<bool, SetError> {
        Ok(self.ask(self.guard_index(), libc::GETVAL)? == c_int::from(self.guard))
    }

    fn has_magic(&self, magic: u64) -> Result<bool, SetError> {
        let (_, rest) = magic_values(magic);
        for (index, value) in rest.into_iter().enumerate() {
            if self.ask(self.guard_index() + 1 + index, libc::GETVAL)? != c_int::from(value) {
                return Ok(false);
            }
        }
        self.is_ours()
    }

    /// Is there a semaphore of this number?
    fn has(&self, semaphore: usize) -> io::Result<bool> {
        match self.ask(semaphore, libc::GETVAL) {
            Ok(_) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn snapshot(&self) -> Result<Snapshot, SetError> {
        if !self.is_ours()? {
            return Err(SetError::Gone);
        }
        // GETALL writes as many as the set has. Room for as many as a sembuf can name, in case another set gets the id right now.
        let mut values: Vec<c_ushort> = vec![0; usize::from(c_ushort::MAX) + 1];
        // SAFETY: GETALL writes one unsigned short per semaphore of the set.
        check(unsafe { libc::semctl(self.id, 0, libc::GETALL, values.as_mut_ptr()) })?;
        values.truncate(self.slots + EXTRA_SEMAPHORES);
        let free = values.get(self.free()).copied().unwrap_or(0);
        let in_use = values.get(self.in_use()).copied().unwrap_or(0);
        let guard = values.get(self.guard_index()).copied().unwrap_or(0);
        if guard != self.guard.unsigned_abs() {
            return Err(SetError::Gone);
        }
        values.truncate(self.slots);
        if values.iter().any(|value| *value > 1) {
            return Err(SetError::Damaged("a slot is more than free"));
        }
        Ok(Snapshot {
            slots: values,
            free,
            in_use,
        })
    }
}

/// All values at one moment.
struct Snapshot {
    slots: Vec<c_ushort>,
    free: c_ushort,
    in_use: c_ushort,
}

impl Snapshot {
    /// The first free slot at or after `start`, going round.
    fn first_free(&self, start: usize) -> Option<usize> {
        let (before, from) = self.slots.split_at_checked(start)?;
        let found = from.iter().position(|value| *value == 1).map(|index| start + index);
        found.or_else(|| before.iter().position(|value| *value == 1))
    }

    fn held(&self) -> Vec<usize> {
        (0..)
            .zip(&self.slots)
            .filter(|(_, value)| **value == 0)
            .map(|(slot, _)| slot)
            .collect()
    }
}

/// The guard, never 0 (a change by 0 would wait for zero), and the other three.
fn magic_values(magic: u64) -> (c_short, [c_ushort; MAGIC_SEMAPHORES - 1]) {
    let part = |index: u32| c_ushort::try_from((magic >> (index * MAGIC_BITS)) & 0x7fff).unwrap_or(0);
    let guard = c_short::try_from(part(0).max(1)).unwrap_or(1);
    (guard, [part(1), part(2), part(3)])
}

fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
