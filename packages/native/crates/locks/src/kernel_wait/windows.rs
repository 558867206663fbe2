//! A pending LockFileEx, which an event interrupts: the thread waits for the lock and for the event, and takes its request back
//! when the event comes first.
//!
//! Source: LockFileEx on ERROR_IO_PENDING; CancelIoEx, "The operation may have completed": whether the lock was granted all the same
//! is what GetOverlappedResult says, and only then the kernel is done with the OVERLAPPED.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::thread::JoinHandle;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_FILE_NOT_FOUND, ERROR_IO_PENDING, ERROR_OPERATION_ABORTED, WAIT_OBJECT_0,
};
use windows_sys::Win32::Storage::FileSystem::LOCK_FILE_FLAGS;
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};
use windows_sys::Win32::System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForMultipleObjects};

use super::handshake::Attempt;
use crate::file_lock::windows::{EXCLUSIVE, SHARED_LOCK, at_locked_byte, start_lock};
use crate::file_lock::{Descriptor, LockError};

pub(super) use crate::file_lock::windows::reopen_to_wait;

/// An event stays set, so one that comes before the thread waits is seen as well.
pub const INTERRUPT_AGAIN: Option<Duration> = None;
/// What a file that is at no path is.
pub const NOT_FOUND: i32 = ERROR_FILE_NOT_FOUND as i32;
pub const SPAWN: &str = "CreateThread";

pub struct Interruption {
    event: OwnedHandle,
}

impl Interruption {
    pub fn new() -> Result<Self, LockError> {
        if never_grants_what_is_pending() {
            let error = io::Error::from_raw_os_error(ERROR_CALL_NOT_IMPLEMENTED as i32);
            return Err(LockError::system("LockFileEx", error));
        }
        Self::of_any_call()
    }

    fn of_any_call() -> Result<Self, LockError> {
        let event = new_event().map_err(|error| LockError::system("CreateEventW", error))?;
        Ok(Self { event })
    }

    pub fn prepare_this_thread(&self) {}

    pub fn interrupt<T>(&self, _: &JoinHandle<T>) {
        // SAFETY: the handle is open. The call fails only for one that is none of an event.
        unsafe { SetEvent(self.event.as_raw_handle()) };
    }

    pub fn lock_exclusive(&self, file: &Descriptor) -> Attempt<LockError> {
        self.lock(file, EXCLUSIVE)
    }

    pub fn lock_shared(&self, file: &Descriptor) -> Attempt<LockError> {
        self.lock(file, SHARED_LOCK)
    }

    fn lock(&self, file: &Descriptor, kind: LOCK_FILE_FLAGS) -> Attempt<LockError> {
        // SAFETY: `at` is passed on as it came.
        let start = |at: *mut OVERLAPPED| unsafe { start_lock(file.as_handle(), kind, at) };
        match self.finish(file.as_handle(), at_locked_byte(), start) {
            Ok(true) => Attempt::Granted,
            Ok(false) => Attempt::Interrupted,
            Err(error) => Attempt::Failed(LockError::system("LockFileEx", error)),
        }
    }

    /// Starts a call on `handle`, which `start` may leave pending, and waits until it is over or interrupted. False: interrupted,
    /// and nothing came of it.
    fn finish(
        &self,
        handle: BorrowedHandle<'_>,
        mut call: OVERLAPPED,
        start: impl FnOnce(*mut OVERLAPPED) -> io::Result<()>,
    ) -> io::Result<bool> {
        let over = new_event()?;
        call.hEvent = over.as_raw_handle();
        // One pointer for all that follows: the kernel writes through it until `GetOverlappedResult` says that it is over.
        let call = &raw mut call;
        match start(call) {
            Ok(()) => return Ok(true),
            Err(error) if error.raw_os_error() == Some(ERROR_IO_PENDING as i32) => {}
            Err(error) => return Err(error),
        }
        let events = [over.as_raw_handle(), self.event.as_raw_handle()];
        // SAFETY: both handles are open as long as this call lasts.
        let which = unsafe { WaitForMultipleObjects(events.len() as u32, events.as_ptr(), 0, INFINITE) };
        if which != WAIT_OBJECT_0 {
            // SAFETY: the handle is open, and `call` is pending or over. It fails when it is over, which is seen below.
            unsafe { CancelIoEx(handle.as_raw_handle(), call) };
        }
        let mut bytes = 0;
        // SAFETY: as before. It returns when the kernel is done with `call`, so that may go out of scope.
        match unsafe { GetOverlappedResult(handle.as_raw_handle(), call, &mut bytes, 1) } {
            0 => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(ERROR_OPERATION_ABORTED as i32) => Ok(false),
                error => Err(error),
            },
            _ => Ok(true),
        }
    }
}

fn new_event() -> io::Result<OwnedHandle> {
    // Set until somebody unsets it, which nobody does.
    // SAFETY: it may have no security attributes and no name.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made this handle, for us.
    Ok(unsafe { OwnedHandle::from_raw_handle(event) })
}

