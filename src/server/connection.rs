//! One connection: its handshake, its protocol, its limits.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::CONNECTION;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::linger::Linger;
use super::observed::Observed;
use super::phase::Watch;
use super::progress::Exchanges;
use super::stall::Stall;
use super::streams::Streams;
use super::{caught, tls};
use crate::config::Limits;
use crate::proxy::Gate;
use crate::telemetry::AuditLog;

/// On HTTP/2 the other end must answer a ping within this time, asked as often.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long an idle connection has to say goodbye.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
pub struct Context {
    /// Where requests go.
    pub gate: Arc<Gate>,
    /// How TLS is begun, if it is.
    pub tls: Option<TlsAcceptor>,
    /// What is bounded.
    pub limits: Limits,
    /// Where a connection is recorded that ends before there is a request.
    pub audit: AuditLog,
}

/// Serves one connection to its end, or to the end of what it has under way once the server stops.
pub async fn serve(stream: TcpStream, peer: SocketAddr, context: &Context, phase: Watch) {
    let _ = stream.set_nodelay(true);
    let stream = Linger::new(Stall::new(stream, context.limits.idle));
    let Some(acceptor) = &context.tls else { return http1(stream, peer, context, phase).await };
    match tokio::time::timeout(context.limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN_H2) => {
            http2(stream, peer, context, phase).await;
        }
        Ok(Ok(stream)) => http1(stream, peer, context, phase).await,
        Ok(Err(error)) => {
            tracing::info!(%peer, %error, "TLS handshake failed");
            context.audit.connection(peer, "tls_failed");
        }
        Err(_) => context.audit.connection(peer, "tls_slow"),
    }
}

async fn http1(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    context: &Context,
    phase: Watch,
) {
    let (gate, exchanges) = (Arc::clone(&context.gate), Exchanges::default());
    let (watching, ending) = (exchanges.clone(), phase.clone());
    let service = service_fn(move |request| {
        let (gate, exchange, ending) = (Arc::clone(&gate), watching.begin(), ending.clone());
        async move {
            let mut response = caught::serve(&gate, request, peer).await;
            if ending.is_ending() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| exchange.answered(body)))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(context.limits.head)
        .max_buf_size(context.limits.head_bytes)
        .max_headers(context.limits.head_fields)
        .serve_connection(TokioIo::new(Observed::new(stream, exchanges.look())), service);
    let mut connection = pin!(connection);
    // hyper's own timer ends an idle connection.
    let ended = until(connection.as_mut(), phase.stopping(), std::future::pending(), |it| it.graceful_shutdown()).await;
    let Err(error) = ended else { return };
    if is_stall(&error) {
        exchanges.give_up();
    }
    record_end(reason_of_http1(&error, &exchanges), Some(error), peer, context);
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    context: &Context,
    phase: Watch,
) {
    let (gate, exchanges) = (Arc::clone(&context.gate), Exchanges::default());
    let watching = exchanges.clone();
    let service = service_fn(move |request| {
        let (gate, exchange) = (Arc::clone(&gate), watching.begin());
        async move {
            let response = caught::serve(&gate, request, peer).await;
            Ok::<_, Infallible>(response.map(|body| exchange.answered(body)))
        }
    });
    let (limits, streams) = (&context.limits, Streams::default());
    let stream = Observed::new(stream, streams.look(limits.resets_per_second));
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(limits.streams).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.pending_resets)
        .max_local_error_reset_streams(limits.pending_resets)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .serve_connection(TokioIo::new(stream), service);
    let idle = idle(&exchanges, limits.idle);
    let ending = phase.draining(|| exchanges.begun() > 0);
    let mut connection = pin!(connection);
    let serving = until(connection.as_mut(), ending, idle, |it| it.graceful_shutdown());
    tokio::select! {
        ended = serving => {
            let reason = reason_of_http2(&ended, &exchanges, &streams);
            record_end(reason, ended.err(), peer, context);
        }
        () = stuck(&exchanges, limits.idle) => exchanges.give_up(),
    }
}

/// Runs a connection; asks it once to end, when `ending` is ready or when it has been idle.
async fn until<T, C: Future<Output = hyper::Result<T>>>(
    mut connection: Pin<&mut C>,
    ending: impl Future<Output = ()>,
    idle: impl Future<Output = ()>,
    end: impl FnOnce(Pin<&mut C>),
) -> hyper::Result<Option<T>> {
    let idle = tokio::select! {
        ended = connection.as_mut() => return ended.map(Some),
        () = ending => false,
        () = idle => true,
    };
    end(connection.as_mut());
    if idle {
        // Nothing is under way: the other end need not agree.
        return tokio::time::timeout(GOODBYE_TIMEOUT, connection).await.map_or(Ok(None), |ended| ended.map(Some));
    }
    connection.await.map(Some)
}

/// Ready when nothing was under way at two looks, so long apart.
async fn idle(exchanges: &Exchanges, patience: Duration) {
    let mut before = usize::MAX;
    loop {
        let now = exchanges.count();
        if now == 0 && before == 0 {
            return;
        }
        before = now;
        tokio::time::sleep(patience / 2).await;
    }
}

/// Ready when a client has left an answer waiting for too long.
async fn stuck(exchanges: &Exchanges, patience: Duration) {
    while !exchanges.any_stuck(patience) {
        tokio::time::sleep(patience / 2).await;
    }
}

/// What ended before there was a request has no record of its own but this.
fn record_end(reason: Option<&'static str>, error: Option<hyper::Error>, peer: SocketAddr, context: &Context) {
    let Some(reason) = reason else { return };
    if let Some(error) = error {
        tracing::info!(%peer, %error, reason, "a connection ended early");
    }
    context.audit.connection(peer, reason);
}

/// Nothing, where a request's own record tells it: its body broke off, or its answer, or nobody took it; or where it is no
/// fault to end, as after a while without a request.
fn reason_of_http1(error: &hyper::Error, exchanges: &Exchanges) -> Option<&'static str> {
    let is_first = exchanges.begun() == 0;
    if error.is_user() || exchanges.count() > 0 {
        None
    } else if error.is_parse_too_large() {
        Some("head_too_large")
    } else if error.is_parse() {
        Some("malformed_head")
    } else if error.is_timeout() {
        (is_first || exchanges.head_begun()).then_some("head_slow")
    } else if error.is_incomplete_message() || exchanges.head_begun() {
        Some("cut_off")
    } else {
        is_first.then_some("broken")
    }
}

/// The h2 crate ends a connection by itself, with a GOAWAY, for frames that break its rules and for floods of them; and it
/// resets streams by itself, which end here together. Streams that became requests have records of their own.
fn reason_of_http2(
    ended: &hyper::Result<Option<()>>,
    exchanges: &Exchanges,
    streams: &Streams,
) -> Option<&'static str> {
    let refused = || (streams.opened() > exchanges.begun()).then_some("streams_refused");
    let nothing_asked = || (exchanges.begun() == 0).then_some("no_request");
    let error = match ended {
        Ok(_) => return refused().or_else(nothing_asked),
        Err(error) => error,
    };
    if streams.flooded() {
        return Some("too_many_resets");
    }
    if error.is_timeout() {
        return Some("ping_unanswered");
    }
    match error.source().and_then(|cause| cause.downcast_ref::<h2::Error>()) {
        Some(cause) if cause.is_remote() => Some("ended_by_client"),
        Some(cause) if cause.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) => Some("flood"),
        Some(_) => Some("malformed_frames"),
        None => refused().or_else(nothing_asked),
    }
}

/// Whether it is the end that [`Stall`] makes.
fn is_stall(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut)
}
