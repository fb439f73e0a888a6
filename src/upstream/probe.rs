//! One look at each Router, for `check --online`: is it there, is it well, does Druid take the gate's own account?
//!
//! Each step is made by hand, so that what fails can be told from what it fails at.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::account;
use crate::config::{DruidSettings, Limits, RouterTls};
use crate::json::{self, Json};

/// For both answers of one Router: a busy one takes a second or two.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of `/status`, which lists the modules that are loaded: some 20 KB.
const MAX_STATUS_BODY: usize = 1024 * 1024;

/// What one Router said.
#[derive(Debug)]
pub struct Probed {
    /// Its address as the configuration has it.
    pub router: Uri,
    /// The version of Druid, or why the gate could not serve by this Router.
    pub version: Result<String, ProbeFault>,
}

/// Why the gate could not serve by a Router, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFault {
    /// The name is unknown, or nobody listens.
    #[error("cannot be reached: {0}; is it up, and is this its host and port?")]
    Unreachable(io::Error),
    /// Past the time for connecting, or for answering.
    #[error("no answer in time; does a firewall stand between?")]
    Slow,
    /// A certificate that is not trusted, among others.
    #[error(
        "no TLS connection: {0}; see `ca_file`, whether its certificate is for this host, and whether TLS is spoken there"
    )]
    Tls(io::Error),
    /// A connection that was closed, or another protocol.
    #[error(
        "does not answer in HTTP: {0}; is this the Router's port, is it http or https, and does it ask for a \
         `client_certificate`?"
    )]
    NotHttp(String),
    /// Not 200 on `/status/health`.
    #[error("answers /status/health with {0}; is it a Router, and well?")]
    Unhealthy(StatusCode),
    /// 401 for the gate's own account.
    #[error("Druid does not know the gate's own account (401); see the account in [druid], and whether Druid has it")]
    AccountRefused,
    /// 403 for the gate's own account.
    #[error("Druid knows the gate's own account, and does not let it READ STATE (403); grant it what callers may do")]
    AccountDenied,
    /// Anything else on `/status`.
    #[error("answers /status with {0}; is it a Router of Druid?")]
    NoStatus(StatusCode),
    /// `/status` without a version.
    #[error("answers /status with something else than Druid's status; is it a Router of Druid?")]
    Unreadable,
}

/// Asks each Router for its health, without credentials, and for its status with the gate's own account.
pub async fn probe(settings: &DruidSettings, limits: &Limits) -> Vec<Probed> {
    let mut probed = Vec::new();
    for router in &settings.routers {
        let version = timeout(limits.router_connect + PROBE_TIMEOUT, ask(router, settings, limits)).await;
        probed.push(Probed { router: router.clone(), version: version.unwrap_or(Err(ProbeFault::Slow)) });
    }
    probed
}

async fn ask(router: &Uri, settings: &DruidSettings, limits: &Limits) -> Result<String, ProbeFault> {
    let host = router.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = router.port_u16().unwrap_or(if settings.tls.is_some() { 443 } else { 80 });
    let connecting = timeout(limits.router_connect, TcpStream::connect((host, port)));
    let tcp = connecting.await.map_err(|_| ProbeFault::Slow)?.map_err(ProbeFault::Unreachable)?;
    let authorization = account::authorization(&settings.account);
    match &settings.tls {
        None => talk(tcp, router, authorization).await,
        Some(tls) => talk(encrypted(tcp, host, tls).await?, router, authorization).await,
    }
}

async fn encrypted(
    tcp: TcpStream,
    host: &str,
    tls: &RouterTls,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, ProbeFault> {
    let odd_host = |error| ProbeFault::Tls(io::Error::new(io::ErrorKind::InvalidInput, error));
    let name = ServerName::try_from(host.to_owned()).map_err(odd_host)?;
    TlsConnector::from(Arc::new(tls.client.clone())).connect(name, tcp).await.map_err(ProbeFault::Tls)
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: &Uri,
    authorization: Option<HeaderValue>,
) -> Result<String, ProbeFault> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(not_http)?;
    // Ends with this function, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    match get(&mut sender, router, "/status/health", None).await? {
        (StatusCode::OK, _) => {}
        (status, _) => return Err(ProbeFault::Unhealthy(status)),
    }
    match get(&mut sender, router, "/status", authorization).await? {
        (StatusCode::OK, body) => version(&body).ok_or(ProbeFault::Unreadable),
        (StatusCode::UNAUTHORIZED, _) => Err(ProbeFault::AccountRefused),
        (StatusCode::FORBIDDEN, _) => Err(ProbeFault::AccountDenied),
        (status, _) => Err(ProbeFault::NoStatus(status)),
    }
}

/// By its innermost cause, which alone says what was wrong.
fn not_http(error: hyper::Error) -> ProbeFault {
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ProbeFault::NotHttp(cause.to_string())
}

async fn get(
    sender: &mut SendRequest<Empty<Bytes>>,
    router: &Uri,
    target: &'static str,
    authorization: Option<HeaderValue>,
) -> Result<(StatusCode, Bytes), ProbeFault> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from_static(target);
    let headers = request.headers_mut();
    let authority = router.authority().map_or("", |authority| authority.as_str());
    headers.insert(HOST, HeaderValue::try_from(authority).unwrap_or(HeaderValue::from_static("")));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
    sender.ready().await.map_err(not_http)?;
    let (head, body) = sender.send_request(request).await.map_err(not_http)?.into_parts();
    let body = Limited::new(body, MAX_STATUS_BODY).collect().await.map_err(|_| ProbeFault::Unreadable)?;
    Ok((head.status, body.to_bytes()))
}

/// Druid: `StatusResource.Status`.
fn version(body: &[u8]) -> Option<String> {
    let status = json::parse_answer(body).ok()?;
    let version = status.get("version").and_then(Json::as_str)?;
    // It is printed on a terminal.
    let is_plain = version.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && version.len() <= 64).then(|| version.to_owned())
}
