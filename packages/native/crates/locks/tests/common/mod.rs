//! Other processes for tests: this test program again, running one test that is ignored otherwise. A child says lines that begin
//! with `@`, and is told lines.

#![allow(dead_code)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Beyond any honest delay on a busy machine: reaching it means "hangs".
pub const HANGS: Duration = Duration::from_secs(30);

pub struct Other {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Other {
    /// Runs the ignored test `program` of this file, which finds `argument` in `argument()`.
    pub fn start(program: &str, argument: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", program, "--ignored", "--nocapture", "--test-threads=1"])
            .env("PROCREF_TEST_ARGUMENT", argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    /// What the child says next.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                self.stdout.read_line(&mut line).unwrap(),
                0,
                "the child ended without a word"
            );
            // The test harness prints its own words before ours, on the same line.
            if let Some((_, said)) = line.split_once('@') {
                return said.trim_end().to_owned();
            }
        }
    }

    pub fn tell(&mut self, word: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{word}").unwrap();
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells the child to end by itself, and waits for it.
    pub fn finish(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Ended already in a test that went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the child: what `start` was given; `None` when somebody runs the ignored tests by hand.
pub fn argument() -> Option<String> {
    env::var("PROCREF_TEST_ARGUMENT").ok()
}

/// In the child.
pub fn say(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{line}").unwrap();
    out.flush().unwrap();
}

/// In the child: the next word, `None` at the end.
pub fn told() -> Option<String> {
    let mut line = String::new();
    (std::io::stdin().lock().read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
}

/// Runs `work` on its own thread and fails when it hangs.
pub fn within<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    wait.recv_timeout(HANGS).unwrap_or_else(|_| panic!("{what} hangs"))
}

/// Looks every millisecond until `found` answers. It must not spin: a `found` that sends signals would queue them faster than their receiver
/// can take them, which then never gets to do anything else.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < HANGS, "{what}: never");
        thread::sleep(Duration::from_millis(1));
    }
}
