//! What this room counts: the metrics are made of it elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a request to a Router ended.
#[derive(Clone, Copy, Debug)]
pub enum Sent {
    /// With the head of an answer, whatever its status.
    Answered,
    /// Without one: no connection, or a broken one.
    Unreachable,
    /// Not in time.
    Slow,
}

/// Requests to one Router, by how they ended.
#[derive(Debug, Default)]
pub struct SendTally {
    answered: AtomicU64,
    unreachable: AtomicU64,
    slow: AtomicU64,
}

impl SendTally {
    /// One more.
    pub fn count(&self, sent: Sent) {
        let count = match sent {
            Sent::Answered => &self.answered,
            Sent::Unreachable => &self.unreachable,
            Sent::Slow => &self.slow,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts, each under its word.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        [("answered", &self.answered), ("unreachable", &self.unreachable), ("slow", &self.slow)]
            .map(|(word, count)| (word, count.load(Ordering::Relaxed)))
    }
}

/// How a look-up of a task ended.
#[derive(Clone, Copy, Debug)]
pub enum Lookup {
    /// It was known already.
    Cached,
    /// Druid told it.
    Found,
    /// Druid does not know it.
    Unknown,
    /// Druid did not tell.
    Failed,
}

/// Look-ups of tasks, by how they ended.
#[derive(Debug, Default)]
pub struct LookupTally {
    cached: AtomicU64,
    found: AtomicU64,
    unknown: AtomicU64,
    failed: AtomicU64,
}

impl LookupTally {
    /// One more.
    pub fn count(&self, lookup: Lookup) {
        let count = match lookup {
            Lookup::Cached => &self.cached,
            Lookup::Found => &self.found,
            Lookup::Unknown => &self.unknown,
            Lookup::Failed => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts, each under what came of them and whether that was known already.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("found", "hit", &self.cached),
            ("found", "miss", &self.found),
            ("unknown", "miss", &self.unknown),
            ("failed", "miss", &self.failed),
        ]
        .map(|(result, cache, count)| (result, cache, count.load(Ordering::Relaxed)))
    }
}
