//! What a bed remembers between commands: `target/bed/state.json`, and what it tells others: `target/bed/bed.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::{BedError, Result};
use crate::places;
use crate::process::ProcessId;

/// What was started, where it listens, and who may enter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The port of everything that listens, by name.
    pub ports: BTreeMap<String, u16>,
    /// What runs, by the name of the service.
    pub processes: BTreeMap<String, ProcessId>,
    /// The password of Druid's built-in account `admin`, with which the bed administers.
    pub admin_password: String,
    /// The password of Druid's own account for calls between its services.
    pub internal_password: String,
    /// The password of the account that the gate has with Druid.
    pub gate_password: String,
    /// The users, with what was granted to each.
    pub users: BTreeMap<String, StoredUser>,
    /// Whether the datasets are loaded.
    pub loaded: bool,
    /// Which build of the gate runs: it is started anew when another one is there.
    pub gate_build: Option<String>,
}

/// A user as the bed keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredUser {
    /// The password with Druid itself.
    pub password: String,
    /// The grants, as they were written.
    pub grants: Vec<String>,
}

/// The addresses and credentials of a running bed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BedFile {
    /// The gate's address.
    pub gate: String,
    /// The Router's address.
    pub router: String,
    /// The certificate that the gate's is signed with.
    pub ca: PathBuf,
    /// Everybody's credentials, by name.
    pub users: BTreeMap<String, User>,
}

/// The credentials of one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// A signed token for the gate.
    pub token: String,
    /// The password for Druid itself, with the user's name.
    pub password: String,
}

impl State {
    /// The remembered state; none where no bed was left.
    pub fn load() -> Result<Option<Self>> {
        load(&Self::path())
    }

    /// Remembers this state.
    pub fn save(&self) -> Result<()> {
        save(&Self::path(), self)
    }

    /// Forgets state and addresses.
    pub fn forget() -> Result<()> {
        places::remove(&BedFile::path())?;
        places::remove(&Self::path())
    }

    /// The port of something that this bed has.
    pub fn port(&self, name: &str) -> Result<u16> {
        self.ports.get(name).copied().ok_or_else(|| {
            BedError::new(format!("target/bed/state.json knows no port of {name}"), "run `cargo bed down`, then `up`")
        })
    }

    /// Whether this service, started by a bed, still runs.
    #[must_use]
    pub fn running(&self, name: &str) -> bool {
        self.processes.get(name).is_some_and(|process| process.alive())
    }

    fn path() -> PathBuf {
        places::bed_dir().join("state.json")
    }
}

impl BedFile {
    /// What the running bed said.
    pub fn load() -> Result<Option<Self>> {
        load(&Self::path())
    }

    /// Says it.
    pub fn save(&self) -> Result<()> {
        save(&Self::path(), self)
    }

    /// `target/bed/bed.json`
    #[must_use]
    pub fn path() -> PathBuf {
        places::bed_dir().join("bed.json")
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(text) = places::read_if_there(path)? else { return Ok(None) };
    let value = serde_json::from_str(&text).map_err(|error| {
        let next = "end what it names by hand, then remove target/bed";
        BedError::new(format!("{} is not as the bed writes it: {error}", path.display()), next)
    })?;
    Ok(Some(value))
}

fn save<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| BedError::new(format!("could not write JSON: {error}"), "report it"))?;
    places::write_private(path, &(text + "\n"))
}
