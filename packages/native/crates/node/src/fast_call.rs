//! The two calls of every claim, written against Node-API itself: what `#[napi]` puts around a function costs as much as one of the
//! system calls (about 0.2 µs a call, and as much again for a path). All other functions use `#[napi]`.

use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr;

use napi::bindgen_prelude::Error;
use napi::{JsError, sys};

use crate::errors::{Code, Result, guarded};

/// PATH_MAX of Linux, its zero included: no system call takes a longer path.
const MAX_PATH_BYTES: usize = 4096;

/// A call from JavaScript, while it lasts.
pub struct Call<const N: usize> {
    env: sys::napi_env,
    args: [sys::napi_value; N],
}

/// Answers a call with what `body` returns or throws.
///
/// # Safety
/// `env` and `info` must be those with which Node-API has just called us.
pub unsafe fn answer<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    body: impl FnOnce(&Call<N>) -> Result<i32> + std::panic::UnwindSafe,
) -> sys::napi_value {
    let mut args = [ptr::null_mut(); N];
    let mut count = N;
    // SAFETY: both handles are this call's, and `args` has room for `count` values. Missing ones become `undefined`.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            args.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    let call = Call { env, args };
    match guarded(move || body(&call)) {
        Ok(number) => {
            let mut value = ptr::null_mut();
            // SAFETY: `env` is this call's environment. On failure the value stays null, which JavaScript gets as `undefined`.
            unsafe { sys::napi_create_int32(env, number, &mut value) };
            value
        }
        Err(error) => {
            // SAFETY: `env` is this call's environment, and we return to it at once.
            unsafe { JsError::from(error).throw_into(env) };
            ptr::null_mut()
        }
    }
}

impl<const N: usize> Call<N> {
    pub fn int(&self, index: usize) -> Result<i32> {
        let mut number = 0;
        let value = self.arg(index)?;
        // SAFETY: `value` is an argument of this call.
        let status = unsafe { sys::napi_get_value_int32(self.env, value, &mut number) };
        if status == sys::Status::napi_ok {
            Ok(number)
        } else {
            Err(wrong_argument(index, "an integer"))
        }
    }

    /// Calls `use_it` with the path; it is read into the stack, without an allocation.
    pub fn path<T>(&self, index: usize, use_it: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let value = self.arg(index)?;
        let mut buffer = [const { MaybeUninit::<u8>::uninit() }; MAX_PATH_BYTES];
        let mut length = 0;
        // SAFETY: `value` is an argument of this call, and the buffer is as long as it is said to be.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, value, buffer.as_mut_ptr().cast(), MAX_PATH_BYTES, &mut length)
        };
        if status != sys::Status::napi_ok {
            return Err(wrong_argument(index, "a string"));
        }
        // What does not fit is cut off, which nobody may take for the path; a character may need four bytes.
        if length + 4 >= MAX_PATH_BYTES {
            return Err(Error::new("ENAMETOOLONG open".into(), "the path is too long"));
        }
        // SAFETY: Node-API has written `length` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), length) };
        use_it(path_of(bytes).ok_or_else(|| wrong_argument(index, "UTF-8"))?)
    }

    /// Calls `use_it` with the bytes of a `Uint8Array`. It must not call JavaScript, which could change or detach them.
    pub fn bytes<T>(&self, index: usize, use_it: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let value = self.arg(index)?;
        let mut kind = 0;
        let mut length = 0;
        let mut data = ptr::null_mut();
        // SAFETY: `value` is an argument of this call; what is not asked for may be null.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                value,
                &mut kind,
                &mut length,
                &mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
            return Err(wrong_argument(index, "a Uint8Array"));
        }
        if length == 0 {
            return use_it(&[]);
        }
        // SAFETY: the array is an argument, so it lives as long as the call, and nothing else runs on this thread meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast(), length) };
        use_it(bytes)
    }

    fn arg(&self, index: usize) -> Result<sys::napi_value> {
        self.args
            .get(index)
            .copied()
            .ok_or_else(|| wrong_argument(index, "given"))
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt;
    Some(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(windows)]
fn path_of(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

fn wrong_argument(index: usize, expected: &str) -> Error<Code> {
    Error::new(
        "INVALID_ARGUMENT".into(),
        format!("argument {} is not {expected}", index + 1),
    )
}

/// Puts a function into the module's exports.
pub fn export(
    env: sys::napi_env,
    exports: sys::napi_value,
    name: &str,
    function: sys::napi_callback,
) -> napi::Result<()> {
    let mut value = ptr::null_mut();
    let length = name.len() as isize;
    // SAFETY: `name` has `length` bytes, and the function is one that expects to be called by Node-API.
    napi::check_status!(unsafe {
        sys::napi_create_function(env, name.as_ptr().cast(), length, function, ptr::null_mut(), &mut value)
    })?;
    let mut key = ptr::null_mut();
    // SAFETY: `name` has `length` bytes.
    napi::check_status!(unsafe { sys::napi_create_string_utf8(env, name.as_ptr().cast(), length, &mut key) })?;
    // SAFETY: all three values belong to this environment.
    napi::check_status!(unsafe { sys::napi_set_property(env, exports, key, value) })
}
