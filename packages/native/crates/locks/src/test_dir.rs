//! A fresh directory for one test, removed afterwards.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What `take` gets, as soon as it can be had. A lock that was let go of a moment ago can still be refused: a process that is just being
/// forked (by another test) has a copy of our descriptors until it becomes its program, and whoever reads /proc/PID/fd one of its file.
pub fn soon<T>(path: &Path, mut take: impl FnMut(&Path) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(taken) = take(path) {
            return taken;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{path:?} stays locked");
        std::thread::yield_now();
    }
}

pub struct TestDir(PathBuf);

impl TestDir {
    pub fn new() -> Self {
        let name = format!(
            "procref-locks-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Deref for TestDir {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
