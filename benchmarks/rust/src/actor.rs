use crate::clock::{monotonic_ns, processor_ns};
use crate::scatter::Scatter;
use anyhow::{Context, Error, Result};
use serde_json::{Value, json};
use std::io::{BufRead, Write, stdin, stdout};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const MOST_SAMPLES: usize = 1_000;

/// The slot of a primitive that only counts its permits.
pub const UNNUMBERED: i64 = -1;

/// How long whoever waits for a permit sleeps between two tries: neither subject can wait, and this is the pause of the published crate
/// where it waits for another process (`SharedService::acquire`).
const PAUSE: Duration = Duration::from_millis(100);

/// The permits of one subject, as one process has them.
pub trait Pool {
    type Permit: Permit;
    /// None: there is none now.
    fn try_claim(&mut self) -> Result<Option<Self::Permit>>;
    fn release(&mut self, permit: Self::Permit) -> Result<()>;

    /// As many as there are, `count` at most. Nobody measures it, so it may be faster than so many tries.
    fn claim_up_to(&mut self, count: u64) -> Result<Vec<Self::Permit>> {
        let mut permits = Vec::new();
        while (permits.len() as u64) < count {
            match self.try_claim()? {
                Some(permit) => permits.push(permit),
                None => break,
            }
        }
        Ok(permits)
    }
}

pub trait Permit {
    /// From 0, or `UNNUMBERED`.
    fn slot(&self) -> i64;
}

/// Answers requests until the standard input ends. `open` makes a pool, each time another one of the same permits.
pub fn act<P: Pool>(open: impl Fn() -> Result<P>) -> Result<()> {
    let pool = match open() {
        Ok(pool) => pool,
        Err(error) => return say(&failure(&error)),
    };
    let mut actor = Actor {
        open,
        pool,
        held: Vec::new(),
        scatter: Scatter::new(monotonic_ns()),
    };
    say(&json!({ "ready": true }))?;
    for line in stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let numbers = words
            .map(|word| word.parse().context("an argument is no number"))
            .collect::<Result<Vec<u64>>>();
        let answer = numbers.and_then(|numbers| actor.answer(verb, &numbers));
        say(&answer.unwrap_or_else(|error| failure(&error)))?;
    }
    Ok(())
}

struct Actor<P: Pool, O> {
    open: O,
    pool: P,
    held: Vec<P::Permit>,
    scatter: Scatter,
}

impl<P: Pool, O: Fn() -> Result<P>> Actor<P, O> {
    fn answer(&mut self, verb: &str, numbers: &[u64]) -> Result<Value> {
        match (verb, numbers) {
            ("try", []) => self.try_once(),
            ("wait", []) => self.wait(),
            ("release", []) => self.release(),
            ("fill", &[count]) => self.fill(count),
            ("drop", &[count]) => self.give_back(count),
            ("measure", &[batches, size]) => self.measure(batches, size),
            ("first", &[times]) => self.first(times),
            ("pass", &[microseconds]) => self.pass(microseconds),
            ("compete", &[milliseconds]) => self.compete(milliseconds),
            ("child", []) => child(),
            ("fork", []) => fork(),
            _ => Ok(
                json!({ "unsupported": format!("this program does not know \"{verb}\" with {} numbers", numbers.len()) }),
            ),
        }
    }

    fn try_once(&mut self) -> Result<Value> {
        let began = monotonic_ns();
        let permit = self.pool.try_claim()?;
        let took = monotonic_ns() - began;
        let slot = permit.as_ref().map(Permit::slot);
        self.held.extend(permit);
        Ok(json!({ "slot": slot, "tookNs": took }))
    }

    fn wait(&mut self) -> Result<Value> {
        say(&json!({ "waiting": true }))?;
        let permit = self.claim()?;
        let at = monotonic_ns();
        let slot = permit.slot();
        self.held.push(permit);
        Ok(json!({ "slot": slot, "atNs": at.to_string() }))
    }

