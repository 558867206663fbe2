//! A holder of slots as the original program is one: it goes through `slot_00.lock` … in turn, opens each for writing, takes an
//! exclusive lock without waiting, writes its process id, and looks at nothing else. For tests that mix all kinds of holders.
//!
//! ```text
//! seed-holder churn SLOTS_DIR EVIDENCE_DIR SLOTS KIND     claims and releases until it is killed or an orphan
//! seed-holder heedless …                                  the same, and does not care whether it got the lock
//! seed-holder hold EVIDENCE_DIR SLOT KIND                 for whoever has locked the slot already (flock(1))
//! ```
//!
//! While it has slot k it owns `EVIDENCE_DIR/k`; see `tests/mixed/evidence.mjs`.

use std::error::Error;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [mode @ ("churn" | "heedless"), slots_dir, evidence, slots, kind] => {
            let evidence = Evidence::new(evidence, kind)?;
            churn(Path::new(slots_dir), &evidence, slots.parse()?, *mode == "heedless")
        }
        ["hold", evidence, slot, kind] => {
            let evidence = Evidence::new(evidence, kind)?;
            evidence.during(slot.parse()?)?;
            Ok(fs::remove_file(evidence.name)?)
        }
        _ => Err(
            "usage: seed-holder churn|heedless SLOTS_DIR EVIDENCE_DIR SLOTS KIND | hold EVIDENCE_DIR SLOT KIND".into(),
        ),
    }
}

fn churn(slots_dir: &Path, evidence: &Evidence, slots: usize, heedless: bool) -> Result<()> {
    let parent = parent_id();
    while parent_id() == parent {
        match acquire(slots_dir, slots, heedless)? {
            // Dropping the file releases the slot.
            Some((slot, _file)) => evidence.during(slot)?,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    Ok(())
}

fn acquire(slots_dir: &Path, slots: usize, heedless: bool) -> Result<Option<(usize, File)>> {
    for slot in 0..slots {
        let path = slots_dir.join(format!("slot_{slot:02}.lock"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if heedless => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        writeln!(file, "{}", std::process::id())?;
        return Ok(Some((slot, file)));
    }
    Ok(None)
}

/// Marks with this process's name, `PID START_TICKS`, which the others can check.
struct Evidence {
    dir: PathBuf,
    who: String,
    /// A file with our name in it: a mark is a link to it, so that none is ever seen half made.
    name: PathBuf,
    log: File,
    killed: File,
}

impl Evidence {
    fn new(dir: &str, kind: &str) -> Result<Self> {
        let dir = PathBuf::from(dir);
        let pid = std::process::id();
        let start = stat_fields(pid)?
            .and_then(|fields| fields.get(19).cloned())
            .ok_or("no /proc/self/stat")?;
        let who = format!("{pid} {start}");
        let name = dir.join(format!("{pid}-{start}.name"));
        fs::write(&name, &who)?;
        let open = |name: String| OpenOptions::new().append(true).create(true).open(dir.join(name));
        let (log, killed) = (open(format!("{kind}.log"))?, open("killed.log".to_owned())?);
        Ok(Self {
            dir,
            who,
            name,
            log,
            killed,
        })
    }

    fn during(&self, slot: usize) -> Result<()> {
        let mark = self.dir.join(slot.to_string());
        while let Err(error) = fs::hard_link(&self.name, &mark) {
            if error.kind() != ErrorKind::AlreadyExists {
                return Err(error.into());
            }
            self.question(slot, &mark)?;
        }
        (&self.log).write_all(b".")?;
        std::thread::sleep(Duration::from_micros(200));
        match fs::remove_file(&mark) {
            // Somebody else took the mark away, who says why.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => Ok(removed?),
        }
    }

    /// The slot is ours, and there is evidence of somebody else: left by one that was killed, or the proof of an overlap.
    fn question(&self, slot: usize, mark: &Path) -> Result<()> {
        let who = match fs::read_to_string(mark) {
            Ok(who) => who,
            Err(error) if error.kind() == ErrorKind::NotFound => "(gone meanwhile)".to_owned(),
            Err(error) => return Err(error.into()),
        };
        if is_over(&who)? {
            (&self.killed).write_all(b".")?;
        } else {
            println!(
                "{{\"event\":\"overlap\",\"slot\":{slot},\"who\":\"{}\",\"other\":\"{who}\"}}",
                self.who
            );
        }
        match fs::remove_file(mark) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Has this process ended, or begun to end? The kernel says so before it lets go of the first lock.
fn is_over(who: &str) -> Result<bool> {
    const PF_EXITING: u64 = 0x4;
    let mut words = who.split(' ');
    let (Some(pid), Some(start)) = (words.next().and_then(|pid| pid.parse().ok()), words.next()) else {
        return Ok(false);
    };
    let Some(fields) = stat_fields(pid)? else {
        return Ok(true);
    };
    let field = |index: usize| fields.get(index).map(String::as_str).unwrap_or_default();
    let flags: u64 = field(6).parse().unwrap_or(0);
    Ok(field(19) != start || matches!(field(0), "Z" | "X") || flags & PF_EXITING != 0)
}

/// `/proc/PID/stat` from its third field on; `None`: there is no such process.
fn stat_fields(pid: u32) -> Result<Option<Vec<String>>> {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => {
            let (_, fields) = stat.rsplit_once(") ").ok_or("no process name in /proc/PID/stat")?;
            Ok(Some(fields.split_whitespace().map(str::to_owned).collect()))
        }
        // ESRCH: it ended between the open and the read.
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(3) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
