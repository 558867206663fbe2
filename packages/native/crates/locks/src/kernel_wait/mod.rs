//! Waits that the kernel ends: a thread of its own sits in the blocking call, and can be called off.
//!
//! Not a thread of libuv's pool: four of those are all that Node's file functions have, and a call that blocks there for ever
//! keeps `process.exit()` from returning. Not a look now and then either: the kernel wakes a waiter within microseconds of the
//! holder's death. Not a pidfd of the holder: a lock lives in an open file description, which may outlive whoever locked it.

mod handshake;
#[cfg(not(loom))]
mod wait;

#[cfg(all(unix, not(loom)))]
#[path = "unix.rs"]
mod platform;
#[cfg(all(unix, not(loom)))]
mod wake_signal;

#[cfg(all(windows, not(loom)))]
#[path = "windows.rs"]
mod platform;

#[cfg(all(unix, not(loom)))]
pub(crate) use handshake::Attempt;
#[cfg(all(unix, not(loom)))]
pub(crate) use wait::start;
#[cfg(not(loom))]
pub use wait::{Outcome, Taken, Wait, lock_exclusive, wait_shared};
