//! Slots that are permits of a POSIX semaphore, written down in a table that all processes map: who has which, so that somebody can
//! give back what the dead have left. No system call is needed to take or release one (those we make look after the file: whether it was
//! truncated, or deleted).
//!
//! - `protocol`: how semaphore and table agree, why there is never a permit too many, what is done about the dead.
//! - `word`, `step`: what a slot's word says; where a process can die.
//! - `file`: the table in a file, and the kernel locks on it. `reach`: from where it can be used.
//! - `watchdog`: who does it.
//!
//! A process is its pid and its start, in one boot and one pid namespace; never a pid alone. Two that had one pid within one tick of the
//! kernel's clock (10 ms) are the same here. Linux only.

#[cfg(not(loom))]
mod failpoint;
#[cfg(not(loom))]
mod file;
#[cfg(all(test, loom))]
mod loom_tests;
mod protocol;
#[cfg(not(loom))]
mod reach;
mod step;
#[cfg(not(loom))]
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(not(loom))]
mod watchdog;
mod word;

#[cfg(not(loom))]
pub use failpoint::{Failure, fail_at};
#[cfg(not(loom))]
pub use file::{MAX_SLOTS, RECORD_BYTES, create, remove_unused};
#[cfg(not(loom))]
pub use reach::reach;
#[cfg(not(loom))]
pub use step::Step;
#[cfg(not(loom))]
pub use table::{PermitTable, TableError, Take};
