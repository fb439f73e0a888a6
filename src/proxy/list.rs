//! A list, filtered while it streams. Druid: `AuthorizationUtils.filterAuthorizedResources`.
//!
//! The list is a JSON array of objects or of names, or an object of objects or arrays. Each item, or member, is read whole
//! and then kept, changed or dropped, and the order stays. What is not such a list breaks the answer: nothing unfiltered
//! follows.

mod filter;
mod items;

pub use filter::ListFilter;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::body::BodyError;

/// Why a list is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Not one whose items name their datasource.
    #[error("Druid's list is not one that the gate can filter")]
    NotAList,
    /// An item over its bound.
    #[error("an item of Druid's list is longer than {0} bytes; see [limits] list_item_bytes")]
    ItemTooLong(usize),
    /// All of it over its bound.
    #[error("Druid's list is longer than {0} bytes; see [limits] list_bytes")]
    TooLong(usize),
    /// It ended within.
    #[error("Druid's list was cut off")]
    CutOff,
}

/// The body of a filtered list.
pub struct ListBody<B> {
    inner: B,
    filter: ListFilter,
    ended: bool,
}

impl<B> ListBody<B> {
    /// Lets pass of `inner` what `filter` does.
    pub const fn new(inner: B, filter: ListFilter) -> Self {
        Self { inner, filter, ended: false }
    }
}

impl<B> Body for ListBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let passed = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data().map_or_else(|_| Ok(Vec::new()), |data| self.filter.feed(&data)),
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    self.ended = true;
                    self.filter.finish()
                }
            };
            match passed {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                Err(fault) => {
                    self.ended = true;
                    tracing::error!(reason = %fault, "a list was broken off");
                    return Poll::Ready(Some(Err(fault.into())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
