//! What each room is told, checked and ready.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use http::Uri;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Limits;
use crate::auth::AuthSettings;
use crate::druid::context::ContextKeys;
use crate::permission::Action;
use crate::sql::{ExternalRules, SecondReading};

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
    /// What SQL may say, and what it takes.
    pub sql: SqlSettings,
    /// What is bounded, and how far.
    pub limits: Limits,
    /// Where the admin listener is, if there is one.
    pub admin: Option<SocketAddr>,
    /// Where audit records go.
    pub audit: AuditSettings,
    /// Every file that was read, the policy aside.
    pub files: Vec<PathBuf>,
}

/// How to listen.
pub struct ServerSettings {
    /// The address of the listener.
    pub listen: SocketAddr,
    /// The origin at which browsers see the gate; without it nobody signs in with one.
    pub origin: Option<Origin>,
    /// The server's certificate; without it tokens travel in clear, which the configuration must say aloud.
    pub tls: Option<TlsSettings>,
    /// How long clients are asked to go elsewhere after the order to stop, before the listener closes, in seconds.
    pub drain_seconds: u64,
    /// How long requests may take to finish after that, in seconds.
    pub grace_seconds: u64,
}

/// An origin as browsers write it (RFC 6454, section 6.2): `https`, host, and the port unless it is 443.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Nothing, if a browser would write it otherwise: it is compared byte by byte.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri = text.parse::<Uri>().ok()?;
        let (host, port) = (uri.host()?, uri.port_u16().filter(|port| *port != 443));
        let written = match port {
            Some(port) => format!("https://{host}:{port}"),
            None => format!("https://{host}"),
        };
        (text == written && !host.is_empty() && text == text.to_ascii_lowercase()).then_some(Self(written))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    /// The Routers: `http` or all of them `https`, host and port, no path; at least one.
    pub routers: Vec<Uri>,
    /// The gate's own account.
    pub account: Account,
    /// How TLS is spoken with the Routers, if it is.
    pub tls: Option<RouterTls>,
}

/// How the gate says to Druid who it is.
pub enum Account {
    /// RFC 7617.
    Basic {
        /// Without colon.
        username: String,
        /// Without control characters.
        password: Secret,
    },
    /// RFC 6750.
    Bearer {
        /// Visible ASCII.
        token: Secret,
    },
    /// By the certificate that it shows, and nothing else.
    Certificate,
}

/// Whom the gate trusts to be a Router, and the certificate that it shows.
pub struct RouterTls {
    /// All of it, as TLS takes it.
    pub client: ClientConfig,
    /// The texts of the files that it is made of.
    pub files: Secret<Vec<String>>,
}

/// Where audit records go, and what if they cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Where to.
    pub out: AuditOut,
    /// What if not.
    pub failure: AuditFailure,
}

/// What audit records are written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditOut {
    /// Standard output.
    Stdout,
    /// A file, which steps back when it is full.
    File {
        /// The file.
        path: PathBuf,
        /// Bytes of one file.
        max_bytes: u64,
        /// Files beside it that are kept.
        keep: u32,
    },
}

/// What becomes of requests while audit records cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFailure {
    /// They are refused.
    Refuse,
    /// They are served, and the failure is told in log and metrics.
    Report,
}

/// How ids of queries are signed.
pub struct IdSettings {
    /// The key that signs, of at least [`MIN_ID_KEY_BYTES`](super::MIN_ID_KEY_BYTES) bytes.
    pub key: Secret<Vec<u8>>,
    /// Others whose ids are recognized, at most [`MAX_OTHER_ID_KEYS`](super::MAX_OTHER_ID_KEYS).
    pub other_keys: Vec<Secret<Vec<u8>>>,
}

/// Where the policy is, and how it is read.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The policy file.
    pub file: PathBuf,
    /// The action on its output datasource that cancelling a query needs.
    pub task_cancel: Action,
    /// Whether the state's permission does for another's statement, as in Druid since 28.
    pub statements_by_state: bool,
}

/// What SQL may say, and what it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlSettings {
    /// What EXTERN may read, and what it takes.
    pub external: ExternalRules,
    /// What setting a query context key takes.
    pub context_keys: ContextKeys,
    /// Which statements are read twice.
    pub second_reading: SecondReading,
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
