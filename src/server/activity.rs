//! Whether a connection serves a request, and since when it does not.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::proxy::GateBody;

/// Bodies up to this size do not keep a connection busy while the client does not take them: refusals and the gate's own
/// answers are smaller, so that without credentials nobody keeps one.
const SMALL_BODY: u64 = 64 * 1024;

/// What one connection does.
#[derive(Clone)]
pub struct Activity(Arc<Mutex<State>>);

struct State {
    running: usize,
    since: Instant,
}

/// One request under way, until it is dropped.
pub struct Running(Activity);

impl Activity {
    /// Of a connection that begins.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { running: 0, since: Instant::now() })))
    }

    /// A request begins.
    pub fn begin(&self) -> Running {
        self.change(|running| running + 1);
        Running(self.clone())
    }

    /// Waits until no request has been under way for `limit`.
    pub async fn idle_for(&self, limit: Duration) {
        loop {
            let (running, since) = {
                let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                (state.running, state.since)
            };
            let left = limit.saturating_sub(since.elapsed());
            if running == 0 && left.is_zero() {
                return;
            }
            tokio::time::sleep(if running == 0 { left } else { limit }).await;
        }
    }

    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = change(state.running);
        state.since = Instant::now();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.change(|running| running.saturating_sub(1));
    }
}

impl Running {
    /// The answer, whose body keeps the request under way until it was sent.
    pub fn until_sent(self, response: Response<GateBody>) -> Response<SentBody> {
        response.map(|inner| {
            let small = inner.size_hint().exact().is_some_and(|bytes| bytes <= SMALL_BODY);
            SentBody { inner, _running: (!small).then_some(self) }
        })
    }
}

/// A body with the request that it answers.
pub struct SentBody {
    inner: GateBody,
    _running: Option<Running>,
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = <GateBody as Body>::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
