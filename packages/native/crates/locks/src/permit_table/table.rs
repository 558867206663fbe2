use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::getpid;

use super::failpoint::reached;
use super::file::{MAX_PROCESSES, Process, RECORD_BYTES, TableFile};
use super::protocol::{Claim, Environment, Protocol, Seen};
use super::step::Step;
use super::watchdog::watch;
use super::word::Holder;
use crate::file_lock::LockError;
use crate::identity::{is_proven_dead, start_ticks_of};
use crate::kernel_wait::Wait;
use crate::posix_semaphore::{self, PosixSemaphore};

/// So often a claim that finds neither a permit nor that all are held tries again before it says so.
const UNSETTLED_LOOKS: usize = 8;
/// An operation takes microseconds. Whoever takes this long in the middle of one has been stopped; its permit is taken from it, which
/// it notices when it goes on.
const STOPPED_AFTER: Duration = Duration::from_millis(50);

/// Why a permit table cannot be used.
#[derive(Debug)]
pub enum TableError {
    /// It is of an earlier boot, and may be removed.
    OtherBoot,
    /// It cannot be used from here, and nobody uses it from elsewhere: it may be removed.
    Unused,
    /// It is used from where its processes cannot be judged by us, nor we by them.
    OutOfReach {
        there: String,
        here: String,
    },
    /// The last process that used it is just leaving, or has been stopped while it did: look again.
    BeingLeft,
    /// As many processes have it open as it has room for.
    TooManyProcesses,
    /// It is not what `create` made, or no longer. Whoever has it mapped may hold slots: it must not be replaced unasked.
    Damaged(&'static str),
    Lock(LockError),
    System(io::Error),
}

impl std::fmt::Display for TableError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherBoot => to.write_str("is of an earlier boot"),
            Self::Unused => to.write_str("is of no use here, and nobody uses it"),
            Self::OutOfReach { there, here } => write!(to, "is used in {there}; here is {here}"),
            Self::BeingLeft => to.write_str("is just being left by the last process that used it"),
            Self::TooManyProcesses => write!(to, "is open in {MAX_PROCESSES} pools, and has room for no more"),
            Self::Damaged(how) => to.write_str(how),
            Self::Lock(error) => error.fmt(to),
            Self::System(error) => error.fmt(to),
        }
    }
}

impl std::error::Error for TableError {}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Errno> for TableError {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Taken(usize),
    /// Every slot was seen held, by a process that is not proven dead.
    Full,
    /// Others are in the middle of taking or giving back: look again in a moment.
    Unsettled,
}

/// A permit table as one process has it open. Dropping it releases everything that was taken through it.
pub struct PermitTable {
    member: Arc<Member>,
    /// Stopped before the rest is dropped.
    watchdog: Option<Wait>,
    taken: Vec<bool>,
    /// Since when claims found a slot free and no permit for it, in which generation.
    unsettled: Option<(u64, Instant)>,
    /// Of the records that this one writes; 0 is nobody's.
    mark: u64,
}

impl PermitTable {
    /// Opens what `create` made, and has its dead looked for every `scan_every`.
    ///
    /// Guarantee: refused where its processes cannot be judged (`OutOfReach`, `ENOSYS`).
    pub fn open(path: &Path, scan_every: Duration) -> Result<Self, TableError> {
        let me = own_identity()?;
        let table = TableFile::open(path)?;
        let member = Arc::new(Member::join(table, me)?);
        // Dropped on an error, it leaves the table again.
        let mut opened = Self {
            taken: vec![false; member.table.slots()],
            unsettled: None,
            mark: RandomState::new().hash_one(0),
            watchdog: None,
            member,
        };
        opened.watchdog = Some(watch(Arc::clone(&opened.member), scan_every).map_err(TableError::Lock)?);
        Ok(opened)
    }

    pub fn slots(&self) -> usize {
        self.member.table.slots()
    }

