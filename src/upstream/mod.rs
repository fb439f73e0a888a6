//! The only room that speaks to Druid.
//!
//! Two doors: [`Upstream::forward`], which takes nothing but an authorized request, and [`Directory`], the reads that the
//! gate makes for itself. Beside them each Router is asked for its health, without credentials and with no byte of any
//! caller's ([`Routers::watch`]); and `check --online` looks at each of them once ([`probe`]).

mod account;
mod body;
mod connector;
mod directory;
mod headers;
mod probe;
mod routers;
mod tally;

pub use body::{Broken, RouterBody};
pub use directory::Directory;
pub use headers::from_druid as strip_hop_by_hop;
pub use probe::{ProbeFault, Probed, probe};
pub use routers::Routers;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::auth::Identity;
use crate::config::{DruidSettings, Limits, Secret};
use crate::druid::{Answer, Row};
use crate::inspect::{Inspected, Submitted};
use crate::policy::{Authorized, Grants};
use crate::query_id::OwnIds;
use account::OwnLogin;
use connector::Connector;
use routers::Router;
use tally::{LookupTally, Sent};

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
    /// No answer in time.
    #[error("the Router did not answer in time")]
    Slow,
    /// Druid does not know the gate's own account.
    #[error("Druid refused the gate's own account")]
    OwnAccountRefused,
    /// A service that is not the leader pointed to another.
    #[error("Druid is choosing a leader")]
    NoLeader,
    /// Another protocol, for which nobody asked.
    #[error("the Router answered by changing protocols")]
    Upgrade,
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
    response: Response<RouterBody>,
    terms: Terms,
}

/// Under which terms an answer may be passed on.
pub struct Terms {
    /// What becomes of the answer.
    pub answer: Answer,
    /// The id of the task, supervisor or query that the request is about.
    pub id: Option<String>,
    /// What the caller holds.
    pub grants: Grants,
    /// The query that the request submitted or cancelled.
    pub query: Option<Submitted>,
    /// What tells the caller's own queries in a list of them.
    pub own: Option<OwnIds>,
}

impl Unfiltered {
    /// For `proxy::filter` alone.
    pub(crate) fn open(self) -> (Terms, Response<RouterBody>) {
        (self.terms, self.response)
    }
}

type RouterClient = Client<Connector, Full<Bytes>>;

/// How Routers are reached, and who the gate is there.
struct Access {
    client: RouterClient,
    tls_files: Option<Secret<Vec<String>>>,
    authorization: Option<HeaderValue>,
    login: Option<OwnLogin>,
}

impl Access {
    fn new(settings: &DruidSettings, connect: Duration) -> Self {
        let connector = connector::new(settings.tls.as_ref(), connect);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        let tls_files = settings.tls.as_ref().map(|tls| tls.files.clone());
        let authorization = account::authorization(&settings.account);
        Self { client, tls_files, authorization, login: OwnLogin::new(&settings.account) }
    }
}

/// The connections to the Routers.
#[derive(Clone)]
pub struct Upstream {
    access: Arc<RwLock<Arc<Access>>>,
    routers: Routers,
    lookups: Arc<LookupTally>,
    connect_timeout: Duration,
    scheme: Scheme,
    response_timeout: Duration,
    idle_timeout: Duration,
}

