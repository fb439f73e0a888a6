//! The configuration: one TOML file and the files it names, to each room's own settings.
//!
//! The only room that reads files and the environment.

mod fault;
mod files;
mod issuers;
mod limits;
mod raw;
mod settings;

use std::path::Path;

pub use fault::{Faults, FileFault};
pub use files::{MAX_FILE_BYTES, read_text, without_newline};
pub use limits::Limits;
pub use settings::{Config, DruidSettings, IdSettings, PolicySettings, Secret, ServerSettings, TlsSettings};

use crate::policy::Policy;
use crate::toml_reader;
use raw::{Base, Partial};

/// Seconds that requests have to finish after the order to stop: what Kubernetes grants before it kills.
pub const DEFAULT_GRACE_SECONDS: u64 = 30;

/// No supervisor waits longer than an hour.
pub const MAX_GRACE_SECONDS: u64 = 3_600;

/// Seconds by which an issuer's clock may differ from ours, as most gateways have it.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 60;

/// "Usually no more than a few minutes" (RFC 7519 section 4.1.4).
pub const MAX_LEEWAY_SECONDS: u64 = 300;

/// Bytes of the key that signs ids: as many as the hash that uses it gives (RFC 2104 section 3).
pub const MIN_ID_KEY_BYTES: usize = 32;

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

/// Reads a configuration and its policy, and finds the faults of both even where the first is faulty.
///
/// # Errors
/// Everything that is wrong with them.
pub fn check(path: &Path) -> Result<(Config, Policy), Faults> {
    let (config, partial, mut faults) = read(path);
    let policy = partial.policy_file.map(|file| load_policy(&file, &partial.issuer_names));
    match (config, policy) {
        (Some(config), Some(Ok(policy))) => Ok((config, policy)),
        (_, Some(Err(more))) => {
            faults.0.extend(more.0);
            Err(faults)
        }
        (_, Some(Ok(_)) | None) => Err(faults),
    }
}

fn read(path: &Path) -> (Option<Config>, Partial, Faults) {
    let mut partial = Partial::default();
    match read_text(path) {
        Err(fault) => (None, partial, Faults::unreadable(path, fault)),
        Ok(text) => {
            let walk = |root: toml_reader::Section<'_>, report: &mut toml_reader::Report<'_>| {
                raw::read(&root, &Base(path), &mut partial, report)
            };
            let (config, faults) = toml_reader::read(&text, walk);
            (config, partial, Faults::within(path, faults))
        }
    }
}

#[cfg(test)]
mod tests;