    /// Takes a free slot, looking from `start` on and round, and leaves `record` about its holder (a label).
    ///
    /// Errors: `ESTALE` when the file was truncated; those of sem_open(3) when a semaphore has to be opened or made.
    pub fn try_take(&mut self, start: usize, record: &[u8]) -> io::Result<Take> {
        self.member.table.check_size()?;
        let member = Arc::clone(&self.member);
        let protocol = member.protocol();
        for _ in 0..UNSETTLED_LOOKS {
            match protocol.claim(start)? {
                Claim::Taken(slot) => {
                    self.unsettled = None;
                    if let Some(taken) = self.taken.get_mut(slot) {
                        *taken = true;
                    }
                    // A label: without it (the disk is full) the slot is as good.
                    let _ = member.write_record(slot, record, self.mark);
                    return Ok(Take::Taken(slot));
                }
                Claim::NoSemaphore(generation) => drop(member.switch(generation)?),
                Claim::Refused => {
                    let Seen { freed, free, .. } = member.look()?;
                    if freed == 0 && free == 0 {
                        self.unsettled = None;
                        return Ok(Take::Full);
                    }
                    if freed == 0 {
                        self.settle(&member)?;
                    }
                }
            }
            std::thread::yield_now();
        }
        Ok(Take::Unsettled)
    }

    /// A slot is free, and no permit leads to it: somebody who lives is between the two. If that lasts, the permit is made anew.
    fn settle(&mut self, member: &Member) -> io::Result<()> {
        let generation = member.protocol().generation();
        match self.unsettled {
            Some((seen, since)) if seen == generation => {
                if since.elapsed() >= STOPPED_AFTER {
                    member.switch(generation)?;
                }
            }
            _ => self.unsettled = Some((generation, Instant::now())),
        }
        Ok(())
    }

    /// Releases a slot that was taken through this. False: it was not, or somebody wrote into the file what only its owner may.
    pub fn release(&mut self, slot: usize) -> io::Result<bool> {
        match self.taken.get_mut(slot) {
            Some(taken) if *taken => *taken = false,
            _ => return Ok(false),
        }
        self.member.table.check_size()?;
        self.member.protocol().release(slot)
    }

    /// Which slots are held; those of the dead are freed first. Errors: `ESTALE` when the file was truncated.
    pub fn held(&self) -> io::Result<Vec<usize>> {
        self.member.table.check_size()?;
        Ok(self.member.look()?.held)
    }

    /// Is this slot held here?
    pub fn holds(&self, slot: usize) -> io::Result<bool> {
        self.member.table.check_size()?;
        Ok(self.taken.get(slot) == Some(&true) && self.member.protocol().is_ours(slot))
    }

    /// Does the path that was opened still lead to this table? False also when it cannot be told.
    pub fn is_current(&self) -> bool {
        self.member.table.is_current()
    }

    /// What the last holder of `slot` left.
    pub fn read_record(&self, slot: usize) -> io::Result<[u8; RECORD_BYTES]> {
        let mut record = [0; RECORD_BYTES];
        let table = &self.member.table;
        table.file.read_exact_at(&mut record, table.record_at(slot)?)?;
        Ok(record)
    }

    /// Which process repairs now, for people and tests; none: none has begun to.
    pub fn watchdog_pid(&self) -> io::Result<Option<i32>> {
        self.member.table.check_size()?;
        Ok(Holder::from_word(self.member.table.state().watchdog.load(SeqCst)).map(Holder::pid))
    }

    /// The current generation and how many permits its semaphore has, for tests. None: no semaphore.
    pub fn permits(&self) -> io::Result<(u64, Option<u32>)> {
        self.member.table.check_size()?;
        let generation = self.member.protocol().generation();
        let semaphore = self.member.semaphore(generation)?;
        Ok((generation, semaphore.map(|semaphore| semaphore.value()).transpose()?))
    }
}

impl Drop for PermitTable {
    fn drop(&mut self) {
        drop(self.watchdog.take());
        for slot in 0..self.taken.len() {
            // What cannot be released (the file was truncated) is lost with its file.
            let _ = self.release(slot);
        }
        // And there is nobody to tell.
        let _ = self.member.leave();
    }
}

