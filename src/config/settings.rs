//! What each room is told, checked and ready.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use http::Uri;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Limits;
use crate::auth::AuthSettings;
use crate::permission::Action;

/// Everything the configuration file says, and what the files it names hold.
pub struct Config {
    /// How to listen.
    pub server: ServerSettings,
    /// The Druid behind.
    pub druid: DruidSettings,
    /// How ids of queries are signed.
    pub ids: IdSettings,
    /// Where the policy is, and how it is read.
    pub policy: PolicySettings,
    /// Whose tokens are accepted.
    pub auth: AuthSettings,
    /// What is bounded, and how far.
    pub limits: Limits,
}

/// How to listen.
pub struct ServerSettings {
    /// The address of the listener.
    pub listen: SocketAddr,
    /// The server's certificate; without it tokens travel in clear, which the configuration must say aloud.
    pub tls: Option<TlsSettings>,
    /// How long requests may take to finish after the order to stop, in seconds.
    pub grace_seconds: u64,
}

/// A certificate and its key, known to belong together.
pub struct TlsSettings {
    /// The chain, the server's own certificate first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

/// The Druid behind.
pub struct DruidSettings {
    /// The Routers: `http`, host and port, no path; at least one.
    pub routers: Vec<Uri>,
    /// The gate's own account.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// How ids of queries are signed.
pub struct IdSettings {
    /// At least [`MIN_ID_KEY_BYTES`](super::MIN_ID_KEY_BYTES) bytes.
    pub key: Secret<Vec<u8>>,
}

/// Where the policy is, and how it is read.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The policy file.
    pub file: PathBuf,
    /// The action on its output datasource that cancelling a query needs.
    pub task_cancel: Action,
}

/// A value that no log may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value; to be asked for only where it is used.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
