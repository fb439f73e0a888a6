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
    or_500(gate.serve(request, peer), peer).await
}

async fn or_500(serving: impl Future<Output = Response<GateBody>>, peer: SocketAddr) -> Response<GateBody> {
    let mut serving = pin!(serving);
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

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_that_tells_nothing_of_it() {
        let panics = async { resume_unwind(Box::new("canary-token".to_owned())) };
        let response = or_500(panics, "127.0.0.1:1".parse().expect("an address")).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let body = response.into_body().collect().await.map_err(|_| "broken").expect("whole").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("error") && !text.contains("canary"), "{text}");
    }
}
