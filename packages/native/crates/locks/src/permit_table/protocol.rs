//! How a semaphore and a table of words agree on who has which slot, without the system calls, so that loom can try every order of
//! the steps, and a death after each of them.
//!
//! # The state
//! - A word for each slot: `Free(g)` or `Owned(process)`. It is changed by compare-and-exchange only, so that a slot never has two owners
//!   and a pool never more holders than slots, WHATEVER the semaphores say.
//! - The generation, a number that only grows. Each has a semaphore of its own; that of the current one counts, the others are void.
//! - For each process a count of the operations that it is in the middle of.
//!
//! # The steps
//! ```text
//! claim     enter │ take a permit of g │ Free(g) → Owned(me)          │ leave
//! free      enter │ word → Free(g)     │ post a permit of g           │ leave     release, repair of the dead, adoption
//! switch    make a semaphore g+1 without permits │ generation = g+1 │ adopt each Free(g)
//! ```
//!
//! # Why there is never a permit too many
//! Of the generation g that is current, let `into` be how often a word became `Free(g)`, `posts` and `permits` how often its semaphore was
//! posted and taken, and `takes` how often a word `Free(g)` was taken. In g a word stops being `Free(g)` only by a take. Each post comes
//! after its own transition and each take after its own permit, so at every moment, whoever was killed wherever,
//!
//! ```text
//! posts ≤ into,  takes ≤ permits   ⇒   value = posts - permits ≤ into - takes = free words
//! ```
//!
//! A death in the middle (and nothing else) makes the inequality strict for good: a permit is missing, never one too many. And whoever has a
//! permit of the current generation has a word waiting for it: `takers = permits - takes ≤ posts - takes ≤ into - takes`.
//!
//! Who died outside of all operations has left nothing uncertain: its slots are freed one by one, exactly. Who died in one may have left a
//! permit missing; nobody can know, so the generation is switched, which is right in both cases: in the new one every counter starts at 0, and
//! each word that was free before is moved into it with a post of its own. A switch may come at any moment and needs nobody's consent: who holds
//! a permit of g either still finds a `Free(g)`, whose move it thereby prevents, or finds none, sees that the generation is another one, and starts
//! again. So no process, stopped where it may be, is waited for.
//!
//! WRONG: reading the generation once for a look at all words, and freeing into that one. After a switch in between a word would be moved back, away
//! from the permit that leads to it.
//! WRONG: reading the generation, looking who is dead, switching "if it is still that one". The one who died may have begun after a switch in
//! between. It is read after the look.
//! WRONG: leaving before the post. A death in between loses the permit, and nobody suspects it.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use super::step::Step;
use super::word::{Holder, State};

/// So often the generation changes under one claim before it gives up for the moment.
const MAX_SWITCHES: usize = 8;
/// So often a claim with a permit looks at all slots: each time it found none, others took or gave some.
const MAX_LOOKS: usize = 1_000;

/// What is behind the protocol: semaphores, and tests that end it anywhere.
pub trait Environment {
    type Error;
    type Semaphore;
    /// The semaphore of a generation; none: there is no such name, because it is over or somebody deleted it.
    fn semaphore(&self, generation: u64) -> Result<Option<Self::Semaphore>, Self::Error>;
    fn try_wait(&self, semaphore: &Self::Semaphore) -> Result<bool, Self::Error>;
    fn post(&self, semaphore: &Self::Semaphore) -> Result<(), Self::Error>;
    fn reached(&self, step: Step) -> Result<(), Self::Error>;
}

/// The table as one process sees it.
///
/// An error leaves the process entered: what it was doing is as uncertain as if it had died there, and will be judged when it does.
pub struct Protocol<'a, E: Environment> {
    pub generation: &'a AtomicU64,
    pub words: &'a [Word],
    /// Of this process.
    pub in_flight: &'a AtomicU32,
    pub me: Holder,
    pub environment: &'a E,
}

/// A slot in the table.
#[derive(Debug)]
#[repr(C)]
pub struct Word {
    pub state: AtomicU64,
    /// Who has written the slot's record, so that it need not be written again; no part of the protocol.
    pub recorded: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Taken(usize),
    /// The semaphore had no permit.
    Refused,
    /// The current generation has no semaphore (any more).
    NoSemaphore(u64),
}

/// What a look at all slots found, and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Slots of the dead and of earlier generations that can be claimed now.
    pub freed: usize,
    /// Slots that were free without that.
    pub free: usize,
    pub held: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Why {
    Release,
    Repair,
    Adopt,
}

