//! What is known of an issuer's fetched keys, and when to ask for them again. Pure: every time is handed in.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::fault::{KeysFault, KeysUnavailable, Refusal, TokenFault};
use super::keys::Keys;
use super::settings::{KeyTimes, StaleAnswer};
use super::source::Fetched;

/// The wait after the first of several failures; each further one doubles it, up to the refresh period. Short, since most
/// failures at start-up are an issuer that starts too.
pub const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Windows of the unknown-key interval for which a `kid` that the issuer was asked for in vain stays answered. An issuer
/// of several nodes may publish a new key on one before the other, so not for long.
pub const UNKNOWN_ID_WINDOWS: u32 = 3;

/// Remembered ones. At most one is added in each window, so that no more than four live; the bound does not rest on it.
pub const MAX_UNKNOWN_IDS: usize = 64;

/// Shares of a wait by which waits are shortened at random, so that many gates do not ask at once: a tenth of the refresh
/// period, which is never exceeded, and a half of the wait after a failure.
const REFRESH_JITTER: f64 = 0.1;
const RETRY_JITTER: f64 = 0.5;

/// The number of an attempt to fetch, counted from 1.
pub(in crate::auth) type Attempt = u64;

/// What to do about a `kid` that is not among the keys.
#[derive(Debug)]
pub(in crate::auth) enum Look {
    /// It has come meanwhile.
    Found(Arc<Keys>),
    /// The issuer was asked a short while ago and does not have it.
    Absent,
    /// It cannot be told before that time has passed.
    Later(Duration),
    /// Wait for the fetch under way, and begin it if told so; it tells of the kid if it is of this number or later.
    Wait { begins: bool, telling: Attempt },
}

/// An issuer's fetched keys.
#[derive(Debug)]
pub(in crate::auth) struct KeyState {
    times: KeyTimes,
    current: Option<Current>,
    attempts: Attempt,
    succeeded: Attempt,
    under_way: bool,
    attempted_at: Option<SystemTime>,
    wait: Duration,
    failures: u32,
    failed: u64,
    unknown: VecDeque<(SystemTime, String)>,
}

#[derive(Debug)]
struct Current {
    keys: Arc<Keys>,
    digest: [u8; 32],
    confirmed_at: SystemTime,
}

impl KeyState {
    pub(in crate::auth) const fn new(times: KeyTimes) -> Self {
        Self {
            times,
            current: None,
            attempts: 0,
            succeeded: 0,
            under_way: false,
            attempted_at: None,
            wait: Duration::ZERO,
            failures: 0,
            failed: 0,
            unknown: VecDeque::new(),
        }
    }

    /// The keys, if they may be used at this time.
    pub(in crate::auth) fn current(&self, now: SystemTime) -> Result<Arc<Keys>, Refusal> {
        let unavailable = |why| Refusal::Keys(KeysUnavailable::new(why, self.due_in(now)));
        let Some(current) = &self.current else { return Err(unavailable(KeysFault::NotFetched)) };
        if elapsed(current.confirmed_at, now) <= self.times.max_stale {
            return Ok(Arc::clone(&current.keys));
        }
        match self.times.stale_answer {
            StaleAnswer::Unauthorized => Err(Refusal::Token(TokenFault::KeysTooOld)),
            StaleAnswer::Unavailable => Err(unavailable(KeysFault::TooOld)),
        }
    }

    /// How long until the next fetch that nobody has to ask for.
    pub(in crate::auth) fn due_in(&self, now: SystemTime) -> Duration {
        self.attempted_at.map_or(Duration::ZERO, |at| remaining(at, self.wait, now))
    }

    /// How long until the next fetch; if it is due, its number, unless one is under way.
    pub(in crate::auth) fn begin_if_due(&mut self, now: SystemTime) -> (Duration, Option<Attempt>) {
        let wait = self.due_in(now);
        (wait, if wait.is_zero() { self.begin(now) } else { None })
    }

    /// Begins an attempt, unless one is under way; its number.
    const fn begin(&mut self, now: SystemTime) -> Option<Attempt> {
        if self.under_way {
            return None;
        }
        self.under_way = true;
        self.attempted_at = Some(now);
        self.attempts += 1;
        Some(self.attempts)
    }

