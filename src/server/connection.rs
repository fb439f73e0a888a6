//! One connection: its handshake, its protocol, its limits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{caught, tls};
use crate::proxy::{Gate, MAX_HEADER_BYTES};

/// Connections at a time: some 100 KB each when busy.
pub const MAX_CONNECTIONS: usize = 8192;

/// A TLS handshake takes two round trips.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The wait for a request's whole head, on HTTP/1.1 also for its first byte on a connection kept open.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Headers of a request.
pub const MAX_HEADERS: usize = 100;

/// Streams at a time on one HTTP/2 connection (RFC 9113 recommends no less than 100).
const MAX_STREAMS: u32 = 100;

/// Streams that a client may reset before they were served (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// On HTTP/2 the other end must answer a ping within this time, asked as often.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Serves one connection to its end.
pub async fn serve(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, gate: Arc<Gate>, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else { return http1(stream, peer, gate, watcher).await };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN_H2) => {
            http2(stream, peer, gate, watcher).await;
        }
        Ok(Ok(stream)) => http1(stream, peer, gate, watcher).await,
        Ok(Err(error)) => tracing::info!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::info!(%peer, "TLS handshake took too long"),
    }
}

async fn http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    gate: Arc<Gate>,
    watcher: Watcher,
) {
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(caught::serve(&gate, request, peer).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::info!(%peer, %error, "a connection ended early");
    }
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    gate: Arc<Gate>,
    watcher: Watcher,
) {
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(caught::serve(&gate, request, peer).await) }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::info!(%peer, %error, "a connection ended early");
    }
}
