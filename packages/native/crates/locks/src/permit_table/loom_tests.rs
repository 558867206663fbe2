//! The protocol in every order of its steps, with a death after each of them. The dead do nothing more; at the end a process that lives
//! judges them, as the watchdog does, and then there must be exactly as many permits as slots.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use loom::thread;

use super::protocol::{Claim, Environment, Protocol, Seen, Word};
use super::step::Step;
use super::word::{Holder, State};

const GENERATIONS: usize = 4;

struct Process {
    holder: Holder,
    in_flight: AtomicU32,
    /// It dies when it has done this.
    dies_at: Option<Step>,
}

struct World {
    generation: AtomicU64,
    words: Vec<Word>,
    /// By generation; 0 never had one.
    semaphores: Vec<AtomicU32>,
    processes: Vec<Process>,
}

#[derive(Debug)]
struct Died;

struct Here<'a> {
    world: &'a World,
    process: &'a Process,
}

impl Environment for Here<'_> {
    type Error = Died;
    type Semaphore = usize;

    fn semaphore(&self, generation: u64) -> Result<Option<usize>, Died> {
        Ok(usize::try_from(generation).ok().filter(|generation| *generation > 0))
    }

    fn try_wait(&self, semaphore: &usize) -> Result<bool, Died> {
        let permits = &self.world.semaphores[*semaphore];
        let mut seen = permits.load(SeqCst);
        while seen > 0 {
            match permits.compare_exchange(seen, seen - 1, SeqCst, SeqCst) {
                Ok(_) => return Ok(true),
                Err(now) => seen = now,
            }
        }
        Ok(false)
    }

    fn post(&self, semaphore: &usize) -> Result<(), Died> {
        self.world.semaphores[*semaphore].fetch_add(1, SeqCst);
        Ok(())
    }

    fn reached(&self, step: Step) -> Result<(), Died> {
        if self.process.dies_at == Some(step) {
            Err(Died)
        } else {
            Ok(())
        }
    }
}

impl World {
    /// In the first generation; `held[n]` says which process has slot n.
    fn new(held: &[Option<usize>], deaths: &[Option<Step>]) -> Self {
        let processes: Vec<_> = (1..)
            .zip(deaths)
            .map(|(pid, dies_at)| Process {
                holder: Holder::new(pid, 7).unwrap(),
                in_flight: AtomicU32::new(0),
                dies_at: *dies_at,
            })
            .collect();
        let words: Vec<_> = held
            .iter()
            .map(|held| Word {
                state: AtomicU64::new(held.map_or(State::Free(1).to_word(), |n| processes[n].holder.to_word())),
                recorded: AtomicU64::new(0),
            })
            .collect();
        let free = u32::try_from(held.iter().filter(|held| held.is_none()).count()).unwrap();
        let permits = |generation| if generation == 1 { free } else { 0 };
        Self {
            generation: AtomicU64::new(1),
            words,
            semaphores: (0..=GENERATIONS).map(|g| AtomicU32::new(permits(g))).collect(),
            processes,
        }
    }

    fn run<T>(&self, n: usize, act: impl FnOnce(&Protocol<'_, Here<'_>>) -> Result<T, Died>) -> Result<T, Died> {
        let process = &self.processes[n];
        let environment = Here { world: self, process };
        act(&Protocol {
            generation: &self.generation,
            words: &self.words,
            in_flight: &process.in_flight,
            me: process.holder,
            environment: &environment,
        })
    }

    /// What the watchdog does about processes that died, run by `judge`. Whoever dies of it is dead, too.
    fn mend(&self, judge: usize, dead: &[usize]) -> Result<(), Died> {
        // Read after the deaths.
        self.mend_in(self.generation.load(SeqCst), judge, dead)
    }

    fn mend_in(&self, generation: u64, judge: usize, dead: &[usize]) -> Result<(), Died> {
        self.run(judge, |protocol| {
            protocol.look(|holder| dead.iter().any(|n| self.processes[*n].holder == holder))?;
            if dead.iter().any(|n| self.processes[*n].in_flight.load(SeqCst) > 0) {
                protocol.switch_from(generation)?;
            }
            Ok(())
        })
    }

