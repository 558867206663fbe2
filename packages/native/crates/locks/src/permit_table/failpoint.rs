//! Failures on purpose, for tests: a process that is killed or stopped exactly there.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use super::step::Step;

/// What to do once at one step, in the whole process: its number, with `STOPS`; 0: nothing.
static FAILPOINT: AtomicU32 = AtomicU32::new(0);
const STOPS: u32 = 1 << 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// SIGKILL.
    Killed,
    /// SIGSTOP, until somebody sends SIGCONT.
    Stopped,
}

/// For tests: this process fails so when it, whichever thread of it, reaches that step next. None: no more.
pub fn fail_at(failure: Option<(Step, Failure)>) {
    let encoded = failure.map_or(0, |(step, failure)| match failure {
        Failure::Killed => number(step),
        Failure::Stopped => number(step) | STOPS,
    });
    FAILPOINT.store(encoded, Ordering::SeqCst);
}

/// Costs one load where no test has set anything.
pub(super) fn reached(step: Step) -> io::Result<()> {
    let armed = FAILPOINT.load(Ordering::Relaxed);
    if armed & !STOPS == number(step) && FAILPOINT.swap(0, Ordering::SeqCst) == armed {
        let signal = match armed & STOPS {
            0 => rustix::process::Signal::KILL,
            _ => rustix::process::Signal::STOP,
        };
        rustix::process::kill_process(rustix::process::getpid(), signal)?;
    }
    Ok(())
}

fn number(step: Step) -> u32 {
    step as u32 + 1
}
