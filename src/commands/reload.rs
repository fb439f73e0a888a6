//! What is read again while the gate serves: the policy, the certificate, issuers' key files, the gate's own account at Druid
//! and the certificates for it.
//!
//! Files are looked at, and read when they have changed and then stayed the same for one look more. What is faulty leaves
//! the old in force; a fault of one part does not hold the others back.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::time::MissedTickBehavior;

use crate::auth::Authenticator;
use crate::config::{self, Config, Reading};
use crate::proxy::Gate;
use crate::server::Certificate;
use crate::telemetry::Metrics;
use crate::upstream::Upstream;

/// How often files are looked at. Looking costs microseconds.
const LOOK: Duration = Duration::from_secs(1);

/// What reads again, and what is told.
pub struct Reload {
    /// The configuration file.
    pub configuration: PathBuf,
    /// Every file that it names, and itself.
    pub files: Vec<PathBuf>,
    /// Has the policy.
    pub gate: Arc<Gate>,
    /// The one that is served.
    pub certificate: Option<Arc<Certificate>>,
    /// Has the issuers' keys.
    pub authenticator: Authenticator,
    /// Has the account and its certificates.
    pub upstream: Upstream,
    /// Told how it went.
    pub metrics: Metrics,
}

/// What a file looks like from outside: when it was changed, its size and its place; nothing if it is not there.
type Look = Vec<Option<(i64, i64, u64, u64)>>;

impl Reload {
    /// Reads again on each signal and on each change, for ever.
    pub async fn run(mut self, mut hangup: Signal) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read = self.look();
        let mut before = read.clone();
        loop {
            tokio::select! {
                signal = hangup.recv() => if signal.is_none() { return },
                _ = tick.tick() => {
                    let now = self.look();
                    let is_settled = now == before;
                    before.clone_from(&now);
                    if now == read || !is_settled {
                        continue;
                    }
                    tracing::info!("files have changed and are read again");
                }
            }
            before = self.look();
            self.read_again();
            // Another configuration may name other files.
            read = self.look();
            before.clone_from(&read);
        }
    }

    fn look(&self) -> Look {
        let look = |file: &PathBuf| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.mtime(), data.mtime_nsec(), data.size(), data.ino()))
        };
        self.files.iter().map(look).collect()
    }

    fn read_again(&mut self) {
        let Reading { config, policy, files } = config::read_all(&self.configuration);
        self.files = files;
        let mut good = true;
        match policy {
            Some(Ok(policy)) => {
                self.gate.replace_policy(policy);
                tracing::info!("policy reloaded");
            }
            Some(Err(faults)) => {
                good = false;
                tracing::error!(%faults, "policy not reloaded, the old one stays in force");
            }
            None => {
                good = false;
                tracing::error!("policy not reloaded, the old one stays in force: the configuration names none");
            }
        }
        match config {
            Ok(config) => good &= self.put_in_force(config),
            Err(faults) => {
                good = false;
                tracing::error!(%faults, "certificate, keys and account not reloaded, the old ones stay in force");
            }
        }
        self.metrics.reloaded(good);
    }

    fn put_in_force(&self, config: Config) -> bool {
        self.authenticator.replace_fixed_keys(&config.auth);
        self.upstream.replace_access(&config.druid);
        match (&self.certificate, config.server.tls) {
            (Some(certificate), Some(tls)) => match certificate.replace(tls) {
                Ok(()) => {
                    tracing::info!("certificate reloaded");
                    true
                }
                Err(error) => {
                    tracing::error!(%error, "certificate not reloaded, the old one stays in force");
                    false
                }
            },
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => {
                tracing::error!("whether TLS is spoken is not changed while the gate serves");
                false
            }
        }
    }
}