impl Upstream {
    /// Prepares connections; none is opened yet.
    #[must_use]
    pub fn new(settings: &DruidSettings, limits: &Limits) -> Self {
        let authorities = settings.routers.iter().filter_map(|uri| uri.authority()).cloned();
        Self {
            access: Arc::new(RwLock::new(Arc::new(Access::new(settings, limits.router_connect)))),
            routers: Routers::new(authorities.collect()),
            lookups: Arc::default(),
            connect_timeout: limits.router_connect,
            scheme: if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP },
            response_timeout: limits.router_response,
            idle_timeout: limits.router_idle,
        }
    }

    /// The Routers.
    #[must_use]
    pub fn routers(&self) -> Routers {
        self.routers.clone()
    }

    /// What became of look-ups.
    #[must_use]
    pub fn lookups(&self) -> &LookupTally {
        &self.lookups
    }

    /// From now on the gate has this account, and these certificates. Requests under way end as they began; connections that
    /// wait for another are kept, unless the certificates are others.
    pub fn replace_access(&self, settings: &DruidSettings) {
        let fresh = Access::new(settings, self.connect_timeout);
        let mut access = self.access.write().unwrap_or_else(PoisonError::into_inner);
        let client = if access.tls_files == fresh.tls_files { access.client.clone() } else { fresh.client };
        *access = Arc::new(Access { client, ..fresh });
    }

    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One that no test asks anything.
    #[cfg(test)]
    pub(crate) fn for_tests(limits: &Limits) -> Self {
        let settings = DruidSettings {
            routers: vec![Uri::from_static("http://127.0.0.1:8888")],
            account: crate::config::Account::Bearer { token: crate::config::Secret::new("token".to_owned()) },
            tls: None,
        };
        Self::new(&settings, limits)
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
        let filtered = matches!(inspected.answer, Answer::List(_) | Answer::Avatica);
        let mut headers = headers::to_druid(carried, filtered);
        headers.insert(HeaderName::from_static("x-druid-author"), headers::author(caller));
        // Without a type Druid takes no POST where it takes JSON, even if nothing comes.
        if inspected.body.is_some() || row.method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut body = inspected.body;
        if let Some((request, id)) = inspected.avatica {
            // The Router writes the body anew and passes the length on that came with the old one.
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            body = Some(Bytes::from(request.render(id.as_str(), self.access().login.as_ref().map(OwnLogin::expose))));
        }
        let response = self.send(&row.method, &inspected.target, headers, body).await?;
        let response = check(row, response)?;
        let Inspected { answer, query, own, facts, .. } = inspected;
        Ok(Unfiltered { response, terms: Terms { answer, id: facts.id, grants, query, own } })
    }

    /// Sends by the first Router that takes it. Another one is tried only where nothing was sent, or where the request is
    /// safe (RFC 9110, section 9.2.1).
    async fn send(
        &self,
        method: &Method,
        target: &str,
        mut headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<RouterBody>, UpstreamFault> {
        headers.extend(self.access().authorization.clone().map(|value| (AUTHORIZATION, value)));
        let mut routers = self.routers.in_order().into_iter();
        while let Some(router) = routers.next() {
            // For the last one to try nothing need be kept.
            let headers = if routers.len() == 0 { std::mem::take(&mut headers) } else { headers.clone() };
            match self.send_to(&router, method, target, headers, body.clone()).await {
                Ok(response) => return Ok(response),
                Err(Unsent::Nothing) => {}
                Err(Unsent::Perhaps) if method.is_safe() => {}
                Err(Unsent::Perhaps) => return Err(UpstreamFault::Unreachable),
                // Another Router would only be waited for as long again.
                Err(Unsent::Slow) => return Err(UpstreamFault::Slow),
            }
        }
        Err(UpstreamFault::Unreachable)
    }

    async fn send_to(
        &self,
        router: &Arc<Router>,
        method: &Method,
        target: &str,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response<RouterBody>, Unsent> {
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(router.authority.clone()).path_and_query(target);
        let mut request = Request::new(Full::new(body.unwrap_or_default()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.build().map_err(|_| Unsent::Nothing)?;
        *request.headers_mut() = headers;
        let on_its_way = router.enter();
        match tokio::time::timeout(self.response_timeout, self.access().client.request(request)).await {
            Ok(Ok(response)) => {
                router.count(Sent::Answered);
                Ok(response.map(|body| RouterBody::new(body, self.idle_timeout, on_its_way)))
            }
            Ok(Err(error)) => {
                tracing::warn!(router = router.authority.as_str(), error.kind = %error, "a Router did not answer");
                router.is(false);
                router.count(Sent::Unreachable);
                let nothing_sent = error.is_connect();
                Err(if nothing_sent { Unsent::Nothing } else { Unsent::Perhaps })
            }
            Err(_) => {
                router.count(Sent::Slow);
                Err(Unsent::Slow)
            }
        }
    }
}

/// Why a Router gave no answer, and whether it may have got the request.
enum Unsent {
    /// It got nothing.
    Nothing,
    /// It may have got the request.
    Perhaps,
    /// It got the request, and did not answer in time.
    Slow,
}

/// Answers that are about the gate, not about the caller's request, are never passed on.
fn check(row: &Row, response: Response<RouterBody>) -> Result<Response<RouterBody>, UpstreamFault> {
    match response.status() {
        StatusCode::UNAUTHORIZED => {
            tracing::error!(row = row.name, "Druid refused the gate's own account; check the account in [druid]");
            Err(UpstreamFault::OwnAccountRefused)
        }
        StatusCode::TEMPORARY_REDIRECT => Err(UpstreamFault::NoLeader),
        // RFC 9110, section 15.2.2: the gate sends no `Upgrade`.
        status if status.is_informational() => Err(UpstreamFault::Upgrade),
        StatusCode::NOT_MODIFIED => Ok(response),
        status if status.is_redirection() && row.answer != Answer::ConsoleRoot => Err(UpstreamFault::Redirect),
        _ => Ok(response),
    }
}
