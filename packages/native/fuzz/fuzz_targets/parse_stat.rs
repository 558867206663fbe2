//! `/proc/PID/stat` holds a name that its process chose: nothing in there may end us, or pass for one of the kernel's fields.
//!
//!     cargo +nightly fuzz run parse_stat

#![no_main]

use libfuzzer_sys::fuzz_target;
use procref_locks::identity::parse_stat;

fuzz_target!(|data: &[u8]| {
    if let Some(start_ticks) = parse_stat(data) {
        assert!(start_ticks.parse::<f64>().is_ok());
    }
    let mut stat = b"7 (".to_vec();
    stat.extend_from_slice(data);
    stat.extend_from_slice(b") S 1 7 7 0 -1 4194560 97 0 0 0 0 0 0 0 20 0 1 0 4711 2560000 213\n");
    assert_eq!(parse_stat(&stat), Some("4711"));
});
