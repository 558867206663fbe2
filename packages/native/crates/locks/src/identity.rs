//! Which process has a pid, and a signal that reaches that process or nobody. Linux: proc_pid_stat(5), namespaces(7), pidfd_open(2).
//!
//! # Why no reused pid is signalled
//! A pid is given out anew once its process is dead and collected; between a look at /proc and kill(2) that can happen. So:
//!
//! ```text
//! 1. pidfd_open(pid)        the pidfd names the process X that has the pid NOW, for ever, whoever gets the pid later
//! 2. read /proc/PID/stat    tells of the process that has the pid now: X, or a newcomer if X was collected since 1
//! 3. compare with the record
//! 4. pidfd_send_signal      to X; ESRCH if X was collected
//! ```
//!
//! If step 4 reaches X, then X had the pid from 1 to 4, so what step 2 read was X's, and X is the recorded process. If X was collected
//! on the way, step 4 signals nobody, whatever step 2 read.
//!
//! WRONG: 2 before 1. The recorded process could end in between, and the pidfd would name its successor.
//!
//! Unspecified: two processes that had one pid within one tick of the kernel's clock (10 ms) are the same here.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal, test_kill_process};

/// Which process somebody wrote down.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    pub pid: i32,
    /// As `start_ticks_of`.
    pub start_ticks: &'a str,
    /// As `boot_id`.
    pub boot_id: &'a str,
    /// As `namespace_of` of that process: where `pid` counts.
    pub pid_namespace: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub enum Namespace {
    Pid,
    Net,
}

/// Sends `signal` to exactly the recorded process. False: it is gone, a zombie, of another boot or pid namespace, not to be seen from
/// here, or never to be signalled (pid 1, this process itself).
///
/// Guarantee: no process but the recorded one is signalled (see above why).
/// `ENOSYS`: this cannot be done here, because the kernel (before 5.3) or a sandbox has no pidfds, or /proc shows another pid namespace than
/// ours. `EPERM`: it runs, and is another user's. `EINVAL`: not a signal with a name.
pub fn signal_same(recorded: &Recorded, signal: i32) -> io::Result<bool> {
    let signal = Signal::from_named_raw(signal).ok_or_else(|| io::Error::from(Errno::INVAL))?;
    match OpenedProcess::open(recorded.pid)? {
        Some(process) => Ok(process.is(recorded)? && process.send(signal)?),
        None => Ok(false),
    }
}

/// The steps of `signal_same`, so that a test can do something between them.
struct OpenedProcess {
    pid: i32,
    pidfd: OwnedFd,
}

impl OpenedProcess {
    /// None: nobody has this pid, or it must not be signalled.
    fn open(pid: i32) -> io::Result<Option<Self>> {
        let own = getpid().as_raw_pid();
        if pid <= 1 || pid == own {
            return Ok(None);
        }
        let Some(raw) = Pid::from_raw(pid) else {
            return Ok(None);
        };
        // Another namespace's /proc would tell of another process with this number.
        if !proc_shows_our_pids()? {
            return Err(Errno::NOSYS.into());
        }
        let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            // The latter two: it is a thread of some process.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(no_pidfd(errno)),
        };
        Ok(Some(Self { pid, pidfd }))
    }

    fn is(&self, recorded: &Recorded) -> io::Result<bool> {
        Ok(self.pid == recorded.pid
            && start_ticks_of(self.pid)?.as_deref() == Some(recorded.start_ticks)
            && boot_id()? == recorded.boot_id
            // Ours, because it is we who take the number for a process.
            && own_pid_namespace()? == recorded.pid_namespace)
    }

    fn send(&self, signal: Signal) -> io::Result<bool> {
        match pidfd_send_signal(&self.pidfd, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            // That of another user, or a sandbox's: the process is known now, so kill(2) would be refused as well.
            Err(errno) => Err(errno.into()),
        }
    }
}

/// pidfd_open(2) knows no EPERM; it is how sandboxes refuse system calls that they do not know.
fn no_pidfd(errno: Errno) -> io::Error {
    match errno {
        Errno::PERM => Errno::NOSYS.into(),
        other => other.into(),
    }
}