    /// Nobody is in the middle of anything: no slot is free in an earlier generation.
    fn check_nothing_is_left(&self) {
        let generation = self.generation.load(SeqCst);
        for word in &self.words {
            let state = State::of(word.state.load(SeqCst));
            assert!(
                !matches!(state, State::Free(old) if old < generation),
                "{state:?} is left"
            );
        }
    }

    /// Everybody has come to an end, and `dead` have died; `judge` has not. There is a permit for each slot that nobody living holds, and not
    /// one more.
    fn check(&self, judge: usize, dead: &[usize]) {
        self.mend(judge, dead).unwrap();
        let generation = self.generation.load(SeqCst);
        let value = self.semaphores[usize::try_from(generation).unwrap()].load(SeqCst) as usize;
        let seen: Seen = self.run(judge, |protocol| protocol.look(|_| false)).unwrap();
        assert_eq!(seen.freed, 0, "a slot of an earlier generation is left");
        assert_eq!(value, seen.free, "permits and free slots");
        assert_eq!(seen.free + seen.held.len(), self.words.len());
        for _ in 0..seen.free {
            let claim = self.run(judge, |protocol| protocol.claim(0)).unwrap();
            assert!(matches!(claim, Claim::Taken(_)), "{claim:?} while slots are free");
        }
        let one_more = self.run(judge, |protocol| protocol.claim(0)).unwrap();
        assert_eq!(one_more, Claim::Refused);
    }
}

fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(check);
}

/// Runs the model without a death, and with one of process 0 after each of its steps.
fn model_with_deaths(check: impl Fn(Option<Step>) + Send + Sync + Copy + 'static) {
    model(move || check(None));
    for step in Step::ALL {
        model(move || check(Some(step)));
    }
}

fn start<T: 'static>(
    world: &Arc<World>,
    act: impl FnOnce(&World) -> Result<T, Died> + 'static,
) -> thread::JoinHandle<Result<T, Died>> {
    let world = world.clone();
    thread::spawn(move || act(&world))
}

fn is_held_twice(claims: &[Result<Claim, Died>]) -> bool {
    let slots: Vec<_> = claims
        .iter()
        .filter_map(|claim| match claim {
            Ok(Claim::Taken(slot)) => Some(*slot),
            _ => None,
        })
        .collect();
    (1..slots.len()).any(|n| slots[..n].contains(&slots[n]))
}

#[test]
fn loom_claims_beside_each_other_get_different_slots_and_lose_none() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[None, None], &[dies_at, None, None]));
        let first = start(&world, |world| world.run(0, |p| p.claim(0)));
        let second = start(&world, |world| world.run(1, |p| p.claim(0)));
        let claims = [first.join().unwrap(), second.join().unwrap()];
        assert!(!is_held_twice(&claims));
        assert!(matches!(claims[1], Ok(Claim::Taken(_))), "{claims:?}");
        let dead: &[usize] = if claims[0].is_err() { &[0] } else { &[] };
        world.check(2, dead);
    });
}

#[test]
fn loom_a_release_beside_a_claim_loses_no_permit() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[Some(0)], &[dies_at, None, None]));
        let releases = start(&world, |world| world.run(0, |p| p.release(0)));
        let claims = start(&world, |world| world.run(1, |p| p.claim(0)));
        let released = releases.join().unwrap();
        let _ = claims.join().unwrap();
        world.check(2, if released.is_err() { &[0] } else { &[] });
    });
}

#[test]
fn loom_a_claim_beside_a_switch_is_neither_lost_nor_doubled() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[None, None], &[dies_at, None, None]));
        let claims = start(&world, |world| world.run(0, |p| p.claim(1)));
        let switches = start(&world, |world| world.run(1, |p| p.switch_from(1)));
        let claim = claims.join().unwrap();
        switches.join().unwrap().unwrap();
        world.check(2, if claim.is_err() { &[0] } else { &[] });
    });
}

#[test]
fn loom_a_release_beside_a_switch_is_neither_lost_nor_doubled() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[Some(0), None], &[dies_at, None, None]));
        let releases = start(&world, |world| world.run(0, |p| p.release(0)));
        let switches = start(&world, |world| world.run(1, |p| p.switch_from(1)));
        let released = releases.join().unwrap();
        switches.join().unwrap().unwrap();
        if released.is_ok() {
            world.check_nothing_is_left();
        }
        world.check(2, if released.is_err() { &[0] } else { &[] });
    });
}

