//! Threads that read statements a second time.
//!
//! `sqlparser` is not the gate's own: how long it takes and how much stack is not the gate's to promise. So it runs on
//! threads of its own, few, with large stacks and a short queue, and no request waits for it for long. Where the answer
//! does not come in time the first reading stands.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::sql::{Found, Parameter, Query, Reading, Second, SecondReading};

#[cfg(test)]
mod tests;

/// As many statements are read at a time. A reading takes a fraction of a millisecond; if one never ended, three threads
/// would still be there.
const THREADS: usize = 4;

/// The stack of each thread. A test measures that no statement takes half of it, where the program is not optimized;
/// optimized, the deepest takes 8 MiB. What is never used is never there.
pub const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Statements that wait for a thread: what they would wait for longer than [`PATIENCE`] is not worth a place.
const MAX_WAITING: usize = 256;

/// How long a request waits for its second reading: nobody notices it beside what Druid takes.
const PATIENCE: Duration = Duration::from_millis(50);

/// A thread that is busy for so long with one statement is stuck: the longest takes a second or two.
const STUCK: Duration = Duration::from_secs(10);

/// What the second reading says of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It finds nothing else.
    Agreed,
    /// It finds this, which the first does not have all of.
    Disagreed(Found),
    /// It does not understand the statement.
    NotParsed,
    /// No thread was free, or none was done in time.
    NotWaited,
    /// The statement is longer than those that are read twice.
    TooLong,
    /// No statement is read twice.
    Off,
}

impl Verdict {
    /// The word for it in records and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Disagreed(_) => "disagreed",
            Self::NotParsed => "not_parsed",
            Self::NotWaited => "not_waited",
            Self::TooLong => "too_long",
            Self::Off => "off",
        }
    }

    /// Of these two readings.
    #[must_use]
    pub fn of(first: &Reading, second: Second) -> Self {
        match second {
            Second::Found(found) if found.is_within(first) => Self::Agreed,
            Second::Found(found) => Self::Disagreed(found),
            Second::NotParsed => Self::NotParsed,
            Second::TooLong => Self::TooLong,
        }
    }
}

/// The threads, which end when the last of these is gone.
#[derive(Clone)]
pub struct ReadingPool {
    setting: SecondReading,
    jobs: SyncSender<Job>,
    busy: Arc<Busy>,
}

type Work = Box<dyn FnOnce() -> Second + Send>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Second>,
}

/// Since when each thread has been at its statement, in milliseconds from the beginning; nought if it has none.
struct Busy {
    began: Instant,
    since: [AtomicU64; THREADS],
}

impl ReadingPool {
    /// Starts the threads; none where no statement is read twice.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(setting: SecondReading) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(MAX_WAITING);
        let busy = Arc::new(Busy { began: Instant::now(), since: Default::default() });
        let pool = Self { setting, jobs, busy: Arc::clone(&busy) };
        if setting == SecondReading::Off {
            return Ok(pool);
        }
        let waiting = Arc::new(Mutex::new(waiting));
        for place in 0..THREADS {
            let (waiting, busy) = (Arc::clone(&waiting), Arc::clone(&busy));
            let named = thread::Builder::new().name(format!("second-reading-{place}"));
            named.stack_size(STACK_BYTES).spawn(move || read_on(&waiting, &busy, place))?;
        }
        Ok(pool)
    }

    /// Reads a statement again and compares.
    pub async fn compare(&self, sql: &str, parameters: Vec<Parameter>, query: Query, first: &Reading) -> Verdict {
        match self.setting {
            SecondReading::Off => return Verdict::Off,
            SecondReading::UpTo(bytes) if sql.len() > bytes => return Verdict::TooLong,
            SecondReading::UpTo(_) | SecondReading::Always => {}
        }
        let text = sql.to_owned();
        match self.run(Box::new(move || query.read(&text, &parameters))).await {
            Some(second) => Verdict::of(first, second),
            None => Verdict::NotWaited,
        }
    }

    /// What the work comes to, if a thread has done it in time.
    async fn run(&self, work: Work) -> Option<Second> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { work, answer }).ok()?;
        timeout(PATIENCE, answered).await.ok()?.ok()
    }

    /// How many threads are stuck.
    #[must_use]
    pub fn stuck(&self) -> usize {
        let now = self.busy.now();
        let is_stuck = |since: u64| since > 0 && u128::from(now.saturating_sub(since)) > STUCK.as_millis();
        self.busy.since.iter().filter(|since| is_stuck(since.load(Ordering::Relaxed))).count()
    }
}

impl Busy {
    /// Never nought.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn set(&self, place: usize, since: u64) {
        if let Some(slot) = self.since.get(place) {
            slot.store(since, Ordering::Relaxed);
        }
    }
}

/// One thread: reads what comes until nobody is left who could send anything.
fn read_on(waiting: &Mutex<Receiver<Job>>, busy: &Busy, place: usize) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, answer }) = next else { return };
        if answer.is_closed() {
            continue;
        }
        busy.set(place, busy.now());
        // A statement on which `sqlparser` panics is one that it does not understand.
        let second = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            tracing::error!("the second reading of a statement ended in a panic");
            Second::NotParsed
        });
        busy.set(place, 0);
        // Who asked may have gone on meanwhile.
        let _ = answer.send(second);
    }
}

/// Does something that reads statements twice, on a thread like those of the pool.
///
/// # Errors
/// The thread cannot be started.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| io::Error::other("it ended in a panic"))
    })
}
