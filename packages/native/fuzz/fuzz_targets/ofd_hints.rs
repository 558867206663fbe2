//! The hints of an `ofdRange()` pool are a file that anybody may have written, and may write at any time: whatever it says, no slot is claimed
//! twice, "all are held" is said only when they are, and every free slot is found.
//!
//!     cargo +nightly fuzz run ofd_hints

#![no_main]

use std::fs;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use procref_locks::ofd_range::{Pool, Scan, Token};

fuzz_target!(|data: &[u8]| {
    let [size, first, steps, hints @ ..] = data else { return };
    let slots = u32::from(*size) * 2 + 1;
    let steps = &hints[..hints.len().min(usize::from(*steps) % 64)];
    // In memory; one fuzzer a process.
    let dir = PathBuf::from(format!("/dev/shm/procref-fuzz-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("hints"), hints).unwrap();
    let mut pools = Vec::new();
    for _ in 0..2 {
        pools.push(Pool::open(&dir, slots, b"record", u32::from(*first) % slots).unwrap());
    }
    let mut claimed = Claimed::default();
    for step in steps {
        let pool = usize::from(step & 1);
        match step >> 1 & 3 {
            0 => claimed.add(pool, pools[pool].try_claim(), slots),
            1 => claimed.scan(pool, &mut pools[pool], slots, u32::from(step >> 3)),
            2 => {
                let nth = usize::from(step >> 3);
                if let Some(at) = claimed.0.get(nth).map(|_| nth) {
                    let (pool, token) = claimed.0.swap_remove(at);
                    assert!(pools[pool].release(token), "a claimed slot could not be released");
                }
            }
            _ => {
                fs::write(dir.join("hints"), &hints[usize::from(*step) % hints.len()..]).unwrap();
                pools[pool].refresh_hints();
            }
        }
    }
    for shard in 0..pools[0].shards() {
        while claimed.scan_until_held(&mut pools[0], slots, shard) {}
    }
    assert_eq!(claimed.0.len(), slots as usize, "a free slot was not found");
    drop(pools);
    fs::remove_dir_all(&dir).unwrap();
});

#[derive(Default)]
struct Claimed(Vec<(usize, Token)>);

impl Claimed {
    fn add(&mut self, pool: usize, token: Option<Token>, slots: u32) {
        let Some(token) = token else { return };
        assert!(token.slot() < slots);
        assert!(
            self.0.iter().all(|(_, other)| other.slot() != token.slot()),
            "claimed twice"
        );
        self.0.push((pool, token));
    }

    fn scan(&mut self, number: usize, pool: &mut Pool, slots: u32, shard: u32) {
        let shard = shard % pool.shards();
        match pool.scan(shard).unwrap() {
            Scan::Taken(token) => self.add(number, Some(token), slots),
            Scan::AllHeld => {
                let in_shard = self.0.iter().filter(|(_, token)| token.slot() / 128 == shard).count();
                assert_eq!(in_shard as u32, (slots - shard * 128).min(128), "not all were held");
            }
            Scan::Unproven(slots) => panic!("nobody else is there, and {slots:?} could not be decided"),
        }
    }

    /// False: all are held.
    fn scan_until_held(&mut self, pool: &mut Pool, slots: u32, shard: u32) -> bool {
        let before = self.0.len();
        self.scan(0, pool, slots, shard);
        self.0.len() > before
    }
}
