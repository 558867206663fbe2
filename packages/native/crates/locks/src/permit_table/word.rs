//! What stands in the 64-bit word of a slot: free, in a generation of the semaphore, or owned by a process.

/// Pids are below `PID_MAX_LIMIT`, 4,194,304: linux/threads.h.
const PID_BITS: u32 = 22;
/// Ticks of 10 ms since the boot: enough for 697 years.
const TICKS_BITS: u32 = 63 - PID_BITS;
const OWNED: u64 = 1 << 63;

/// A process, so that nobody can be mistaken for it: with its start, because pids are given out anew. In one boot and one pid namespace, as
/// the whole table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder(u64);

impl Holder {
    /// None: no process that a kernel of today could have.
    pub fn new(pid: i32, start_ticks: u64) -> Option<Self> {
        let pid = u64::try_from(pid).ok().filter(|pid| (1..1 << PID_BITS).contains(pid))?;
        (start_ticks < 1 << TICKS_BITS).then_some(Self(OWNED | pid << TICKS_BITS | start_ticks))
    }

    pub fn pid(self) -> i32 {
        // 22 bits.
        ((self.0 & !OWNED) >> TICKS_BITS) as i32
    }

    pub fn start_ticks(self) -> u64 {
        self.0 & ((1 << TICKS_BITS) - 1)
    }

    pub fn from_word(word: u64) -> Option<Self> {
        match State::of(word) {
            State::Owned(holder) => Some(holder),
            State::Free(_) => None,
        }
    }

    pub fn to_word(self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A permit of this generation's semaphore leads to it, or of an earlier one that is void.
    Free(u64),
    Owned(Holder),
}

impl State {
    pub fn of(word: u64) -> Self {
        if word & OWNED == 0 {
            Self::Free(word)
        } else {
            Self::Owned(Holder(word))
        }
    }

    pub fn to_word(self) -> u64 {
        match self {
            // Generations are counted up one by one, so they never reach the bit.
            Self::Free(generation) => generation & !OWNED,
            Self::Owned(holder) => holder.0,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_was_put_into_it() {
        for (pid, ticks) in [(1, 0), (4_194_303, (1 << 41) - 1), (77, 123_456)] {
            let holder = Holder::new(pid, ticks).unwrap();
            assert_eq!((holder.pid(), holder.start_ticks()), (pid, ticks));
            assert_eq!(State::of(holder.to_word()), State::Owned(holder));
            assert_eq!(Holder::from_word(holder.to_word()), Some(holder));
        }
        for generation in [0, 1, u64::MAX >> 1] {
            assert_eq!(State::of(State::Free(generation).to_word()), State::Free(generation));
            assert_eq!(Holder::from_word(generation), None);
        }
    }

    #[test]
    fn what_no_kernel_gives_out_is_no_holder() {
        for (pid, ticks) in [(0, 5), (-1, 5), (4_194_304, 5), (5, 1 << 41)] {
            assert_eq!(Holder::new(pid, ticks), None);
        }
    }
}
