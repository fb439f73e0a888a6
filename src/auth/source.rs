//! Where an issuer publishes its keys: a JWKS, or a discovery document that names one (OpenID Connect Discovery 1.0).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::time::timeout;

use super::algorithm::SignatureAlgorithm;
use super::fetch::{ClearText, FETCH_TIMEOUT, FetchFault, Fetcher, KeyUrl};
use super::key_files::read_published_jwks;
use super::keys::KeySet;
use crate::json::{self, Json};

/// What follows the issuer's URL (OpenID Connect Discovery section 4).
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Where to look for an issuer's keys.
#[derive(Clone, Debug)]
pub enum KeyAddress {
    /// A JWKS.
    Jwks(KeyUrl),
    /// The document that names it; made by [`KeyAddress::discovery`].
    Discovery {
        /// The document.
        document: KeyUrl,
        /// The `issuer` that it must be of.
        issuer: String,
    },
}

impl KeyAddress {
    /// The address of an issuer's discovery document.
    ///
    /// # Errors
    /// What is wrong with the issuer's URL.
    pub fn discovery(issuer: &str, clear_text: ClearText) -> Result<Self, &'static str> {
        if issuer.contains('?') {
            return Err("a URL with a query");
        }
        let document = format!("{}{DISCOVERY_PATH}", issuer.strip_suffix('/').unwrap_or(issuer));
        Ok(Self::Discovery { document: KeyUrl::parse(&document, clear_text)?, issuer: issuer.to_owned() })
    }
}

/// How to get an issuer's keys.
#[derive(Clone, Debug)]
pub struct KeySource {
    /// Where they are.
    pub address: KeyAddress,
    /// Gets them.
    pub fetcher: Fetcher,
    /// Whether an address that the issuer names may be without TLS.
    pub clear_text: ClearText,
    /// With which algorithms they may be used.
    pub algorithms: Vec<SignatureAlgorithm>,
}

/// Why keys did not come, and from where. For the operator: names the address.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {why}")]
pub struct SourceFault {
    url: String,
    why: SourceFaultKind,
}

/// What was wrong with what the address gave.
#[derive(Debug, thiserror::Error)]
enum SourceFaultKind {
    #[error(transparent)]
    Fetch(#[from] FetchFault),
    #[error("not a discovery document: {0}")]
    Discovery(String),
    #[error("{}", .0.join("; "))]
    Keys(Vec<String>),
}

/// Keys that an issuer publishes.
#[derive(Debug)]
pub(in crate::auth) struct Fetched {
    /// SHA-256 of the text.
    pub(in crate::auth) digest: [u8; 32],
    pub(in crate::auth) keys: KeySet,
    /// What is wrong with keys that are not used.
    pub(in crate::auth) passed_over: Vec<String>,
}

impl KeySource {
    /// Fetches within [`FETCH_TIMEOUT`].
    pub(in crate::auth) async fn fetch(&self) -> Result<Fetched, SourceFault> {
        self.fetch_within(FETCH_TIMEOUT).await
    }

    pub(in crate::auth) async fn fetch_within(&self, bound: Duration) -> Result<Fetched, SourceFault> {
        let first = match &self.address {
            KeyAddress::Jwks(url) | KeyAddress::Discovery { document: url, .. } => url,
        };
        match timeout(bound, self.fetch_slowly()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(SourceFault { url: first.to_string(), why: FetchFault::Slow.into() }),
        }
    }

    async fn fetch_slowly(&self) -> Result<Fetched, SourceFault> {
        match &self.address {
            KeyAddress::Jwks(url) => self.fetch_keys(url).await,
            KeyAddress::Discovery { document, issuer } => {
                let text = self.get(document).await?;
                let url = jwks_uri(&text, issuer, self.clear_text).map_err(|fault| SourceFault {
                    url: document.to_string(),
                    why: SourceFaultKind::Discovery(fault),
                })?;
                self.fetch_keys(&url).await
            }
        }
    }

    async fn fetch_keys(&self, url: &KeyUrl) -> Result<Fetched, SourceFault> {
        let text = self.get(url).await?;
        let (keys, passed_over) = read_published_jwks(&text, &self.algorithms)
            .map_err(|faults| SourceFault { url: url.to_string(), why: SourceFaultKind::Keys(faults) })?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Ok(Fetched { digest: sha256, keys, passed_over })
    }

    async fn get(&self, url: &KeyUrl) -> Result<String, SourceFault> {
        self.fetcher.get(url).await.map_err(|fault| SourceFault { url: url.to_string(), why: fault.into() })
    }
}

/// The `jwks_uri` of a discovery document, which must be of this issuer (OpenID Connect Discovery section 4.3).
fn jwks_uri(text: &str, issuer: &str, clear_text: ClearText) -> Result<KeyUrl, String> {
    let document = json::parse(text).map_err(|fault| format!("not JSON: {fault}"))?;
    let member = |name: &str| {
        document.get(name).and_then(Json::as_str).ok_or_else(|| format!("it has no `{name}` that is a string"))
    };
    let found = member("issuer")?;
    if found != issuer {
        return Err(format!("its `issuer` is `{}`, expected `{issuer}`, byte by byte", found.escape_debug()));
    }
    KeyUrl::parse(member("jwks_uri")?, clear_text).map_err(|fault| format!("its `jwks_uri` is {fault}"))
}
