//! Requests to Druid and to the gate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
pub use ureq::Agent;
use ureq::RequestExt;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::error::{BedError, Result};

/// The longest that one answer may take: a planner on a cold JVM beside five others.
const ANSWER_BOUND: Duration = Duration::from_secs(60);

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body; what is not UTF-8 in it is replaced.
    pub text: String,
}

impl Answer {
    /// The body as JSON, or null.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// This answer, unless it is not a good one.
    pub fn good(self, what: &str) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let next = "read the logs: `cargo bed logs router`, `coordinator`, `broker`, `indexer`, `gate`";
        Err(BedError::new(format!("{what}: status {}", self.status), next).showing(self.text))
    }
}

/// A client for plain HTTP, to which a status such as 403 is an answer like any other.
#[must_use]
pub fn plain() -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_BOUND)).build().into()
}

/// The same over TLS, trusting only this certificate authority.
pub fn trusting(ca: &Path) -> Result<Agent> {
    let pem = std::fs::read(ca).map_err(BedError::io(format!("read {}", ca.display())))?;
    let certificate = Certificate::from_pem(&pem)
        .map_err(|error| BedError::new(format!("{}: {error}", ca.display()), "run `cargo bed down`, then `up`"))?;
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[certificate]))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_BOUND));
    Ok(config.tls_config(tls).build().into())
}

/// The value of `Authorization` for a name and a password.
#[must_use]
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// One request. `body` is sent as JSON.
pub fn send(
    agent: &Agent,
    method: &str,
    url: &str,
    authorization: Option<&str>,
    body: Option<&str>,
) -> std::result::Result<Answer, ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    let mut response = match body {
        Some(text) => request.header("Content-Type", "application/json").body(text)?.with_agent(agent).run()?,
        None => request.body(())?.with_agent(agent).run()?,
    };
    let bytes = response.body_mut().read_to_vec()?;
    Ok(Answer { status: response.status().as_u16(), text: String::from_utf8_lossy(&bytes).into_owned() })
}
