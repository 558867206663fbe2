//! `procref_locks::identity` for JavaScript. Pids that do not exist and what must not be seen are `null`; a namespace that must not be seen is ''.

use napi_derive::napi;
use procref_locks::identity::{self, Namespace, Recorded};

use crate::errors::{Result, guarded, system_error};

#[napi]
pub fn identity_start_ticks_of(pid: i32) -> Result<Option<String>> {
    guarded(|| identity::start_ticks_of(pid).map_err(|error| system_error("read", &error)))
}

#[napi]
pub fn identity_executable_of(pid: i32) -> Result<Option<String>> {
    guarded(|| {
        let path = identity::executable_of(pid).map_err(|error| system_error("readlink", &error))?;
        Ok(path.map(|path| path.to_string_lossy().into_owned()))
    })
}

#[napi]
pub fn identity_boot_id() -> Result<String> {
    guarded(|| identity::boot_id().map_err(|error| system_error("read", &error)))
}

#[napi]
pub fn identity_pid_namespace_of(pid: i32) -> Result<Option<String>> {
    guarded(|| namespace_of(pid, Namespace::Pid))
}

#[napi]
pub fn identity_net_namespace_of(pid: i32) -> Result<Option<String>> {
    guarded(|| namespace_of(pid, Namespace::Net))
}

/// False: the recorded process is gone, is another one, or is never signalled.
#[napi]
pub fn identity_signal_same(
    pid: i32,
    start_ticks: String,
    boot_id: String,
    pid_namespace: String,
    signal: i32,
) -> Result<bool> {
    guarded(|| {
        let recorded = Recorded {
            pid,
            start_ticks: &start_ticks,
            boot_id: &boot_id,
            pid_namespace: &pid_namespace,
        };
        identity::signal_same(&recorded, signal).map_err(|error| system_error("pidfd_send_signal", &error))
    })
}

fn namespace_of(pid: i32, namespace: Namespace) -> Result<Option<String>> {
    identity::namespace_of(pid, namespace).map_err(|error| system_error("readlink", &error))
}
