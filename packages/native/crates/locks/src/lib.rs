//! The lock primitives behind `@procref/native`. Nothing here knows Node: every module can be tested, model-checked and run
//! under a sanitizer by plain `cargo test`; the crate `procref-native` hands them to JavaScript.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(not(loom))]
pub mod file_lock;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod identity;
pub mod kernel_wait;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod ofd_range;
#[cfg(target_os = "linux")]
pub mod permit_table;
#[cfg(all(unix, not(loom)))]
pub mod posix_semaphore;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod robust_mutex;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod sysv;

#[cfg(all(test, not(loom)))]
mod test_dir;
