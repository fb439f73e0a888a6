//! The admin listener: health, readiness, metrics, and what would become of a request. Plain HTTP/1.1 for probes, scrapers
//! and operators on the same machine or network.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::readiness::Readiness;
use super::{ACCEPT_PAUSE, ServerFault};
use crate::json::Json;
use crate::proxy::{Gate, Question};
use crate::telemetry::{MEDIA_TYPE, Metrics};
use crate::upstream::Upstream;

/// Where one asks what would become of a request.
const EXPLAIN_PATH: &str = "/gate/explain";

/// Connections at a time: a few probes and scrapers.
const MAX_CONNECTIONS: usize = 32;

/// A connection lasts so long at most: it is asked something, answered, and asked perhaps again.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The wait for a head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a head: probes send a line or two. hyper takes no smaller bound.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// Bytes of a question: a statement that somebody wonders about, in JSON.
const MAX_QUESTION_BYTES: usize = 1024 * 1024;

/// What it tells of.
pub struct Admin {
    /// For `/gate/explain`.
    pub gate: Arc<Gate>,
    /// For `/readyz`.
    pub readiness: Arc<Readiness>,
    /// For `/metrics`.
    pub metrics: Metrics,
    /// What it counts for itself.
    pub upstream: Upstream,
}

/// A listener that is bound and not yet served.
pub struct AdminServer(TcpListener);

impl AdminServer {
    /// Binds the address.
    ///
    /// # Errors
    /// [`ServerFault::BindAdmin`].
    pub async fn bind(address: SocketAddr) -> Result<Self, ServerFault> {
        let bound = TcpListener::bind(address).await;
        bound.map(Self).map_err(|error| ServerFault::BindAdmin(address, error))
    }

    /// Serves until it is dropped.
    pub async fn run(self, admin: Admin) {
        let (admin, places) = (Arc::new(admin), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let admin = Arc::clone(&admin);
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection(stream, admin)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the admin listener could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, admin: Arc<Admin>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.answer(request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the admin listener ended early");
    }
}

impl Admin {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let is_explain = request.uri().path() == EXPLAIN_PATH;
        let allowed = if is_explain { "POST" } else { "GET, HEAD" };
        let is_known = is_explain || matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics");
        if is_known && !allowed.split(", ").any(|method| method == request.method().as_str()) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("{allowed} only\n"));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return response;
        }
        match request.uri().path() {
            EXPLAIN_PATH => self.explain(request).await,
            "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => self.ready(request.uri().query() == Some("verbose")),
            "/metrics" => {
                let (keys, stuck) = (self.readiness.keys(SystemTime::now()), self.readiness.stuck_readings());
                let metrics = self.metrics.render(&self.upstream, keys, stuck);
                typed(text(StatusCode::OK, metrics), MEDIA_TYPE)
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "/healthz, /readyz, /readyz?verbose, /metrics or /gate/explain\n".to_owned(),
            ),
        }
    }

    /// Browsers send `Origin` with every POST: no page, whatever name brought it here, has them ask in its place.
    async fn explain(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.headers().contains_key(ORIGIN) {
            return odd(StatusCode::FORBIDDEN, "this is asked by programs, not by a page in a browser");
        }
        let media_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if media_type != Some(b"application/json") {
            return odd(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
        }
        let Ok(body) = Limited::new(request.into_body(), MAX_QUESTION_BYTES).collect().await else {
            let message = format!("a question has at most {MAX_QUESTION_BYTES} bytes, and comes whole");
            return odd(StatusCode::PAYLOAD_TOO_LARGE, &message);
        };
        let question = match Question::from_json(&body.to_bytes()) {
            Ok(question) => question,
            Err(fault) => return odd(StatusCode::BAD_REQUEST, &fault.to_string()),
        };
        match self.gate.explain(&question).await {
            Ok(explanation) => json(StatusCode::OK, &explanation.json(SystemTime::now())),
            Err(fault) => odd(StatusCode::BAD_REQUEST, &fault.to_string()),
        }
    }

    fn ready(&self, verbose: bool) -> Response<Full<Bytes>> {
        let (ready, checks) = self.readiness.report(SystemTime::now());
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ready\n" } else { "not ready\n" };
        text(status, if verbose { checks + word } else { word.to_owned() })
    }
}

fn odd(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    json(status, &Json::object([("error", Json::string(message))]))
}

fn json(status: StatusCode, body: &Json) -> Response<Full<Bytes>> {
    typed(text(status, body.render() + "\n"), "application/json")
}

fn typed(mut response: Response<Full<Bytes>>, media_type: &'static str) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
