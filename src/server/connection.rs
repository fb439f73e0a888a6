//! One connection: its handshake, its protocol, its limits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::activity::{Activity, SentBody};
use super::{caught, tls};
use crate::proxy::{Gate, MAX_HEADER_BYTES};

/// Connections at a time: some 100 KB each when busy.
pub const MAX_CONNECTIONS: usize = 8192;

/// A TLS handshake takes two round trips.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The wait for a request's whole head, on HTTP/1.1 also for its first byte on a connection kept open.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection without a request under way is ended after this time: longer than [`HEADER_TIMEOUT`], which says more in
/// the log. An HTTP/2 client may answer pings for ever, and any client may leave its answers unread; neither needs
/// credentials.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(40);

/// A connection that was told to end has this time for what it has yet to say.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// Headers of a request.
pub const MAX_HEADERS: usize = 100;

/// Streams at a time on one HTTP/2 connection (RFC 9113 recommends no less than 100).
const MAX_STREAMS: u32 = 100;

/// Streams that a client may reset before they were served (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// On HTTP/2 the other end must answer a ping within this time, asked as often.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Serves one connection to its end; `told` says when the server ends.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    gate: Arc<Gate>,
    told: watch::Receiver<()>,
) {
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else { return http1(stream, peer, gate, told).await };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN_H2) => {
            http2(stream, peer, gate, told).await;
        }
        Ok(Ok(stream)) => http1(stream, peer, gate, told).await,
        Ok(Err(error)) => tracing::info!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::info!(%peer, "TLS handshake took too long"),
    }
}

async fn http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    gate: Arc<Gate>,
    told: watch::Receiver<()>,
) {
    let activity = Activity::new();
    let service = service_fn(|request| answer(&gate, request, peer, &activity));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    drive(connection, peer, &activity, told).await;
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    gate: Arc<Gate>,
    told: watch::Receiver<()>,
) {
    let activity = Activity::new();
    let served = activity.clone();
    let service = service_fn(move |request| {
        let (gate, served) = (Arc::clone(&gate), served.clone());
        async move { answer(&gate, request, peer, &served).await }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .serve_connection(TokioIo::new(stream), service);
    drive(connection, peer, &activity, told).await;
}

async fn answer(
    gate: &Gate,
    request: Request<Incoming>,
    peer: SocketAddr,
    activity: &Activity,
) -> Result<Response<SentBody>, Infallible> {
    let running = activity.begin();
    Ok(running.until_sent(caught::serve(gate, request, peer).await))
}

/// Runs the connection until it ends, is idle for too long, or the server ends and with it what runs here.
async fn drive<C: GracefulConnection<Error = hyper::Error>>(
    connection: C,
    peer: SocketAddr,
    activity: &Activity,
    mut told: watch::Receiver<()>,
) {
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = told.changed() => {
            connection.as_mut().graceful_shutdown();
            Some(connection.as_mut().await)
        }
        () = activity.idle_for(IDLE_TIMEOUT) => {
            connection.as_mut().graceful_shutdown();
            // A request may have come at this very moment: it is served.
            let closed = async {
                tokio::time::sleep(CLOSING_TIME).await;
                activity.idle_for(CLOSING_TIME).await;
            };
            tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = closed => None,
            }
        }
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::info!(%peer, %error, "a connection ended early"),
        None => tracing::info!(%peer, "an idle connection was cut off"),
    }
}
