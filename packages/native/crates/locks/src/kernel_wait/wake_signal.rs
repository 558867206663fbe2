//! The signal that gets a thread out of a blocking call. Its handler does nothing: that it runs ends the call with EINTR, because
//! it is installed without SA_RESTART. Source: signal(7), "Interruption of system calls and library functions by signal handlers".

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::sync::OnceLock;
use std::thread::JoinHandle;

use crate::file_lock::LockError;

static SIGNAL: OnceLock<Option<libc::c_int>> = OnceLock::new();

extern "C" fn nothing(_: libc::c_int) {}

/// The signal that this process uses, chosen when it is first asked for: one that nobody else in it has a handler for.
pub fn wake_signal() -> Result<libc::c_int, LockError> {
    let chosen = *SIGNAL.get_or_init(|| candidates().find(|signal| claim(*signal)));
    chosen.ok_or_else(|| LockError::system("sigaction", io::Error::from_raw_os_error(libc::EBUSY)))
}

/// Real-time signals: Node has no names for them, so no program listens. The first few are often taken, by C libraries among others.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn candidates() -> impl Iterator<Item = libc::c_int> {
    libc::SIGRTMIN() + 5..=libc::SIGRTMAX()
}

/// Those that do nothing by default; there are no real-time signals on macOS.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn candidates() -> impl Iterator<Item = libc::c_int> {
    [libc::SIGURG, libc::SIGIO].into_iter()
}

/// False: somebody else has a handler for it.
fn claim(signal: libc::c_int) -> bool {
    if !action(signal, None).is_some_and(|old| is_unused(&old)) {
        return false;
    }
    // SAFETY: all of its fields are integers, null pointers or optional functions, for which zero is a value.
    let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ours.sa_sigaction = nothing as *const () as usize;
    match action(signal, Some(&ours)) {
        Some(old) if is_unused(&old) => true,
        Some(old) => {
            // Taken between the look and now.
            action(signal, Some(&old));
            false
        }
        None => false,
    }
}

fn is_unused(action: &libc::sigaction) -> bool {
    action.sa_sigaction == libc::SIG_DFL || action.sa_sigaction == nothing as *const () as usize
}

/// Installs `new` if there is one; the action until now, or `None`: there is no such signal for us.
fn action(signal: libc::c_int, new: Option<&libc::sigaction>) -> Option<libc::sigaction> {
    let mut old = MaybeUninit::uninit();
    // SAFETY: both pointers are valid or null, and the only handler that we install is safe to run at any time.
    let failed = unsafe { libc::sigaction(signal, new.map_or(ptr::null(), ptr::from_ref), old.as_mut_ptr()) };
    // SAFETY: filled in by a call that succeeded.
    (failed == 0).then(|| unsafe { old.assume_init() })
}

/// Lets no other signal through to this thread: its stack is small, and a handler of somebody else's would interrupt our call.
/// And lets ours through, which a parent process may have blocked for us.
pub fn let_only_through(signal: libc::c_int) {
    let mut mask = MaybeUninit::uninit();
    // SAFETY: the pointer is valid, and the call fills in the whole set.
    unsafe { libc::sigfillset(mask.as_mut_ptr()) };
    // SAFETY: initialised by the call before.
    let mut mask: libc::sigset_t = unsafe { mask.assume_init() };
    // SAFETY: the set is valid. The call fails only for a number that is no signal.
    unsafe { libc::sigdelset(&mut mask, signal) };
    // SAFETY: the set is valid; it changes the mask of this thread alone.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &mask, ptr::null_mut()) };
}

/// Interrupts the thread, if it is in a blocking call.
pub fn send<T>(signal: libc::c_int, thread: &JoinHandle<T>) {
    // The standard library has one type for it everywhere; with musl it is a pointer.
    let thread = thread.as_pthread_t() as libc::pthread_t;
    // SAFETY: a thread that was not joined exists at least as a number that nobody else has.
    unsafe { libc::pthread_kill(thread, signal) };
}
