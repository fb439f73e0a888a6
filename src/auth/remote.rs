//! An issuer's keys, fetched: one fetch at a time, whoever asks for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::fault::{KeysFault, KeysUnavailable, Refusal, TokenFault};
use super::key_state::{Attempt, KeyState, Look};
use super::keys::Keys;
use super::settings::RemoteKeySettings;
use super::source::{Fetched, SourceFault};

/// What is known of an issuer's fetched keys, for readiness and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The issuer's name in the configuration.
    pub issuer_name: String,
    /// The number of keys and the time since the issuer last confirmed them; none before the first.
    pub keys: Option<(usize, Duration)>,
    /// Whether tokens of this issuer can be verified now.
    pub usable: bool,
    /// Fetches that ended.
    pub fetches: u64,
    /// Of these, the ones that brought no keys.
    pub failed: u64,
    /// How many of the last of them failed in a row.
    pub failures: u32,
}

/// An issuer's fetched keys and the way to them.
#[derive(Debug)]
pub(in crate::auth) struct RemoteKeys {
    issuer_name: String,
    settings: RemoteKeySettings,
    state: Mutex<KeyState>,
    ended: watch::Sender<()>,
}

impl RemoteKeys {
    pub(in crate::auth) fn new(issuer_name: String, settings: RemoteKeySettings) -> Self {
        let state = Mutex::new(KeyState::new(settings.times.clone()));
        Self { issuer_name, settings, state, ended: watch::Sender::new(()) }
    }

    pub(in crate::auth) const fn settings(&self) -> &RemoteKeySettings {
        &self.settings
    }

    /// The keys, if they may be used at this time.
    pub(in crate::auth) fn current(&self, now: SystemTime) -> Result<Arc<Keys>, Refusal> {
        self.state().current(now)
    }

    /// Keys with one of this `kid`, which [`Self::current`] did not have; the issuer is asked, if it is time to.
    pub(in crate::auth) async fn look_for(self: &Arc<Self>, id: &str, now: SystemTime) -> Result<Arc<Keys>, Refusal> {
        // Subscribed before the fetch can end.
        let ended = self.ended.subscribe();
        let look = self.state().look_for(id, now);
        let Look::Wait { begins, telling } = look else { return told(look) };
        if begins {
            self.spawn_fetch(telling);
        }
        wait_for(ended).await;
        told(self.state().looked_for(id, telling, now))
    }

    /// Fetches if it is time to. How long to wait until it is again.
    pub(in crate::auth) async fn fetch_if_due(self: &Arc<Self>, now: SystemTime) -> Duration {
        let ended = self.ended.subscribe();
        let (wait, begun) = self.state().begin_if_due(now);
        if !wait.is_zero() {
            return wait;
        }
        if let Some(attempt) = begun {
            self.spawn_fetch(attempt);
        }
        wait_for(ended).await;
        self.state().due_in(now)
    }

    /// Fetches for ever, each time when it is due.
    pub(in crate::auth) async fn keep_fresh(self: Arc<Self>) {
        loop {
            let wait = self.fetch_if_due(SystemTime::now()).await;
            tokio::time::sleep(wait).await;
        }
    }

    /// Waits until keys are there.
    pub(in crate::auth) async fn wait_for_keys(&self) {
        loop {
            let ended = self.ended.subscribe();
            if self.state().has_keys() {
                return;
            }
            wait_for(ended).await;
        }
    }

    /// Waits until the first fetch has ended. Whether there are keys.
    pub(in crate::auth) async fn wait_for_first_attempt(&self) -> bool {
        loop {
            let ended = self.ended.subscribe();
            if self.state().progress().0 > 0 {
                return self.state().has_keys();
            }
            wait_for(ended).await;
        }
    }

    pub(in crate::auth) fn status(&self, now: SystemTime) -> KeyStatus {
        let state = self.state();
        let (fetches, failures) = state.progress();
        KeyStatus {
            issuer_name: self.issuer_name.clone(),
            keys: state.count_and_age(now),
            usable: state.current(now).is_ok(),
            fetches,
            failed: state.failed(),
            failures,
        }
    }

    /// No await stands between a lock and its end.
    fn state(&self) -> MutexGuard<'_, KeyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a task of its own: a caller who leaves does not cut it off for the others who wait.
    fn spawn_fetch(self: &Arc<Self>, attempt: Attempt) {
        let mut running = Running { keys: Arc::clone(self), attempt, is_over: false };
        tokio::spawn(async move {
            let outcome = running.keys.settings.source.fetch().await;
            running.end(Some(outcome));
        });
    }

    fn end(&self, attempt: Attempt, outcome: Option<Result<Fetched, SourceFault>>) {
        let issuer = self.issuer_name.as_str();
        match outcome {
            Some(Ok(fetched)) => {
                let (count, passed_over) = (fetched.keys.count(), fetched.passed_over.join("; "));
                if self.state().succeed(attempt, fetched, chance()) {
                    tracing::info!(issuer, keys = count, "an issuer's keys are new");
                    if !passed_over.is_empty() {
                        tracing::warn!(issuer, faults = passed_over, "keys of an issuer are not used");
                    }
                }
            }
            Some(Err(fault)) => {
                self.state().fail(chance());
                tracing::warn!(issuer, %fault, "an issuer's keys cannot be fetched; those there are stay in use");
            }
            None => {
                self.state().fail(chance());
                tracing::error!(issuer, "the fetch of an issuer's keys broke off");
            }
        }
        self.ended.send_replace(());
    }
}

/// Waits for the end of a fetch. Its sender lives as long as the keys, so that there is one.
async fn wait_for(mut ended: watch::Receiver<()>) {
    let _ = ended.changed().await;
}

fn told(answer: Look) -> Result<Arc<Keys>, Refusal> {
    match answer {
        Look::Found(keys) => Ok(keys),
        Look::Absent => Err(Refusal::Token(TokenFault::UnknownKey)),
        Look::Later(wait) => Err(Refusal::Keys(KeysUnavailable::new(KeysFault::NotAsked, wait))),
        Look::Wait { .. } => Err(Refusal::Keys(KeysUnavailable::new(KeysFault::NotAsked, Duration::ZERO))),
    }
}

/// A fetch; it ends when it is dropped at the latest, by a panic or with the runtime.
struct Running {
    keys: Arc<RemoteKeys>,
    attempt: Attempt,
    is_over: bool,
}

impl Running {
    fn end(&mut self, outcome: Option<Result<Fetched, SourceFault>>) {
        self.is_over = true;
        self.keys.end(self.attempt, outcome);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(None);
        }
    }
}

/// A number from 0 to 1; without random numbers there is no jitter.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
