//! `procref_locks::permit_table` for JavaScript. An open table is a number; what was taken through it is released when it is closed, also
//! by the end of a worker thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use napi::bindgen_prelude::{Error, Uint8Array};
use napi_derive::napi;
use procref_locks::permit_table::{self, Failure, PermitTable, Step, TableError, Take};

use crate::errors::{Code, Result, guarded, lock_error, system_error};

const FULL: i32 = -1;
const UNSETTLED: i32 = -2;

/// The largest number of slots in one table.
#[napi]
pub const PERMIT_MAX_SLOTS: u32 = permit_table::MAX_SLOTS as u32;

#[derive(Default)]
struct Opened {
    tables: HashMap<u32, PermitTable>,
    last: u32,
}

thread_local! {
    /// By thread: an environment runs on one, and each of its calls comes from there.
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Releases whatever this environment took, and ends the threads that look after it.
pub fn close_all() {
    let tables = OPENED.with_borrow_mut(|opened| std::mem::take(&mut opened.tables));
    drop(tables);
}

/// From where a table that is made here can be used. `ENOSYS`: processes cannot be judged here.
#[napi]
pub fn permit_table_reach() -> Result<String> {
    guarded(|| permit_table::reach().map_err(system("readlink")))
}

/// Makes a file that must not exist.
#[napi]
pub fn permit_table_create(path: String, slots: u32) -> Result<()> {
    guarded(|| permit_table::create(Path::new(&path), slots as usize).map_err(table_error))
}

/// Removes the file and its semaphores. False: somebody uses them.
#[napi]
pub fn permit_table_remove_unused(path: String) -> Result<bool> {
    guarded(|| permit_table::remove_unused(Path::new(&path)).map_err(table_error))
}

/// A number for the open table. `OTHER_BOOT`, `UNUSED`: it may be removed; `BEING_LEFT`: look again; `OUT_OF_REACH`, `DAMAGED`,
/// `TOO_MANY_PROCESSES`: it cannot be used, the message says why.
#[napi]
pub fn permit_table_open(path: String, scan_ms: u32) -> Result<u32> {
    guarded(|| {
        let every = Duration::from_millis(scan_ms.into());
        let table = PermitTable::open(Path::new(&path), every).map_err(table_error)?;
        OPENED.with_borrow_mut(|opened| {
            // Never used again, so that a number that was closed stays closed.
            opened.last = opened.last.checked_add(1).ok_or_else(closed)?;
            opened.tables.insert(opened.last, table);
            Ok(opened.last)
        })
    })
}

#[napi]
pub fn permit_table_slots(handle: u32) -> Result<u32> {
    guarded(|| with(handle, |table| Ok(table.slots() as u32)))
}

/// A slot, with `record` left, looking from `start` on; -1: every one was held; -2: look again.
#[napi]
pub fn permit_table_try_take(handle: u32, start: u32, record: &[u8]) -> Result<i32> {
    guarded(|| {
        with(handle, |table| {
            Ok(
                match table.try_take(start as usize, record).map_err(system("sem_open"))? {
                    Take::Taken(slot) => slot as i32,
                    Take::Full => FULL,
                    Take::Unsettled => UNSETTLED,
                },
            )
        })
    })
}

/// False: not taken through this number, or somebody else's by now.
#[napi]
pub fn permit_table_release(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |table| table.release(slot as usize).map_err(system("sem_post"))))
}

/// Slots of the dead are freed, and not among them.
#[napi]
pub fn permit_table_held(handle: u32) -> Result<Vec<u32>> {
    guarded(|| {
        with(handle, |table| {
            let held = table.held().map_err(system("sem_post"))?;
            Ok(held.into_iter().map(|slot| slot as u32).collect())
        })
    })
}

/// Is the slot held through this number?
#[napi]
pub fn permit_table_holds(handle: u32, slot: u32) -> Result<bool> {
    guarded(|| with(handle, |table| table.holds(slot as usize).map_err(system("fstat"))))
}

/// Does the path that was opened still lead to the table? False also when it cannot be told.
#[napi]
pub fn permit_table_is_current(handle: u32) -> Result<bool> {
    guarded(|| with(handle, |table| Ok(table.is_current())))
}

#[napi]
pub fn permit_table_read_record(handle: u32, slot: u32) -> Result<Uint8Array> {
    guarded(|| {
        with(handle, |table| {
            let record = table.read_record(slot as usize).map_err(system("read"))?;
            Ok(record.to_vec().into())
        })
    })
}

/// The pid of the process that repairs, once there was one.
#[napi]
pub fn permit_table_watchdog_pid(handle: u32) -> Result<Option<i32>> {
    guarded(|| with(handle, |table| table.watchdog_pid().map_err(system("fstat"))))
}

/// The generation, and how many permits its semaphore has (-1: it has none).
#[napi]
pub fn permit_table_permits(handle: u32) -> Result<Vec<f64>> {
    guarded(|| {
        with(handle, |table| {
            let (generation, permits) = table.permits().map_err(system("sem_getvalue"))?;
            Ok(vec![generation as f64, permits.map_or(-1.0, f64::from)])
        })
    })
}

/// Releases what was taken through this number. False: closed before.
#[napi]
pub fn permit_table_close(handle: u32) -> Result<bool> {
    guarded(|| {
        let table = OPENED.with_borrow_mut(|opened| opened.tables.remove(&handle));
        Ok(table.is_some())
    })
}

/// Has this process killed, or stopped, when it reaches the step of this name, so that a test can show what becomes of that.
#[napi]
pub fn permit_table_fail_for_tests(step: String, stops: bool) -> Result<()> {
    guarded(|| {
        let found = Step::ALL.into_iter().find(|known| format!("{known:?}") == step);
        let found = found.ok_or_else(|| Error::new("UNKNOWN".into(), format!("no step {step}")))?;
        let failure = if stops { Failure::Stopped } else { Failure::Killed };
        permit_table::fail_at(Some((found, failure)));
        Ok(())
    })
}

fn with<T>(handle: u32, use_it: impl FnOnce(&mut PermitTable) -> Result<T>) -> Result<T> {
    OPENED.with_borrow_mut(|opened| use_it(opened.tables.get_mut(&handle).ok_or_else(closed)?))
}

fn closed() -> Error<Code> {
    Error::new("CLOSED".into(), "the permit table is closed")
}

/// `ESTALE` is what every call on an open table says when the file shrank.
fn system(syscall: &'static str) -> impl FnOnce(std::io::Error) -> Error<Code> {
    move |error| match error.raw_os_error() {
        Some(libc::ESTALE) => Error::new("DAMAGED".into(), "was truncated"),
        _ => system_error(syscall, &error),
    }
}

fn table_error(error: TableError) -> Error<Code> {
    let code = match &error {
        TableError::OtherBoot => "OTHER_BOOT",
        TableError::Unused => "UNUSED",
        TableError::OutOfReach { .. } => "OUT_OF_REACH",
        TableError::BeingLeft => "BEING_LEFT",
        TableError::TooManyProcesses => "TOO_MANY_PROCESSES",
        TableError::Damaged(_) => "DAMAGED",
        TableError::Lock(_) | TableError::System(_) => "",
    };
    match error {
        TableError::Lock(error) => lock_error(error),
        TableError::System(error) => system_error("open", &error),
        other => Error::new(code.into(), other.to_string()),
    }
}
