//! The edge at which a panic ends: one request is answered 500, and the rest goes on.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::proxy::{Gate, GateBody};

/// Serves a request; a panic on the way becomes a 500.
pub async fn serve(gate: &Gate, request: Request<Incoming>, peer: SocketAddr) -> Response<GateBody> {
    let mut serving = pin!(gate.serve(request, peer));
    std::future::poll_fn(move |cx| {
        // What a panic leaves half done belongs to this one request: its record is written as it is dropped, and the
        // locks that requests share are taken again with `into_inner`.
        match std::panic::catch_unwind(AssertUnwindSafe(|| serving.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_) => {
                tracing::error!(%peer, "a request ended in a panic");
                Poll::Ready(Gate::panicked())
            }
        }
    })
    .await
}