#[test]
fn loom_a_watchdog_that_dies_anywhere_in_a_switch_has_a_successor_that_mends_it() {
    model_with_deaths(|dies_at| {
        // Process 1 has died with a permit in its hands, and holds a slot as well.
        let world = Arc::new(World::new(
            &[Some(1), None, None],
            &[dies_at, Some(Step::PermitTaken), None, None],
        ));
        assert!(world.run(1, |p| p.claim(0)).is_err());
        let mends = start(&world, |world| world.mend(0, &[1]));
        let claims = start(&world, |world| world.run(2, |p| p.claim(0)));
        let mended = mends.join().unwrap();
        let _ = claims.join().unwrap();
        world.check(3, if mended.is_err() { &[0, 1] } else { &[1] });
    });
}

#[test]
fn loom_two_who_repair_the_same_dead_give_its_permit_back_once() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[Some(2)], &[dies_at, None, None]));
        let dead = |world: &World| world.processes[2].holder;
        let repair = move |world: &World, n| world.run(n, |p| p.look(|holder| holder == dead(world)));
        let first = start(&world, move |world| repair(world, 0));
        let second = start(&world, move |world| repair(world, 1));
        let first = first.join().unwrap();
        let second = second.join().unwrap().unwrap();
        let freed = second.freed + first.as_ref().map_or(0, |seen| seen.freed);
        assert!(freed <= 1);
        world.check(1, if first.is_err() { &[0, 2] } else { &[2] });
    });
}

#[test]
fn loom_a_switch_beside_a_second_one_and_a_release_leaves_no_slot_behind() {
    model(|| {
        let world = Arc::new(World::new(&[Some(0)], &[None, None, None]));
        let releases = start(&world, |world| world.run(0, |p| p.release(0)));
        // One after the other: they have a lock.
        let switches = start(&world, |world| {
            world.run(1, |p| p.switch_from(1))?;
            world.run(1, |p| p.switch_from(2))
        });
        assert!(releases.join().unwrap().unwrap());
        switches.join().unwrap().unwrap();
        world.check_nothing_is_left();
        world.check(2, &[]);
    });
}

#[test]
fn loom_a_look_beside_a_switch_moves_no_slot_back() {
    model_with_deaths(|dies_at| {
        let world = Arc::new(World::new(&[None, Some(2)], &[dies_at, None, None]));
        let looks = start(&world, |world| {
            let dead = world.processes[2].holder;
            world.run(0, |p| p.look(|holder| holder == dead))
        });
        let switches = start(&world, |world| world.run(1, |p| p.switch_from(1)));
        let looked = looks.join().unwrap();
        switches.join().unwrap().unwrap();
        world.check(1, if looked.is_err() { &[0, 2] } else { &[2] });
    });
}

#[test]
#[should_panic(expected = "permits and free slots")]
fn loom_a_generation_that_is_read_before_a_death_says_nothing_about_it() {
    model(|| {
        let world = World::new(&[None], &[Some(Step::PermitTaken), None, None]);
        let generation = world.generation.load(SeqCst);
        world.run(1, |p| p.switch_from(generation)).unwrap();
        assert!(world.run(0, |p| p.claim(0)).is_err());
        world.mend_in(generation, 2, &[0]).unwrap();
        // What is uncertain passes for settled now.
        world.check(2, &[]);
    });
}

#[test]
#[should_panic(expected = "permits and free slots")]
fn loom_a_permit_that_is_posted_for_a_slot_that_others_freed_is_one_too_many() {
    // What a repair without compare-and-exchange would do: both post.
    let world = || World::new(&[None], &[None, None, None]);
    model(move || {
        let world = Arc::new(world());
        let posts = start(&world, |world| world.run(0, |p| p.environment.post(&1)));
        posts.join().unwrap().unwrap();
        world.check(2, &[]);
    });
}

#[test]
#[should_panic(expected = "permits and free slots")]
fn loom_a_death_that_nobody_suspects_loses_a_permit() {
    model(|| {
        let world = Arc::new(World::new(&[None], &[Some(Step::PermitTaken), None, None]));
        let claims = start(&world, |world| world.run(0, |p| p.claim(0)));
        assert!(claims.join().unwrap().is_err());
        // As if it had left before the permit led to a slot.
        world.processes[0].in_flight.store(0, SeqCst);
        world.check(2, &[0]);
    });
}
