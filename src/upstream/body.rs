//! The body of Druid's answer: its data without trailers, broken where Druid breaks off or falls silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::routers::OnItsWay;

/// Why an answer broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The connection to the Router ended within it.
    #[error("Druid's answer was cut off")]
    CutOff(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("Druid sent nothing for too long")]
    Silent,
}

/// The body of an answer that a Router is sending.
pub struct RouterBody {
    inner: Incoming,
    idle: Duration,
    /// Set while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    _on_its_way: OnItsWay,
}

impl RouterBody {
    /// `idle` is how long nothing may come.
    pub fn new(inner: Incoming, idle: Duration, on_its_way: OnItsWay) -> Self {
        Self { inner, idle, silence: None, _on_its_way: on_its_way }
    }
}

impl Body for RouterBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.silence = None;
                    // Trailers are about the connection to the Router; none of Druid's means anything to clients.
                    if frame.is_data() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    let idle = self.idle;
                    return match self.silence.get_or_insert_with(|| Box::pin(sleep(idle))).as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(Some(Err(Broken::Silent))),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
