//! The lock primitives behind `@procref/native`. Nothing here knows Node: every module can be tested, model-checked and run
//! under a sanitizer by plain `cargo test`; the crate `procref-native` hands them to JavaScript.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod file_lock;
#[cfg(unix)]
pub mod posix_semaphore;
#[cfg(target_os = "linux")]
pub mod robust_mutex;
#[cfg(target_os = "linux")]
pub mod sysv;

#[cfg(test)]
mod test_dir;