    fn pass(&mut self, microseconds: u64) -> Result<Value> {
        say(&json!({ "waiting": true }))?;
        let used = processor_ns();
        let permit = self.claim()?;
        let at = monotonic_ns();
        let used = processor_ns() - used;
        let mut releasing = at;
        while releasing - at < microseconds * 1_000 {
            releasing = monotonic_ns();
        }
        self.pool.release(permit)?;
        Ok(json!({ "atNs": at.to_string(), "releasingNs": releasing.to_string(), "cpuNs": used }))
    }

    fn claim(&mut self) -> Result<P::Permit> {
        loop {
            if let Some(permit) = self.pool.try_claim()? {
                return Ok(permit);
            }
            sleep(PAUSE);
        }
    }

    fn release(&mut self) -> Result<Value> {
        let at = monotonic_ns();
        if let Some(permit) = self.held.pop() {
            self.pool.release(permit)?;
        }
        Ok(json!({ "atNs": at.to_string() }))
    }

    fn fill(&mut self, count: u64) -> Result<Value> {
        self.held.extend(self.pool.claim_up_to(count)?);
        Ok(json!({ "held": self.held.len() }))
    }

    fn give_back(&mut self, count: u64) -> Result<Value> {
        for _ in 0..count.min(self.held.len() as u64) {
            let index = self.scatter.below(self.held.len());
            let permit = self.held.swap_remove(index);
            self.pool.release(permit)?;
        }
        Ok(json!({ "held": self.held.len() }))
    }

    fn measure(&mut self, batches: u64, size: u64) -> Result<Value> {
        self.pairs(size)?;
        let used = processor_ns();
        let mut means = Vec::new();
        for _ in 0..batches {
            let began = monotonic_ns();
            self.pairs(size)?;
            means.push((monotonic_ns() - began) as f64 / size as f64);
        }
        let used = (processor_ns() - used) as f64;
        Ok(json!({ "ns": means, "cpuNs": used / (batches * size) as f64 }))
    }

    fn pairs(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            let permit = self
                .pool
                .try_claim()?
                .context("no permit is free although nobody else is there")?;
            self.pool.release(permit)?;
        }
        Ok(())
    }

    fn first(&mut self, times: u64) -> Result<Value> {
        let mut took = Vec::new();
        for _ in 0..times {
            let mut fresh = (self.open)()?;
            let began = monotonic_ns();
            let permit = fresh.try_claim()?;
            took.push(monotonic_ns() - began);
            fresh.release(permit.context("a new pool found no free permit")?)?;
        }
        Ok(json!({ "ns": took }))
    }

    fn compete(&mut self, milliseconds: u64) -> Result<Value> {
        let mut waits = Vec::new();
        let mut claims = 0;
        let used = processor_ns();
        let mut now = monotonic_ns();
        let end = now + milliseconds * 1_000_000;
        while now < end {
            let permit = self.claim()?;
            let got = monotonic_ns();
            waits.push(got - now);
            claims += u64::from(got < end);
            self.pool.release(permit)?;
            now = monotonic_ns();
        }
        let used = (processor_ns() - used) as f64;
        let all = waits.len().max(1) as f64;
        Ok(json!({ "claims": claims, "waitNs": thinned(waits), "cpuNs": used / all }))
    }
}

fn failure(error: &Error) -> Value {
    json!({ "error": format!("{error:#}") })
}

/// Evenly over the ranks, first and last included: quantiles stay.
fn thinned(mut values: Vec<u64>) -> Vec<u64> {
    if values.len() <= MOST_SAMPLES {
        return values;
    }
    values.sort_unstable();
    (0..MOST_SAMPLES)
        .map(|n| values[n * (values.len() - 1) / (MOST_SAMPLES - 1)])
        .collect()
}

fn child() -> Result<Value> {
    let quiet = || Stdio::null();
    let child = Command::new("sleep")
        .arg("600")
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn()?;
    Ok(json!({ "pid": child.id() }))
}

fn fork() -> Result<Value> {
    // SAFETY: there is one thread; the child calls nothing but pause().
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(std::io::Error::last_os_error().into()),
        0 => loop {
            // SAFETY: it takes nothing and returns on a signal.
            unsafe { libc::pause() };
        },
        _ => Ok(json!({ "pid": pid })),
    }
}

fn say(answer: &Value) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{answer}")?;
    Ok(out.flush()?)
}
