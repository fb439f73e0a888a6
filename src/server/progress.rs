//! Whether clients take what they asked for: on HTTP/2 one stream may be shut while the connection is alive.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::proxy::GateBody;

/// Since when a piece of an answer waits to be taken; nothing while Druid is waited for.
type Since = Mutex<Option<Instant>>;

/// The answers under way on one connection.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Vec<Weak<Since>>>>);

/// An answer whose pieces are watched.
pub struct Watched {
    inner: GateBody,
    since: Arc<Since>,
}

impl Answers {
    /// Watches an answer until it has ended.
    pub fn watch(&self, inner: GateBody) -> Watched {
        let since = Arc::<Since>::default();
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|answer| answer.strong_count() > 0);
        answers.push(Arc::downgrade(&since));
        Watched { inner, since }
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|answer| answer.strong_count() > 0).count()
    }

    /// Whether a piece of any has waited for so long.
    pub fn any_stuck(&self, patience: Duration) -> bool {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().filter_map(Weak::upgrade).any(|since| {
            let since = since.lock().unwrap_or_else(PoisonError::into_inner);
            since.is_some_and(|since| since.elapsed() >= patience)
        })
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = <GateBody as Body>::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        // The next piece is asked for when this one has been taken.
        let waits = matches!(frame, Poll::Ready(Some(Ok(_))));
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = waits.then(Instant::now);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
