//! The slots of the original design, as it was written down: `slot_00.lock` and so on are tried in turn with `try_lock_exclusive`, the
//! process id goes into the file, and whoever finds no free one gets an error. A process that wants several has a manager for each.
//!
//! `seed-slots DIR SLOTS`; see `src/actor/protocol.ts`.

use anyhow::{Context, Result, anyhow};
use fs2::FileExt;
use procref_bench_programs::{Permit, Pool, act};
use std::env::args;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::Write;
use std::path::PathBuf;

struct SlotManager {
    slot_dir: PathBuf,
    max_slots: usize,
    held_slot: Option<(usize, File)>,
}

impl SlotManager {
    fn acquire_slot(&mut self) -> Result<usize> {
        for slot_id in 0..self.max_slots {
            if self.try_slot(slot_id)? {
                return Ok(slot_id);
            }
        }
        Err(anyhow!("All {} slots are in use", self.max_slots))
    }

    /// The body of its loop.
    fn try_slot(&mut self, slot_id: usize) -> Result<bool> {
        let path = self.slot_dir.join(format!("slot_{slot_id:02}.lock"));
        // The design says nothing of truncating: of a longer process id the end stays behind a shorter one.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        if file.try_lock_exclusive().is_err() {
            return Ok(false);
        }
        writeln!(&file, "{}", std::process::id())?;
        self.held_slot = Some((slot_id, file));
        Ok(true)
    }

    fn release_slot(&mut self) {
        if let Some((_, file)) = self.held_slot.take() {
            // As it is written there: what fails is left to the end of the file.
            let _ = FileExt::unlock(&file);
        }
    }
}

impl Drop for SlotManager {
    fn drop(&mut self) {
        self.release_slot();
    }
}

struct Slots {
    dir: PathBuf,
    slots: usize,
}

struct Slot {
    id: usize,
    manager: SlotManager,
}

impl Permit for Slot {
    fn slot(&self) -> i64 {
        self.id as i64
    }
}

impl Slots {
    fn manager(&self) -> SlotManager {
        SlotManager {
            slot_dir: self.dir.clone(),
            max_slots: self.slots,
            held_slot: None,
        }
    }
}

impl Pool for Slots {
    type Permit = Slot;

    fn try_claim(&mut self) -> Result<Option<Slot>> {
        let mut manager = self.manager();
        match manager.acquire_slot() {
            Ok(id) => Ok(Some(Slot { id, manager })),
            Err(error) if error.downcast_ref::<std::io::Error>().is_none() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn release(&mut self, mut permit: Slot) -> Result<()> {
        permit.manager.release_slot();
        Ok(())
    }

    /// One pass over all slots: with a manager for each slot from the first on, 10,000 would take minutes.
    fn claim_up_to(&mut self, count: u64) -> Result<Vec<Slot>> {
        let mut taken = Vec::new();
        for id in 0..self.slots {
            if taken.len() as u64 == count {
                break;
            }
            let mut manager = self.manager();
            if manager.try_slot(id)? {
                taken.push(Slot { id, manager });
            }
        }
        Ok(taken)
    }
}

fn main() -> Result<()> {
    let usage = "usage: seed-slots DIR SLOTS";
    let mut args = args().skip(1);
    let dir = PathBuf::from(args.next().context(usage)?);
    let slots = args.next().context(usage)?.parse().context(usage)?;
    create_dir_all(&dir)?;
    act(|| {
        Ok(Slots {
            dir: dir.clone(),
            slots,
        })
    })
}
