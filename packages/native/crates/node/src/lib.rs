//! What JavaScript sees of `procref-locks`: plain functions, a lock is the integer of its descriptor. Nothing is decided here.
//!
//! A panic of one call becomes the error of that call (`errors::guarded`), so the crate is never built with `panic = "abort"`.

mod descriptors;
mod errors;
mod file_lock;
#[cfg(unix)]
mod posix_semaphore;
#[cfg(target_os = "linux")]
mod robust_mutex;
#[cfg(target_os = "linux")]
mod sysv;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;

#[napi(module_exports)]
pub fn init(_exports: Object, env: Env) -> napi::Result<()> {
    // Worker threads end without their process: what they hold has to come back. In the main thread the kernel would do.
    env.add_env_cleanup_hook((), |()| close_all())?;
    Ok(())
}

fn close_all() {
    descriptors::close_all();
    #[cfg(unix)]
    posix_semaphore::close_all();
    #[cfg(target_os = "linux")]
    robust_mutex::close_all();
    #[cfg(target_os = "linux")]
    sysv::close_all();
}
