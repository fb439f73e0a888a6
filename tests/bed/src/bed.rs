//! The bed as integration tests see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use ureq::Agent;

use crate::error::{BedError, Result};
use crate::progress::Progress;
use crate::state::{BedFile, User};
use crate::{http, up};

/// A running bed. It stays up after the tests: `cargo bed down` ends it.
#[derive(Debug)]
pub struct Bed {
    /// The gate's address, `https://127.0.0.1:N`.
    pub gate: String,
    /// The Router's address, `http://127.0.0.1:N`.
    pub router: String,
    /// The file of the certificate authority that signed the gate's certificate.
    pub ca: PathBuf,
    /// The users there were when the bed was brought up, by name.
    pub users: BTreeMap<String, User>,
}

impl Bed {
    /// The bed, brought up if it is not, once per process; a second process waits for the first.
    ///
    /// # Panics
    ///
    /// Where it cannot be brought up: a test that needs it has failed then.
    #[expect(clippy::panic, reason = "called by tests, to which this is a failure")]
    pub fn ensure() -> &'static Self {
        Self::try_ensure().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, with the reason why not.
    pub fn try_ensure() -> std::result::Result<&'static Self, &'static BedError> {
        static BED: OnceLock<Result<Bed>> = OnceLock::new();
        BED.get_or_init(|| up::up(&Progress::start()).map(Self::from)).as_ref()
    }

    /// The credentials of a user, one added meanwhile too.
    pub fn user(&self, name: &str) -> Result<User> {
        let later = || Ok(BedFile::load()?.and_then(|file| file.users.get(name).cloned()));
        let found = self.users.get(name).cloned().map_or_else(later, |user| Ok(Some(user)))?;
        found.ok_or_else(|| BedError::new(format!("the bed has no user {name}"), "add it with `cargo bed user`"))
    }

    /// Adds a user with grants such as `READ DATASOURCE t*` at both ends, or changes what it was granted; returns when
    /// both ends act on it.
    pub fn add_user(&self, name: &str, grants: &[&str]) -> Result<User> {
        let grants: Vec<String> = grants.iter().map(ToString::to_string).collect();
        up::add_user(name, &grants, &Progress::start())
    }

    /// Adds several users at once, each as [`Self::add_user`] does; gives their credentials by name.
    pub fn add_users(&self, users: &[(&str, &[&str])]) -> Result<BTreeMap<String, User>> {
        let owned = |(name, grants): &(&str, &[&str])| {
            ((*name).to_owned(), grants.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let users: Vec<(String, Vec<String>)> = users.iter().map(owned).collect();
        let mut all = up::add_users(&users, &Progress::start())?;
        all.retain(|name, _| users.iter().any(|(wanted, _)| wanted == name));
        Ok(all)
    }

    /// A client that trusts the gate's certificate, and to which a status such as 403 is an answer like any other.
    pub fn client(&self) -> Result<Agent> {
        http::trusting(&self.ca)
    }

    /// The value of `Authorization` with which a user asks the Router directly.
    pub fn basic(&self, name: &str) -> Result<String> {
        Ok(http::basic(name, &self.user(name)?.password))
    }

    /// The value of `Authorization` with which a user asks the gate.
    pub fn bearer(&self, name: &str) -> Result<String> {
        Ok(format!("Bearer {}", self.user(name)?.token))
    }
}

impl From<BedFile> for Bed {
    fn from(file: BedFile) -> Self {
        Self { gate: file.gate, router: file.router, ca: file.ca, users: file.users }
    }
}
