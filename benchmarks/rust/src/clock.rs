use std::mem::MaybeUninit;

/// Nanoseconds since some point that all processes of this machine share.
pub fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds of the processor that all threads of this process have used.
pub fn processor_ns() -> u64 {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut at = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `at` is ours and large enough, and is written before the call returns 0.
    let at = unsafe {
        assert_eq!(libc::clock_gettime(clock, at.as_mut_ptr()), 0, "the clock exists");
        at.assume_init()
    };
    at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
}