/// When the process began, in clock ticks since the boot. None: nobody has this pid, or a zombie, or it must not be seen.
pub fn start_ticks_of(pid: i32) -> io::Result<Option<String>> {
    Ok(if_visible(std::fs::read(format!("/proc/{pid}/stat")))?
        .as_deref()
        .and_then(parse_stat)
        .map(str::to_owned))
}

/// Field 22 of `/proc/PID/stat`. None for a zombie (Z), for a process that is just disappearing (X), and for what the kernel never
/// writes.
pub fn parse_stat(stat: &[u8]) -> Option<&str> {
    let Stat { ended, start_ticks } = Stat::parse(stat)?;
    (!ended).then_some(start_ticks)
}

struct Stat<'a> {
    ended: bool,
    start_ticks: &'a str,
}

impl<'a> Stat<'a> {
    /// A Z with more than one thread (field 20) is no zombie yet: only its first thread has ended, and the others have its files, locks and
    /// ports. The name, field 2, may contain anything, so fields are counted from the last `)`.
    fn parse(stat: &'a [u8]) -> Option<Self> {
        let end_of_name = stat.iter().rposition(|byte| *byte == b')')?;
        let fields = std::str::from_utf8(stat.get(end_of_name + 2..)?).ok()?;
        let mut fields = fields.split(' ');
        let state = fields.next()?;
        let threads = fields.nth(16)?;
        let start_ticks = fields.nth(1)?;
        let ended = match state {
            "X" | "x" => true,
            "Z" => threads.parse::<i64>().ok()? <= 1,
            _ => false,
        };
        let is_number = !start_ticks.is_empty() && start_ticks.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self { ended, start_ticks })
    }
}

/// Is the process that had this pid and start proven to be dead (a zombie is)? False: it lives, or cannot be seen and may live.
///
/// Caller: /proc shows the pid namespace and the clock in which the two were written down.
/// WRONG: "there is no /proc/PID, so it is dead". Where other processes are hidden (hidepid) it lives on unseen.
pub fn is_proven_dead(pid: i32, start_ticks: u64) -> bool {
    match std::fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => Stat::parse(&stat).is_some_and(|stat| stat.ended || stat.start_ticks.parse() != Ok(start_ticks)),
        Err(_) => Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH)),
    }
}

/// Whose pids does /proc show: are they ours?
pub fn proc_shows_our_pids() -> io::Result<bool> {
    let visible = if_visible(std::fs::read_link("/proc/self"))?;
    Ok(visible.is_some_and(|visible| visible.as_os_str() == getpid().as_raw_pid().to_string().as_str()))
}

/// The file that the process runs, as proc_pid_exe(5) tells it: with ` (deleted)` behind it when it is there no longer. None: gone, must not be
/// seen, or a thread of the kernel.
pub fn executable_of(pid: i32) -> io::Result<Option<PathBuf>> {
    if_visible(std::fs::read_link(format!("/proc/{pid}/exe")))
}

/// Names this boot of the machine.
pub fn boot_id() -> io::Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// A namespace of the process, e.g. `pid:[4026531836]`; empty when it must not be seen.
/// None: nobody has this pid, or no thread of it has one any more (a process that ends gives up all but that of its pid before it is a zombie).
pub fn namespace_of(pid: i32, namespace: Namespace) -> io::Result<Option<String>> {
    namespace_in(Path::new("/proc"), pid, namespace)
}

fn namespace_in(proc: &Path, pid: i32, namespace: Namespace) -> io::Result<Option<String>> {
    let link = match namespace {
        Namespace::Pid => "ns/pid",
        Namespace::Net => "ns/net",
    };
    let process = proc.join(pid.to_string());
    match first_namespace(&process, link) {
        Err(error) if is_refused(&error) => Ok(Some(String::new())),
        found => found,
    }
}

