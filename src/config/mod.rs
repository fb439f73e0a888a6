//! The configuration: one TOML file and the files it names, to each room's own settings.
//!
//! The only room that reads files and the environment.

mod druid;
mod fault;
mod files;
mod issuer_keys;
mod issuers;
mod limits;
mod operations;
mod overrides;
mod raw;
mod settings;
mod sql;

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub use fault::{Faults, FileFault};
pub use files::{MAX_FILE_BYTES, read_text, without_newline};
pub use limits::Limits;
pub use settings::{
    Account, AuditFailure, AuditOut, AuditSettings, Config, DruidSettings, IdSettings, Origin, PolicySettings,
    RouterTls, Secret, ServerSettings, SqlSettings, TlsSettings,
};

use crate::policy::Policy;
use crate::toml_reader;
use overrides::Overrides;
use raw::{Base, Partial};

/// Seconds that requests have to finish after the order to stop: what Kubernetes grants before it kills.
pub const DEFAULT_GRACE_SECONDS: u64 = 30;

/// Seconds from the order to stop until the listener closes: who asks `/readyz` every second or two has then stopped
/// sending, and so has Kubernetes, which tells its proxies within a few seconds.
pub const DEFAULT_DRAIN_SECONDS: u64 = 5;

/// No supervisor waits longer than an hour.
pub const MAX_GRACE_SECONDS: u64 = 3_600;

/// Seconds by which an issuer's clock may differ from ours, as most gateways have it.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 60;

/// "Usually no more than a few minutes" (RFC 7519 section 4.1.4).
pub const MAX_LEEWAY_SECONDS: u64 = 300;

/// Seconds between two fetches of an issuer's keys; what removes a key waits that long for its effect.
pub const DEFAULT_REFRESH_SECONDS: u64 = 300;

/// An issuer is not asked more often than every ten seconds unless for cause, and a key not trusted for longer than a day
/// after its removal.
pub const REFRESH_SECONDS: RangeInclusive<u64> = 10..=86_400;

/// Seconds between two fetches for the sake of tokens whose key is unknown: anybody can make such tokens.
pub const DEFAULT_UNKNOWN_KEY_SECONDS: u64 = 10;

/// Callers with a new key wait at most this long for the next fetch.
pub const UNKNOWN_KEY_SECONDS: RangeInclusive<u64> = 1..=300;

/// Seconds for which keys are used that an issuer no longer confirms: a night and a working day.
pub const DEFAULT_MAX_STALE_SECONDS: u64 = 86_400;

/// An issuer that is down for a month has no users left.
pub const MAX_STALE_SECONDS: RangeInclusive<u64> = 0..=2_592_000;

/// Bytes of the key that signs ids: as many as the hash that uses it gives (RFC 2104 section 3).
pub const MIN_ID_KEY_BYTES: usize = 32;

/// Keys whose ids are recognized beside the one that signs: two replacements under way at once.
pub const MAX_OTHER_ID_KEYS: usize = 2;

impl Config {
    /// Reads a configuration file and the key files it names; not the policy.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let (config, _, faults) = read(path);
        config.ok_or(faults)
    }
}

/// Reads a policy file for these issuers.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_policy(path: &Path, issuer_names: &[String]) -> Result<Policy, Faults> {
    let text = read_text(path).map_err(|fault| Faults::unreadable(path, fault))?;
    Policy::parse(&text, issuer_names).map_err(|faults| Faults::within(path, faults))
}

/// Reads a policy file without a configuration: its bindings may name any issuer.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_policy_alone(path: &Path) -> Result<Policy, Faults> {
    let text = read_text(path).map_err(|fault| Faults::unreadable(path, fault))?;
    Policy::parse_alone(&text).map_err(|faults| Faults::within(path, faults))
}

/// What was found when everything was read: each part may be faulty for itself.
pub struct Reading {
    /// The configuration and what it names, the policy aside.
    pub config: Result<Config, Faults>,
    /// The policy; nothing if the configuration does not say where it is.
    pub policy: Option<Result<Policy, Faults>>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
}

/// Reads a configuration and its policy.
#[must_use]
pub fn read_all(path: &Path) -> Reading {
    let (config, partial, faults) = read(path);
    let mut files = partial.files;
    let policy = partial.policy_file.map(|file| {
        let policy = load_policy(&file, &partial.issuer_names);
        files.push(file);
        policy
    });
    Reading { config: config.ok_or(faults), policy, files }
}

/// Reads a configuration and its policy, and finds the faults of both even where the first is faulty.
///
/// # Errors
/// Everything that is wrong with them.
pub fn check(path: &Path) -> Result<(Config, Policy), Faults> {
    let Reading { config, policy, .. } = read_all(path);
    match (config, policy) {
        (Ok(config), Some(Ok(policy))) => Ok((config, policy)),
        (Ok(_), None) => Err(Faults::default()),
        (Ok(_), Some(Err(faults))) | (Err(faults), None | Some(Ok(_))) => Err(faults),
        (Err(mut faults), Some(Err(more))) => {
            faults.0.extend(more.0);
            Err(faults)
        }
    }
}

fn read(path: &Path) -> (Option<Config>, Partial, Faults) {
    read_with(path, std::env::vars_os())
}

/// Reads, with overrides from this environment.
fn read_with(
    path: &Path,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> (Option<Config>, Partial, Faults) {
    let mut partial = Partial { files: vec![path.to_owned()], ..Partial::default() };
    let (overrides, mut faults) = Overrides::read(environment);
    match read_text(path) {
        Err(fault) => {
            faults.0.extend(Faults::unreadable(path, fault).0);
            (None, partial, faults)
        }
        Ok(file) => {
            let text = overrides.append_to(&file);
            let base = Base::new(path);
            let walk = |root: toml_reader::Section<'_>, report: &mut toml_reader::Report<'_>| {
                raw::read(&root, &base, &mut partial, report)
            };
            let (config, found) = toml_reader::read_with(&text, overrides.documents(&file), walk);
            faults.0.extend(overrides.name(&file, Faults::within(path, found)).0);
            (config.filter(|_| faults.is_empty()), partial, faults)
        }
    }
}

#[cfg(test)]
mod tests;
