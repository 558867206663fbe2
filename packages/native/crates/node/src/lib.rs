//! What JavaScript sees of `procref-locks`: plain functions, a lock is the integer of its descriptor. Nothing is decided here.
//!
//! A panic of one call becomes the error of that call (`errors::guarded`), so the crate is never built with `panic = "abort"`.

// Built as a test (clippy does that) nothing is registered with Node, so nothing is used.
#![cfg_attr(test, allow(dead_code))]

mod descriptors;
mod errors;
mod fast_call;
mod file_lock;
#[cfg(target_os = "linux")]
mod identity;
mod kernel_wait;
#[cfg(target_os = "linux")]
mod ofd_range;
#[cfg(target_os = "linux")]
mod permit_table;
#[cfg(unix)]
mod posix_semaphore;
#[cfg(target_os = "linux")]
mod robust_mutex;
#[cfg(target_os = "linux")]
mod sysv;

use napi::Env;
use napi::bindgen_prelude::{JsValue, Object};
use napi_derive::napi;

#[napi(module_exports)]
pub fn init(exports: Object, env: Env) -> napi::Result<()> {
    // Worker threads end without their process: what they hold has to come back. In the main thread the kernel would do.
    env.add_env_cleanup_hook((), |()| close_all())?;
    #[cfg(target_os = "linux")]
    ofd_range::export_fast_calls(env.raw(), exports.raw())?;
    file_lock::export_fast_calls(env.raw(), exports.raw())
}

fn close_all() {
    descriptors::close_all();
    #[cfg(target_os = "linux")]
    ofd_range::close_all();
    #[cfg(target_os = "linux")]
    permit_table::close_all();
    #[cfg(unix)]
    posix_semaphore::close_all();
    #[cfg(target_os = "linux")]
    robust_mutex::close_all();
    #[cfg(target_os = "linux")]
    sysv::close_all();
}