/// That of the first thread, mostly; it may have ended before the others.
fn first_namespace(process: &Path, link: &str) -> io::Result<Option<String>> {
    if let Some(found) = unless_gone(std::fs::read_link(process.join(link)))? {
        return Ok(Some(found.to_string_lossy().into_owned()));
    }
    let Some(threads) = if_visible(std::fs::read_dir(process.join("task")))? else {
        return Ok(None);
    };
    for thread in threads {
        // None: it ended while its threads were listed.
        let Some(thread) = unless_gone(thread)? else { break };
        if let Some(found) = unless_gone(std::fs::read_link(thread.path().join(link)))? {
            return Ok(Some(found.to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

fn own_pid_namespace() -> io::Result<String> {
    let link = std::fs::read_link("/proc/self/ns/pid")?;
    Ok(link.to_string_lossy().into_owned())
}

/// None: the process is gone, or must not be seen.
fn if_visible<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match unless_gone(looked) {
        Err(error) if is_refused(&error) => Ok(None),
        seen => seen,
    }
}

/// None: the process is gone (ESRCH: it ended between the open and the read).
fn unless_gone<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Ok(seen) => Ok(Some(seen)),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::SRCH) => Ok(None),
            _ => Err(error),
        },
    }
}

fn is_refused(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::ACCESS | Errno::PERM))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn stat(name: &[u8], state: &str, threads: u32) -> Vec<u8> {
        let mut stat = b"7 (".to_vec();
        stat.extend_from_slice(name);
        stat.extend_from_slice(
            format!(") {state} 1 7 7 0 -1 4194560 97 0 0 0 0 0 0 0 20 0 {threads} 0 4711 2560000 213\n").as_bytes(),
        );
        stat
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("300").spawn().unwrap()
    }

    fn pid_of(child: &Child) -> i32 {
        child.id().try_into().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What somebody would have written down about it.
    struct Record {
        pid: i32,
        start_ticks: String,
        boot_id: String,
        pid_namespace: String,
    }

    impl Record {
        fn of(pid: i32) -> Self {
            Self {
                pid,
                start_ticks: start_ticks_of(pid).unwrap().unwrap(),
                boot_id: boot_id().unwrap(),
                pid_namespace: namespace_of(pid, Namespace::Pid).unwrap().unwrap(),
            }
        }

        fn recorded(&self) -> Recorded<'_> {
            Recorded {
                pid: self.pid,
                start_ticks: &self.start_ticks,
                boot_id: &self.boot_id,
                pid_namespace: &self.pid_namespace,
            }
        }
    }

    #[test]
    fn no_name_shifts_the_fields() {
        let names: [&[u8]; 9] = [
            b"sleep",
            b"",
            b")",
            b"a ) Z 1 (b",
            b"a\nb",
            b") X 0 0 0",
            b"(((",
            b"\xff\xfe",
            b" ",
        ];
        for name in names {
            assert_eq!(parse_stat(&stat(name, "S", 1)), Some("4711"), "{name:?}");
        }
    }

    #[test]
    fn a_zombie_is_dead_unless_threads_of_it_live() {
        assert_eq!(parse_stat(&stat(b"z", "Z", 0)), None);
        assert_eq!(parse_stat(&stat(b"z", "Z", 1)), None);
        assert_eq!(parse_stat(&stat(b"z", "Z", 2)), Some("4711"));
        assert_eq!(parse_stat(&stat(b"z", "X", 2)), None);
        assert_eq!(parse_stat(&stat(b"z", "x", 2)), None);
        assert_eq!(parse_stat(&stat(b"z", "T", 1)), Some("4711"));
    }

    #[test]
    fn what_the_kernel_never_writes_is_nobody() {
        let whole = stat(b"sleep", "S", 1);
        let through_start = whole.windows(4).position(|part| part == b"4711").unwrap() + 1;
        for length in 0..through_start {
            assert_eq!(parse_stat(&whole[..length]), None, "{length}");
        }
        for odd in ["", ")", ") ", ")  ", "()()()", "1 (a) S 1"] {
            assert_eq!(parse_stat(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn only_the_dead_and_those_who_have_their_pid_since_are_dead() {
        let mut child = sleeper();
        let pid = pid_of(&child);
        let start: u64 = start_ticks_of(pid).unwrap().unwrap().parse().unwrap();
        assert!(!is_proven_dead(pid, start));
        assert!(is_proven_dead(pid, start + 1), "another process has the pid");
        child.kill().unwrap();
        let began = std::time::Instant::now();
        // Not waited for: a zombie.
        while !is_proven_dead(pid, start) {
            assert!(began.elapsed() < std::time::Duration::from_secs(30));
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(is_proven_dead(pid, start));
    }

    #[test]
    fn exactly_the_recorded_process_is_signalled() {
        let mut child = sleeper();
        let record = Record::of(pid_of(&child));
        for other in [
            Recorded {
                start_ticks: "1",
                ..record.recorded()
            },
            Recorded {
                boot_id: "before",
                ..record.recorded()
            },
            Recorded {
                pid_namespace: "pid:[1]",
                ..record.recorded()
            },
        ] {
            assert!(!signal_same(&other, libc::SIGKILL).unwrap());
        }
        assert!(child.try_wait().unwrap().is_none());
        assert!(signal_same(&record.recorded(), libc::SIGTERM).unwrap());
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        assert!(!signal_same(&record.recorded(), libc::SIGTERM).unwrap());
    }

    #[test]
    fn nobody_signals_pid_1_this_process_or_a_group() {
        let own = Record::of(std::process::id().try_into().unwrap());
        for pid in [own.pid, 1, 0, -1, -own.pid, i32::MIN, i32::MAX] {
            let recorded = Recorded { pid, ..own.recorded() };
            assert!(!signal_same(&recorded, libc::SIGKILL).unwrap(), "{pid}");
        }
        assert!(OpenedProcess::open(1).unwrap().is_none());
    }

    #[test]
    fn numbers_that_are_no_named_signals_are_refused() {
        let child = sleeper();
        let record = Record::of(pid_of(&child));
        for signal in [0, -1, 9_999] {
            let error = signal_same(&record.recorded(), signal).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        }
        end(child);
    }

    #[test]
    fn a_process_that_ends_after_it_was_recognised_is_not_signalled() {
        let child = sleeper();
        let record = Record::of(pid_of(&child));
        let process = OpenedProcess::open(record.pid).unwrap().unwrap();
        assert!(process.is(&record.recorded()).unwrap());
        end(child);
        assert!(!process.send(Signal::KILL).unwrap());
    }

    /// Reuses pids where it disturbs nobody: in a pid namespace of its own, in which this program runs this test again.
    #[test]
    fn a_newcomer_with_the_pid_is_not_signalled_even_when_it_is_the_one_that_was_read() {
        const INSIDE: &str = "PROCREF_TEST_OWN_PIDS";
        if std::env::var_os(INSIDE).is_some() {
            return reuse_between_open_and_read();
        }
        let unshare = || {
            let mut unshare = Command::new("unshare");
            unshare.args(["--pid", "--fork", "--mount-proc"]);
            unshare
        };
        if !unshare().arg("true").status().is_ok_and(|status| status.success()) {
            println!("NOT RUN: a pid namespace cannot be made here");
            return;
        }
        let name = std::thread::current().name().unwrap().to_owned();
        let inside = unshare()
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &name])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        assert_passed(&inside);
    }

    // The pid is opened; its process ends; a newcomer gets the pid; the newcomer is read, and is the recorded one; the signal is sent.
    fn reuse_between_open_and_read() {
        let child = sleeper();
        let pid = pid_of(&child);
        let process = OpenedProcess::open(pid).unwrap().unwrap();
        end(child);
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut newcomer = sleeper();
        assert_eq!(pid_of(&newcomer), pid);
        let record = Record::of(pid);
        assert!(process.is(&record.recorded()).unwrap());
        assert!(!process.send(Signal::KILL).unwrap());
        assert!(newcomer.try_wait().unwrap().is_none());
        assert!(signal_same(&record.recorded(), libc::SIGKILL).unwrap());
        newcomer.wait().unwrap();
    }

    #[test]
    fn a_zombie_has_no_namespace_but_that_of_its_pid() {
        let mut child = sleeper();
        let pid = pid_of(&child);
        assert!(namespace_of(pid, Namespace::Net).unwrap().is_some());
        child.kill().unwrap();
        let began = std::time::Instant::now();
        while start_ticks_of(pid).unwrap().is_some() {
            assert!(began.elapsed() < std::time::Duration::from_secs(30));
            std::thread::yield_now();
        }
        assert!(namespace_of(pid, Namespace::Pid).unwrap().is_some());
        assert_eq!(namespace_of(pid, Namespace::Net).unwrap(), None);
        child.wait().unwrap();
        assert_eq!(namespace_of(pid, Namespace::Pid).unwrap(), None);
    }

    /// Of this program, run again for one test.
    fn assert_passed(run: &std::process::Output) {
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }

    /// A /proc of our own: what a thread of a process has given up is hard to come by at the right moment.
    #[test]
    fn a_process_has_the_namespaces_of_whichever_thread_has_them_still() {
        let proc = std::env::temp_dir().join(format!("procref-namespaces-{}", std::process::id()));
        let threads = [7, 8, 9].map(|tid| proc.join(format!("7/task/{tid}/ns")));
        for thread in &threads {
            std::fs::create_dir_all(thread).unwrap();
        }
        std::fs::create_dir_all(proc.join("7/ns")).unwrap();
        let net = || namespace_in(&proc, 7, Namespace::Net).unwrap();
        assert_eq!(net(), None, "no thread has one");
        assert_eq!(
            namespace_in(&proc, 8, Namespace::Net).unwrap(),
            None,
            "nobody has this pid"
        );
        std::os::unix::fs::symlink("net:[2]", threads[2].join("net")).unwrap();
        assert_eq!(net().as_deref(), Some("net:[2]"), "the last thread has one");
        assert_eq!(
            namespace_in(&proc, 7, Namespace::Pid).unwrap(),
            None,
            "and it is the other kind"
        );
        std::os::unix::fs::symlink("net:[1]", proc.join("7/ns/net")).unwrap();
        assert_eq!(
            net().as_deref(),
            Some("net:[1]"),
            "that of the first thread comes first"
        );
        std::fs::remove_dir_all(&proc).unwrap();
    }

    /// Nothing is refused to root: this program runs this test again as another user.
    #[test]
    fn what_must_not_be_seen_is_empty() {
        const INSIDE: &str = "PROCREF_TEST_OTHER_USER";
        if std::env::var_os(INSIDE).is_some() {
            for namespace in [Namespace::Pid, Namespace::Net] {
                assert_eq!(namespace_of(1, namespace).unwrap().as_deref(), Some(""));
                assert_eq!(namespace_of(i32::MAX, namespace).unwrap(), None);
            }
            return;
        }
        if !rustix::process::geteuid().is_root() {
            println!("NOT RUN: this process cannot become another user");
            return;
        }
        use std::os::unix::process::CommandExt;
        let name = std::thread::current().name().unwrap().to_owned();
        // It may be in a folder that the other user cannot enter, so it is started through a descriptor of ours.
        let program = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&program);
        let inside = Command::new(format!("/proc/self/fd/{fd}"))
            .args(["--exact", &name])
            .env(INSIDE, "1")
            .current_dir("/")
            .uid(65_534)
            .gid(65_534)
            .output()
            .unwrap();
        assert_passed(&inside);
    }

    #[test]
    fn a_process_is_described_as_proc_describes_it() {
        let own: i32 = std::process::id().try_into().unwrap();
        assert_eq!(executable_of(own).unwrap(), Some(std::env::current_exe().unwrap()));
        assert_eq!(boot_id().unwrap().len(), 36);
        for namespace in [Namespace::Pid, Namespace::Net] {
            assert!(namespace_of(own, namespace).unwrap().unwrap().ends_with(']'));
            assert_eq!(namespace_of(i32::MAX, namespace).unwrap(), None);
        }
        assert_eq!(executable_of(i32::MAX).unwrap(), None);
        assert_eq!(start_ticks_of(i32::MAX).unwrap(), None);
    }
}
