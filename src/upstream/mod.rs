//! The only room that speaks to Druid.
//!
//! Two doors, and no third: [`Upstream::forward`], which takes nothing but an authorized request, and [`Directory`],
//! the reads that the gate makes for itself.

mod directory;
mod headers;

pub use directory::Directory;
pub use headers::from_druid as strip_hop_by_hop;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::auth::Identity;
use crate::config::DruidSettings;
use crate::druid::{Answer, Row};
use crate::inspect::{Inspected, Submitted};
use crate::policy::{Authorized, Grants};

/// Connecting to a Router that is there takes milliseconds; past this it is down.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The wait for the head of an answer. Druid ends queries after 5 minutes unless the client asks for more.
pub const RESPONSE_HEAD_TIMEOUT: Duration = Duration::from_mins(15);

/// Idle connections are closed before Jetty does it, after 5 minutes (`druid.server.http.maxIdleTime`).
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Idle connections kept to the Router.
pub const POOL_IDLE_CONNECTIONS: usize = 64;

/// Why Druid did not answer a request, or what it answered that is not passed on.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamFault {
    /// The Router was not reached, or closed the connection.
    #[error("the Router cannot be reached")]
    Unreachable,
    /// No answer within [`RESPONSE_HEAD_TIMEOUT`].
    #[error("the Router did not answer in time")]
    Slow,
    /// Druid does not know the gate's own account.
    #[error("Druid refused the gate's own account")]
    OwnAccountRefused,
    /// A service that is not the leader pointed to another.
    #[error("Druid is choosing a leader")]
    NoLeader,
    /// A redirect that no row expects.
    #[error("the Router answered with a redirect")]
    Redirect,
}

/// An answer of Druid's that nobody may see until its terms are applied.
///
/// ```compile_fail,E0624
/// # use msq_gate::upstream::Unfiltered;
/// fn unfiltered(answer: Unfiltered) {
///     let _ = answer.open();
/// }
/// ```
#[must_use]
pub struct Unfiltered {
    response: Response<Incoming>,
    terms: Terms,
}

/// Under which terms an answer may be passed on.
pub struct Terms {
    /// The row of the request.
    pub row: &'static Row,
    /// What the caller holds.
    pub grants: Grants,
    /// The query that the request submitted or cancelled.
    pub query: Option<Submitted>,
}

impl Unfiltered {
    /// For `proxy::filter` alone.
    pub(crate) fn open(self) -> (Terms, Response<Incoming>) {
        (self.terms, self.response)
    }
}

type RouterClient = Client<HttpConnector, Full<Bytes>>;

/// The connections to the Router.
#[derive(Clone)]
pub struct Upstream {
    client: RouterClient,
    authority: String,
    authorization: HeaderValue,
}

impl Upstream {
    /// Prepares connections; none is opened yet.
    #[must_use]
    pub fn new(settings: &DruidSettings) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        let authority = settings.router.authority().map_or_else(String::new, ToString::to_string);
        Self { client, authority, authorization: basic(settings) }
    }

    /// Sends an authorized request. Of the caller's headers only those of the allow-list go with it.
    ///
    /// ```compile_fail,E0308
    /// # use msq_gate::{auth::Identity, inspect::Inspected, upstream::Upstream};
    /// async fn bypass(upstream: &Upstream, inspected: Inspected, caller: &Identity) {
    ///     let _ = upstream.forward(inspected, caller, &http::HeaderMap::new()).await;
    /// }
    /// ```
    ///
    /// # Errors
    /// [`UpstreamFault`].
    pub async fn forward(
        &self,
        authorized: Authorized<Inspected>,
        caller: &Identity,
        carried: &HeaderMap,
    ) -> Result<Unfiltered, UpstreamFault> {
        let (inspected, grants) = authorized.into_parts();
        let row = inspected.row;
        let filtered = row.answer == Answer::TaskList;
        let mut headers = headers::to_druid(carried, filtered);
        headers.insert(HeaderName::from_static("x-druid-author"), headers::author(caller));
        if inspected.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let response = self.send(&row.method, &inspected.target, headers, inspected.body).await?;
        let response = check(row, response)?;
        Ok(Unfiltered { response, terms: Terms { row, grants, query: inspected.query } })
    }

    async fn send(
        &self,
        method: &Method,
        target: &str,
        mut headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, UpstreamFault> {
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.remove(HOST);
        let uri = Uri::builder().scheme("http").authority(self.authority.as_str()).path_and_query(target);
        let uri = uri.build().map_err(|_| UpstreamFault::Unreachable)?;
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        match tokio::time::timeout(RESPONSE_HEAD_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                tracing::warn!(error.kind = %error, "the Router did not answer");
                Err(UpstreamFault::Unreachable)
            }
            Err(_) => Err(UpstreamFault::Slow),
        }
    }
}

/// Answers that are about the gate, not about the caller's request, are never passed on.
fn check(row: &Row, response: Response<Incoming>) -> Result<Response<Incoming>, UpstreamFault> {
    match response.status() {
        StatusCode::UNAUTHORIZED => {
            tracing::error!(
                row = row.name,
                "Druid refused the gate's own account; check [druid] username and password"
            );
            Err(UpstreamFault::OwnAccountRefused)
        }
        StatusCode::TEMPORARY_REDIRECT => Err(UpstreamFault::NoLeader),
        StatusCode::NOT_MODIFIED => Ok(response),
        status if status.is_redirection() && row.answer != Answer::ConsoleRoot => Err(UpstreamFault::Redirect),
        _ => Ok(response),
    }
}

/// RFC 7617.
fn basic(settings: &DruidSettings) -> HeaderValue {
    let credentials = STANDARD.encode(format!("{}:{}", settings.username, settings.password.expose()));
    // Base64 is always a valid header value.
    let mut value = HeaderValue::try_from(format!("Basic {credentials}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}