/// Wine answers that a lock is pending, forgets the request, and can neither grant it nor take it back ("Async I/O lock wait not
/// implemented, might deadlock", dlls/ntdll/unix/file.c). There whoever waits has to look now and then.
fn never_grants_what_is_pending() -> bool {
    // SAFETY: the name ends with a zero; the module is part of every process and stays.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr().cast()) };
    // SAFETY: the module is loaded, and the name ends with a zero.
    !ntdll.is_null() && unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) }.is_some()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_INBOUND, ReadFile};
    use windows_sys::Win32::System::Pipes::CreateNamedPipeA;

    use super::super::wait::{Outcome, Waiter, start_with};
    use super::*;

    /// Reaching it means "hangs".
    const HANGS: Duration = Duration::from_secs(30);

    /// A call that is pending until somebody writes: what there is of it does not depend on locks. (Those of Wine are never pending.)
    struct Pipe {
        reader: OwnedHandle,
        writer: File,
    }

    impl Pipe {
        fn new(name: &str) -> Self {
            let path = format!(r"\\.\pipe\procref-{}-{name}", std::process::id());
            let c_path = format!("{path}\0");
            let flags = PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED;
            // SAFETY: the name ends with a zero.
            let handle = unsafe { CreateNamedPipeA(c_path.as_ptr(), flags, 0, 1, 64, 64, 0, ptr::null()) };
            assert_ne!(handle, windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE);
            // SAFETY: just made, for us.
            let reader = unsafe { OwnedHandle::from_raw_handle(handle) };
            let writer = OpenOptions::new().write(true).open(path).unwrap();
            Self { reader, writer }
        }

        fn read_byte(&self, interruption: &Interruption) -> io::Result<bool> {
            read_byte(&self.reader, interruption)
        }
    }

    fn read_byte(reader: &OwnedHandle, interruption: &Interruption) -> io::Result<bool> {
        let mut byte = [0_u8];
        interruption.finish(reader.as_handle(), OVERLAPPED::default(), |call| {
            // SAFETY: `byte` outlives `finish`, which returns when the call is over.
            match unsafe { ReadFile(reader.as_raw_handle(), byte.as_mut_ptr(), 1, ptr::null_mut(), call) } {
                0 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        })
    }

    fn set(interruption: &Interruption) {
        // SAFETY: the handle is open.
        assert_ne!(unsafe { SetEvent(interruption.event.as_raw_handle()) }, 0);
    }

    #[test]
    fn a_pending_call_ends_when_it_is_granted() {
        let mut pipe = Pipe::new("granted");
        let interruption = Interruption::of_any_call().unwrap();
        let mut writer = pipe.writer.try_clone().unwrap();
        let writes = thread::spawn(move || writer.write_all(b"x").unwrap());
        assert!(pipe.read_byte(&interruption).unwrap());
        writes.join().unwrap();
        // And one that need not be pending.
        pipe.writer.write_all(b"x").unwrap();
        assert!(pipe.read_byte(&interruption).unwrap());
    }

    #[test]
    fn an_interruption_that_comes_before_the_call_is_not_lost() {
        let pipe = Pipe::new("early");
        let interruption = Interruption::of_any_call().unwrap();
        set(&interruption);
        assert!(!pipe.read_byte(&interruption).unwrap());
    }

    #[test]
    fn a_call_granted_while_it_is_interrupted_was_granted_or_takes_nothing() {
        let pipe = Arc::new(Pipe::new("race"));
        for _ in 0..500 {
            let interruption = Arc::new(Interruption::of_any_call().unwrap());
            let barrier = Arc::new(Barrier::new(3));
            let interrupts = {
                let (interruption, barrier) = (interruption.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    set(&interruption);
                })
            };
            let writes = {
                let (pipe, barrier) = (pipe.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    (&pipe.writer).write_all(b"x").unwrap();
                })
            };
            barrier.wait();
            let granted = pipe.read_byte(&interruption).unwrap();
            interrupts.join().unwrap();
            writes.join().unwrap();
            if !granted {
                // Then the byte is still there.
                assert!(pipe.read_byte(&Interruption::of_any_call().unwrap()).unwrap());
            }
        }
    }

    #[test]
    fn a_wait_that_is_called_off_ends_and_one_that_is_dropped_too() {
        let pipe = Pipe::new("called-off");
        let reader = Arc::new(pipe.reader);
        for dropped in [false, true] {
            for _ in 0..100 {
                let reader = reader.clone();
                let (ended, has_ended) = channel();
                let wait = move |waiter: &Waiter| {
                    let block = |reader: &Arc<OwnedHandle>| match read_byte(reader, &waiter.interruption) {
                        Ok(true) => Attempt::Granted,
                        Ok(false) => Attempt::Interrupted,
                        Err(error) => Attempt::Failed(error),
                    };
                    match waiter.handshake.wait(reader, block) {
                        None => Outcome::CalledOff,
                        Some(_) => Outcome::Free,
                    }
                };
                let interruption = Interruption::of_any_call().unwrap();
                let wait = start_with(interruption, wait, move || ended.send(()).unwrap()).unwrap();
                if dropped {
                    drop(wait);
                    has_ended.try_recv().unwrap();
                } else {
                    wait.call_off();
                    has_ended.recv_timeout(HANGS).unwrap();
                    assert!(matches!(wait.end(), Outcome::CalledOff));
                }
            }
        }
    }
}