/// A process in the table.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) table: TableFile,
    me: Holder,
    /// Its place in the list of processes.
    place: usize,
    opened: Mutex<Option<(u64, Arc<PosixSemaphore>)>>,
}

impl Member {
    fn join(table: TableFile, me: Holder) -> Result<Self, TableError> {
        let mut place = place_in(&table, me);
        if place.is_none() {
            take_off(
                &table,
                dead_of(&table, me).filter(|(process, _)| !is_in_flight(process)),
            )?;
            place = place_in(&table, me);
        }
        Ok(Self {
            place: place.ok_or(TableError::TooManyProcesses)?,
            table,
            me,
            opened: Mutex::new(None),
        })
    }

    fn leave(&self) -> io::Result<()> {
        self.table.check_size()?;
        let process = self.process();
        // If not: an operation of ours failed in the middle, and what became of its permit will be settled once we are dead.
        if !is_in_flight(process) {
            process.holder.store(0, SeqCst);
        }
        if self.table.is_last()? {
            let unlinked = self.table.unlink_semaphores();
            // Closing would do, but for a copy of the descriptor in a child of this program that has not become its own program yet.
            self.table.give_up()?;
            unlinked?;
        }
        Ok(())
    }

    fn process(&self) -> &Process {
        // A place of this very list.
        &self.table.processes()[self.place]
    }

    fn protocol(&self) -> Protocol<'_, Self> {
        let table = &self.table;
        Protocol {
            generation: &table.state().generation,
            words: table.words(),
            in_flight: &self.process().in_flight,
            me: self.me,
            environment: self,
        }
    }

    /// Looks at all slots, and frees those of the dead.
    fn look(&self) -> io::Result<Seen> {
        let mut judged = HashMap::new();
        self.protocol()
            .look(|holder| *judged.entry(holder).or_insert_with(|| is_dead(holder, self.me)))
    }

    pub(super) fn announce_as_watchdog(&self) -> io::Result<()> {
        self.table.check_size()?;
        self.table.state().watchdog.store(self.me.to_word(), SeqCst);
        Ok(())
    }

    /// What the watchdog does in each round: gives back what the dead have left.
    pub(super) fn mend(&self) -> io::Result<()> {
        self.table.check_size()?;
        let dead: Vec<_> = dead_of(&self.table, self.me).collect();
        // After the look: whoever is dead by now has done nothing in a later generation.
        let generation = self.protocol().generation();
        self.look()?;
        let uncertain = dead.iter().any(|(process, _)| is_in_flight(process));
        if (uncertain || self.has_lost_semaphore(generation)?) && !self.switch(generation)? {
            // Somebody else is at it; next time.
            return Ok(());
        }
        if !dead.is_empty() {
            reached(Step::DeadSettled)?;
        }
        take_off(&self.table, dead.into_iter())
    }

    /// Was the name of the current semaphore removed? Who has it open can go on, but nobody can come.
    fn has_lost_semaphore(&self, generation: u64) -> io::Result<bool> {
        let name = self.table.semaphore_name(generation);
        Ok(generation > 0 && PosixSemaphore::open_existing(&name)?.is_none())
    }

    /// Makes another generation the current one, if `generation` is it. False: somebody else switches just now.
    fn switch(&self, generation: u64) -> io::Result<bool> {
        let done = self.table.exclusively(|| {
            if self.protocol().generation() != generation {
                return Ok(());
            }
            let next = generation + 1;
            let semaphore = create_anew(&self.table.semaphore_name(next))?;
            reached(Step::SemaphoreMade)?;
            self.remember(next, &Arc::new(semaphore));
            self.protocol().switch_from(generation)?;
            reached(Step::SlotsAdopted)?;
            self.table.unlink_semaphores_before(next)
        })?;
        Ok(done.is_some())
    }

    fn remembered(&self, generation: u64) -> Option<Arc<PosixSemaphore>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.as_ref().filter(|(known, _)| *known == generation);
        known.map(|(_, semaphore)| Arc::clone(semaphore))
    }

    fn remember(&self, generation: u64, semaphore: &Arc<PosixSemaphore>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.as_ref().is_none_or(|(known, _)| *known < generation) {
            *opened = Some((generation, Arc::clone(semaphore)));
        }
    }

    fn write_record(&self, slot: usize, record: &[u8], mark: u64) -> io::Result<()> {
        let Some(word) = self.table.words().get(slot) else {
            return Ok(());
        };
        // Nobody has had the slot since we wrote that: claiming the same one again costs no system call.
        if word.recorded.load(SeqCst) == mark {
            return Ok(());
        }
        word.recorded.store(0, SeqCst);
        let record = record.get(..RECORD_BYTES).unwrap_or(record);
        self.table.file.write_all_at(record, self.table.record_at(slot)?)?;
        word.recorded.store(mark, SeqCst);
        Ok(())
    }
}

