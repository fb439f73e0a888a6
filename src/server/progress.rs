//! What is under way on a connection, and whether its client takes what it asked for: on HTTP/2 one stream may be shut
//! while the connection is alive.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::proxy::GateBody;

/// Since when a piece of an answer waits to be taken; nothing while Druid is waited for.
type Since = Mutex<Option<Instant>>;

/// The requests and answers of one connection.
#[derive(Clone, Default)]
pub struct Exchanges(Arc<Shared>);

#[derive(Default)]
struct Shared {
    begun: AtomicU64,
    under_way: Mutex<Vec<Weak<Since>>>,
    /// On HTTP/1.1: something has come since the last request ended.
    head_begun: AtomicBool,
    given_up: AtomicBool,
}

/// A request under way.
pub struct Exchange {
    shared: Arc<Shared>,
    since: Arc<Since>,
}

/// An answer whose pieces are watched.
pub struct Watched {
    inner: GateBody,
    exchange: Exchange,
}

impl Exchange {
    /// Watches its answer until that has ended.
    pub fn answered(self, inner: GateBody) -> Watched {
        Watched { inner, exchange: self }
    }
}

impl Exchanges {
    /// A request begins.
    pub fn begin(&self) -> Exchange {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.head_begun.store(false, Ordering::Relaxed);
        let since = Arc::<Since>::default();
        let mut under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|answer| answer.strong_count() > 0);
        under_way.push(Arc::downgrade(&since));
        Exchange { shared: Arc::clone(&self.0), since }
    }

    /// How many there have been.
    pub fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.iter().filter(|answer| answer.strong_count() > 0).count()
    }

    /// Notes each piece of what comes.
    pub fn look(&self) -> impl FnMut(&[u8]) -> io::Result<()> + Send + Unpin + use<> {
        let shared = Arc::clone(&self.0);
        move |_| {
            shared.head_begun.store(true, Ordering::Relaxed);
            Ok(())
        }
    }

    /// Whether a part of a head has come: a connection on HTTP/1.1 that waits for the rest is slow, else it is idle.
    pub fn head_begun(&self) -> bool {
        self.0.head_begun.load(Ordering::Relaxed)
    }

    /// Nothing is sent any more: answers under way are recorded as ones that the client did not take.
    pub fn give_up(&self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether a piece of any has waited for so long.
    pub fn any_stuck(&self, patience: Duration) -> bool {
        let under_way = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.iter().filter_map(Weak::upgrade).any(|since| {
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
        *self.exchange.since.lock().unwrap_or_else(PoisonError::into_inner) = waits.then(Instant::now);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.shared.head_begun.store(false, Ordering::Relaxed);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.exchange.shared.given_up.load(Ordering::Relaxed) {
            self.inner.not_taken();
        }
    }
}