impl<E: Environment> Protocol<'_, E> {
    pub fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }

    /// Takes a slot, looking from `start` on and round.
    pub fn claim(&self, start: usize) -> Result<Claim, E::Error> {
        for _ in 0..MAX_SWITCHES {
            let generation = self.generation();
            let claim = match self.environment.semaphore(generation)? {
                Some(semaphore) => self.claim_in(generation, &semaphore, start)?,
                None => Claim::NoSemaphore(generation),
            };
            if matches!(claim, Claim::Taken(_)) || self.generation() == generation {
                return Ok(claim);
            }
        }
        Ok(Claim::Refused)
    }

    /// Gives back a slot of ours. False: it is not ours.
    pub fn release(&self, slot: usize) -> Result<bool, E::Error> {
        self.free(slot, State::Owned(self.me).to_word(), Why::Release)
    }

    pub fn is_ours(&self, slot: usize) -> bool {
        self.words
            .get(slot)
            .is_some_and(|word| word.state.load(SeqCst) == self.me.to_word())
    }

    /// Looks at all slots, and frees those of the dead and of earlier generations.
    pub fn look(&self, mut is_dead: impl FnMut(Holder) -> bool) -> Result<Seen, E::Error> {
        let mut seen = Seen::default();
        for (slot, word) in self.words.iter().enumerate() {
            let state = word.state.load(SeqCst);
            let why = match State::of(state) {
                State::Free(generation) if generation < self.generation() => Why::Adopt,
                State::Owned(holder) if is_dead(holder) => Why::Repair,
                State::Free(_) => {
                    seen.free += 1;
                    continue;
                }
                State::Owned(_) => {
                    seen.held.push(slot);
                    continue;
                }
            };
            // If not, somebody else has done it.
            seen.freed += usize::from(self.free(slot, state, why)?);
        }
        Ok(seen)
    }

    /// Makes `generation + 1` the current one, if `generation` is it.
    ///
    /// Caller: nobody else switches meanwhile, and the semaphore of the next generation exists, has no permit, and never had one.
    pub fn switch_from(&self, generation: u64) -> Result<(), E::Error> {
        let next = generation + 1;
        if self
            .generation
            .compare_exchange(generation, next, SeqCst, SeqCst)
            .is_err()
        {
            return Ok(());
        }
        in_one_order();
        self.environment.reached(Step::GenerationSwitched)?;
        // Nobody is dead here: only what is free is moved.
        self.look(|_| false)?;
        Ok(())
    }

    fn claim_in(&self, generation: u64, semaphore: &E::Semaphore, start: usize) -> Result<Claim, E::Error> {
        self.enter();
        self.environment.reached(Step::ClaimEntered)?;
        let mut claim = Claim::Refused;
        if self.environment.try_wait(semaphore)? {
            self.environment.reached(Step::PermitTaken)?;
            // If there is none the permit is void: of an earlier generation, or made up by somebody who is no part of this.
            if let Some(slot) = self.take(generation, start) {
                self.environment.reached(Step::SlotTaken)?;
                claim = Claim::Taken(slot);
            }
        }
        self.leave();
        Ok(claim)
    }

    fn take(&self, generation: u64, start: usize) -> Option<usize> {
        let free = State::Free(generation).to_word();
        let slots = self.words.len();
        for _ in 0..MAX_LOOKS {
            for step in 0..slots {
                let slot = (start % slots + step) % slots;
                let word = &self.words.get(slot)?.state;
                if word.load(SeqCst) == free && word.compare_exchange(free, self.me.to_word(), SeqCst, SeqCst).is_ok() {
                    return Some(slot);
                }
            }
            if self.generation() != generation {
                break;
            }
        }
        None
    }

    /// `from` becomes free in the current generation, which gets a permit for it. False: the slot is not `from` any more.
    fn free(&self, slot: usize, from: u64, why: Why) -> Result<bool, E::Error> {
        let Some(word) = self.words.get(slot) else {
            return Ok(false);
        };
        let [entered, freed, posted] = why.steps();
        let mut from = from;
        let mut done = false;
        loop {
            let generation = self.generation();
            if matches!(State::of(from), State::Free(old) if old >= generation) {
                return Ok(done);
            }
            // That it cannot be opened (no descriptor left) must not keep the slot: as if there were none, see below.
            let semaphore = self.environment.semaphore(generation).unwrap_or(None);
            let free = State::Free(generation).to_word();
            self.enter();
            self.environment.reached(entered)?;
            if word.state.compare_exchange(from, free, SeqCst, SeqCst).is_err() {
                self.leave();
                return Ok(done);
            }
            in_one_order();
            self.environment.reached(freed)?;
            // Without one a permit is missing, as after a death here: whoever finds the pool full and a slot free switches the generation.
            if let Some(semaphore) = semaphore {
                self.environment.post(&semaphore)?;
            }
            self.environment.reached(posted)?;
            self.leave();
            done = true;
            // Switched meanwhile: whoever did that may have passed this slot before it was free. Again, as an adoption.
            from = free;
        }
    }

    fn enter(&self) {
        self.in_flight.fetch_add(1, SeqCst);
    }

    fn leave(&self) {
        self.in_flight.fetch_sub(1, SeqCst);
    }
}

/// Of who frees a slot and then reads the generation, and who switches it and then reads the slot, at least one sees what the other did: `SeqCst`
/// says so. loom takes that for acquire and release, and has to be told.
fn in_one_order() {
    #[cfg(loom)]
    loom::sync::atomic::fence(SeqCst);
}

impl Why {
    fn steps(self) -> [Step; 3] {
        match self {
            Self::Release => [Step::ReleaseEntered, Step::ReleaseFreed, Step::ReleasePosted],
            Self::Repair => [Step::RepairEntered, Step::RepairFreed, Step::RepairPosted],
            Self::Adopt => [Step::AdoptEntered, Step::AdoptFreed, Step::AdoptPosted],
        }
    }
}