impl Environment for Member {
    type Error = io::Error;
    type Semaphore = Arc<PosixSemaphore>;

    fn semaphore(&self, generation: u64) -> io::Result<Option<Arc<PosixSemaphore>>> {
        if let Some(semaphore) = self.remembered(generation) {
            return Ok(Some(semaphore));
        }
        if generation == 0 {
            return Ok(None);
        }
        let opened = PosixSemaphore::open_existing(&self.table.semaphore_name(generation))?.map(Arc::new);
        if let Some(semaphore) = &opened {
            self.remember(generation, semaphore);
        }
        Ok(opened)
    }

    fn try_wait(&self, semaphore: &Arc<PosixSemaphore>) -> io::Result<bool> {
        semaphore.try_wait()
    }

    fn post(&self, semaphore: &Arc<PosixSemaphore>) -> io::Result<()> {
        semaphore.post()
    }

    fn reached(&self, step: Step) -> io::Result<()> {
        reached(step)
    }
}

fn own_identity() -> io::Result<Holder> {
    let pid = getpid().as_raw_pid();
    start_ticks_of(pid)?
        .and_then(|ticks| Holder::new(pid, ticks.parse().ok()?))
        .ok_or_else(|| Errno::NOSYS.into())
}

fn is_dead(holder: Holder, me: Holder) -> bool {
    holder != me && is_proven_dead(holder.pid(), holder.start_ticks())
}

fn is_in_flight(process: &Process) -> bool {
    process.in_flight.load(SeqCst) > 0
}

/// A place in the list. Of two who find the same the first has it; nothing else has to be written, so there are no half entries.
fn place_in(table: &TableFile, me: Holder) -> Option<usize> {
    table.processes().iter().position(|process| {
        let holder = &process.holder;
        holder.load(SeqCst) == 0 && holder.compare_exchange(0, me.to_word(), SeqCst, SeqCst).is_ok()
    })
}

/// The dead in the list, and what stands there of them.
fn dead_of(table: &TableFile, me: Holder) -> impl Iterator<Item = (&Process, u64)> {
    table.processes().iter().filter_map(move |process| {
        let word = process.holder.load(SeqCst);
        Holder::from_word(word)
            .is_some_and(|holder| is_dead(holder, me))
            .then_some((process, word))
    })
}

/// Takes the dead off the list, unless somebody else is doing so or is switching.
fn take_off<'a>(table: &TableFile, dead: impl Iterator<Item = (&'a Process, u64)>) -> io::Result<()> {
    let mut dead = dead.peekable();
    if dead.peek().is_none() {
        return Ok(());
    }
    table.exclusively(|| {
        for (process, word) in dead {
            // Somebody else may have done it, and a newcomer have the place.
            if process.holder.load(SeqCst) == word {
                process.in_flight.store(0, SeqCst);
                // Last: from now on it is somebody else's place.
                process.holder.store(0, SeqCst);
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// One that was left by somebody who died before anybody knew it is removed.
fn create_anew(name: &str) -> io::Result<PosixSemaphore> {
    match PosixSemaphore::create(name, 0) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            posix_semaphore::unlink(name)?;
            PosixSemaphore::create(name, 0)
        }
        created => created,
    }
}
