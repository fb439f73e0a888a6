//! The admin listener: health, readiness, metrics. Plain HTTP/1.1 for probes and scrapers on the same machine or network.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::readiness::Readiness;
use super::{ACCEPT_PAUSE, ServerFault};
use crate::telemetry::{MEDIA_TYPE, Metrics};
use crate::upstream::Upstream;

/// Connections at a time: a few probes and scrapers.
const MAX_CONNECTIONS: usize = 32;

/// A connection lasts so long at most: it is asked something, answered, and asked perhaps again.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The wait for a head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of a head: probes send a line or two. hyper takes no smaller bound.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// What it tells of.
pub struct Admin {
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
        let response = admin.answer(request.method(), request.uri().path(), request.uri().query());
        async move { Ok::<_, Infallible>(response) }
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
    fn answer(&self, method: &Method, path: &str, query: Option<&str>) -> Response<Full<Bytes>> {
        let is_known = matches!(path, "/healthz" | "/readyz" | "/metrics");
        if is_known && method != Method::GET && method != Method::HEAD {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD only\n".to_owned());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => self.ready(query == Some("verbose")),
            "/metrics" => {
                let (keys, stuck) = (self.readiness.keys(SystemTime::now()), self.readiness.stuck_readings());
                let mut response = text(StatusCode::OK, self.metrics.render(&self.upstream, keys, stuck));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
                response
            }
            _ => text(StatusCode::NOT_FOUND, "/healthz, /readyz, /readyz?verbose or /metrics\n".to_owned()),
        }
    }

    fn ready(&self, verbose: bool) -> Response<Full<Bytes>> {
        let (ready, checks) = self.readiness.report(SystemTime::now());
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let word = if ready { "ready\n" } else { "not ready\n" };
        text(status, if verbose { checks + word } else { word.to_owned() })
    }
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