    /// What to do about a `kid` that is not among the keys; the attempt that it may ask for has then begun.
    pub(in crate::auth) fn look_for(&mut self, id: &str, now: SystemTime) -> Look {
        if let Some(keys) = self.naming(id) {
            return Look::Found(keys);
        }
        if self.is_absent(id, now) {
            return Look::Absent;
        }
        if self.under_way {
            // What is read now may have been written before the key was made.
            return Look::Wait { begins: false, telling: self.attempts + 1 };
        }
        let closed = self.closed_for(now);
        if !closed.is_zero() {
            return Look::Later(closed);
        }
        match self.begin(now) {
            Some(telling) => Look::Wait { begins: true, telling },
            None => Look::Later(self.times.unknown_key_interval),
        }
    }

    /// The answer after the wait.
    pub(in crate::auth) fn looked_for(&mut self, id: &str, telling: Attempt, now: SystemTime) -> Look {
        if let Some(keys) = self.naming(id) {
            return Look::Found(keys);
        }
        if self.succeeded >= telling {
            self.remember_absent(id, now);
            return Look::Absent;
        }
        Look::Later(self.closed_for(now))
    }

    /// Ends an attempt that brought keys. Whether they are others than before.
    pub(in crate::auth) fn succeed(&mut self, attempt: Attempt, fetched: Fetched, chance: f64) -> bool {
        self.under_way = false;
        self.failures = 0;
        self.succeeded = attempt;
        self.wait = shortened(self.times.refresh, REFRESH_JITTER, chance);
        let confirmed_at = self.attempted_at.unwrap_or(SystemTime::UNIX_EPOCH);
        match &mut self.current {
            // The same text: tokens verified with it stay verified.
            Some(current) if current.digest == fetched.digest => {
                current.confirmed_at = confirmed_at;
                false
            }
            Some(_) | None => {
                let keys = Arc::new(Keys::new(fetched.keys));
                self.current = Some(Current { keys, digest: fetched.digest, confirmed_at });
                true
            }
        }
    }

    /// Ends an attempt that did not.
    pub(in crate::auth) fn fail(&mut self, chance: f64) {
        self.under_way = false;
        let doublings = self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
        let wait = FIRST_RETRY.saturating_mul(1 << doublings).min(self.times.refresh);
        self.wait = shortened(wait, RETRY_JITTER, chance);
    }

    /// How many attempts have ended, and how many of the last failed in a row.
    pub(in crate::auth) const fn progress(&self) -> (Attempt, u32) {
        (if self.under_way { self.attempts - 1 } else { self.attempts }, self.failures)
    }

    /// How many attempts failed.
    pub(in crate::auth) const fn failed(&self) -> u64 {
        self.failed
    }

    pub(in crate::auth) const fn has_keys(&self) -> bool {
        self.current.is_some()
    }

    /// The number of keys, and how long ago the issuer last confirmed them.
    pub(in crate::auth) fn count_and_age(&self, now: SystemTime) -> Option<(usize, Duration)> {
        let current = self.current.as_ref()?;
        Some((current.keys.set.count(), elapsed(current.confirmed_at, now)))
    }

    fn naming(&self, id: &str) -> Option<Arc<Keys>> {
        let current = self.current.as_ref()?;
        current.keys.set.names(id).then(|| Arc::clone(&current.keys))
    }

    /// How long until an unknown `kid` may have the issuer asked: the interval, and while it fails the wait, have passed.
    fn closed_for(&self, now: SystemTime) -> Duration {
        let interval = self.times.unknown_key_interval;
        let wait = if self.failures == 0 { interval } else { interval.max(self.wait) };
        self.attempted_at.map_or(Duration::ZERO, |at| remaining(at, wait, now))
    }

    fn is_absent(&self, id: &str, now: SystemTime) -> bool {
        let memory = self.times.unknown_key_interval.saturating_mul(UNKNOWN_ID_WINDOWS);
        self.unknown.iter().any(|(at, absent)| absent == id && !remaining(*at, memory, now).is_zero())
    }

    fn remember_absent(&mut self, id: &str, now: SystemTime) {
        self.unknown.retain(|(_, absent)| absent != id);
        if self.unknown.len() >= MAX_UNKNOWN_IDS {
            self.unknown.pop_front();
        }
        self.unknown.push_back((now, id.to_owned()));
    }
}

/// A clock that was set back tells of no time passed.
fn elapsed(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

/// What is left of a wait. After the clock was set back nothing, so that no wait is prolonged by it.
fn remaining(since: SystemTime, wait: Duration, now: SystemTime) -> Duration {
    now.duration_since(since).map_or(Duration::ZERO, |passed| wait.saturating_sub(passed))
}

fn shortened(wait: Duration, share: f64, chance: f64) -> Duration {
    wait.mul_f64(share.mul_add(-chance.clamp(0.0, 1.0), 1.0))
}
