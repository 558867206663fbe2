//! The header of `robust.mutexes` is read from a file that anybody may have written: nothing in there may end us, and what is accepted is what
//! we would have written.
//!
//!     cargo +nightly fuzz run robust_header

#![no_main]

use libfuzzer_sys::fuzz_target;
use procref_locks::robust_mutex::{MAX_SLOTS, header, parse_header};

fuzz_target!(|data: &[u8]| {
    check(data);
    // Past the words that a fuzzer would have to guess.
    let mut bytes = header(1, 1, "");
    bytes.truncate(bytes.len() - 16);
    bytes.extend_from_slice(data);
    check(&bytes);
});

fn check(bytes: &[u8]) {
    if let Some((slots, inode, boot)) = parse_header(bytes) {
        assert!((1..=MAX_SLOTS).contains(&slots));
        assert!(bytes.starts_with(&header(slots, inode, boot)));
    }
}
