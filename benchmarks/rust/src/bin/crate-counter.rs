//! The published crate `procref` 0.1.0: its counter of references (System V semaphores with SEM_UNDO on Linux) made a pool of permits by
//! whoever looks at the count. It does not limit it; who finds that it became too large gives the reference back. So never more than SLOTS
//! have one, but two who come for the last one at the same time can both go away without.
//!
//! `crate-counter NAME SLOTS`; see `src/actor/protocol.ts`. The crate makes of a name one of 128 keys, which all programs of the machine
//! share, and never removes a set, so there is also:
//!
//! `crate-counter --unused COUNT`: prints as many names, one a line, whose keys nobody uses now (fewer if there are not so many).
//! `crate-counter --remove NAME…`: removes their sets, those in use as well.

use anyhow::{Context, Result, bail, ensure};
use procref::{PlatformRefCounter, RefCounter};
use procref_bench_programs::{Permit, Pool, UNNUMBERED, act};
use std::collections::HashSet;
use std::io::Error;

/// More of them would have no other keys.
const MOST_NAMES: u32 = 100_000;

struct Counters {
    name: String,
    slots: u32,
    /// A counter knows one reference; whoever wants another takes another counter.
    idle: Vec<Reference>,
}

struct Reference(PlatformRefCounter);

impl Permit for Reference {
    fn slot(&self) -> i64 {
        UNNUMBERED
    }
}

impl Pool for Counters {
    type Permit = Reference;

    fn try_claim(&mut self) -> Result<Option<Reference>> {
        let reference = match self.idle.pop() {
            Some(reference) => reference,
            None => Reference(PlatformRefCounter::new(&self.name)?),
        };
        if reference.0.acquire()? <= self.slots {
            return Ok(Some(reference));
        }
        self.release(reference)?;
        Ok(None)
    }

    fn release(&mut self, reference: Reference) -> Result<()> {
        reference.0.release()?;
        self.idle.push(reference);
        Ok(())
    }
}

/// As the crate makes it: ftok(3) with the sum of the name's bytes. It takes a key that is negative, as half of them are, for an error.
fn key_of(name: &str) -> Result<libc::key_t> {
    let id = name.bytes().fold(1u8, |sum, byte| sum.wrapping_add(byte));
    // SAFETY: the path ends with a zero.
    let key = unsafe { libc::ftok(c"/tmp".as_ptr(), id.into()) };
    ensure!(key >= 0, "the crate refuses the key of {name}");
    Ok(key)
}

/// None: there is no set of this name.
fn set_of(name: &str) -> Result<Option<i32>> {
    // SAFETY: it takes numbers only; without IPC_CREAT it makes nothing.
    let id = unsafe { libc::semget(key_of(name)?, 0, 0) };
    if id != -1 {
        return Ok(Some(id));
    }
    let error = Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Ok(None),
        // Somebody else's.
        Some(libc::EACCES) => bail!("the key of {name} is another user's"),
        _ => Err(error).context("semget"),
    }
}

fn print_unused(count: usize) {
    let mut seen = HashSet::new();
    let names = (0..MOST_NAMES).map(|n| format!("procref-bench-{n}"));
    for name in names
        .filter(|name| matches!(set_of(name), Ok(None)) && key_of(name).is_ok_and(|key| seen.insert(key)))
        .take(count)
    {
        println!("{name}");
    }
}

fn remove(name: &str) -> Result<()> {
    let Some(id) = set_of(name)? else { return Ok(()) };
    // SAFETY: IPC_RMID has no further argument.
    let removed = unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
    ensure!(removed != -1, "semctl: {}", Error::last_os_error());
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--unused", count] => print_unused(count.parse()?),
        ["--remove", names @ ..] => names.iter().try_for_each(|name| remove(name))?,
        [name, slots] => {
            let slots = slots.parse()?;
            act(|| {
                Ok(Counters {
                    name: (*name).into(),
                    slots,
                    idle: Vec::new(),
                })
            })?;
        }
        _ => bail!("usage: crate-counter NAME SLOTS | --unused COUNT | --remove NAME..."),
    }
    Ok(())
}
