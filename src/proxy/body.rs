//! Bodies: the caller's, read within bounds; the answer's, carrying the audit record until it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use super::Rejection;
use crate::druid::media_type::{self, SqlForm};
use crate::telemetry::Record;

/// Bytes of a SQL request: room for a statement of [`crate::sql`]'s greatest length with its JSON escapes.
pub const MAX_SQL_BODY: usize = 4 * 1024 * 1024;

/// The wait for the whole of a SQL request's body.
pub const SQL_BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a body may fail with: it is then broken to the client, never silently ended.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Reads the body of a SQL request.
///
/// # Errors
/// [`Rejection`] for its media type, its encoding, its size or its slowness.
pub async fn read_sql(head: &Parts, body: Incoming) -> Result<(SqlForm, Bytes), Rejection> {
    let form = media_type::sql_form(head.headers.get_all(CONTENT_TYPE).iter().map(http::HeaderValue::as_bytes))?;
    if head.headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Rejection::EncodedBody);
    }
    // A length that is told is enough to refuse: nothing of the body need come.
    if body.size_hint().lower() > MAX_SQL_BODY as u64 {
        return Err(Rejection::BodyTooLarge);
    }
    let limited = Limited::new(body, MAX_SQL_BODY).collect();
    match tokio::time::timeout(SQL_BODY_TIMEOUT, limited).await {
        Ok(Ok(whole)) => Ok((form, whole.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejection::BodyTooLarge),
        Ok(Err(_)) => Err(Rejection::BodyBroken),
        Err(_) => Err(Rejection::BodySlow),
    }
}

/// The body of an answer.
pub struct GateBody {
    inner: UnsyncBoxBody<Bytes, BodyError>,
    record: Option<Record>,
}

impl GateBody {
    /// A body that is whole already.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::streamed(Full::new(bytes.into()).map_err(|never| match never {}))
    }

    /// A body that is still coming.
    pub fn streamed(body: impl Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self { inner: body.boxed_unsync(), record: None }
    }

    /// The same, with the record that is written when it ends or is dropped.
    #[must_use]
    pub fn recorded(self, mut record: Record) -> Self {
        if self.inner.is_end_stream() {
            record.complete();
        }
        Self { record: Some(record), ..self }
    }
}

impl Body for GateBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let ended = self.inner.is_end_stream();
        if let Some(record) = &mut self.record {
            match &frame {
                Some(Ok(frame)) => {
                    record.sent(frame.data_ref().map_or(0, Bytes::len));
                    // The server does not ask again for a body that says that it has ended.
                    if ended {
                        record.complete();
                    }
                }
                Some(Err(_)) => record.broken(),
                None => record.complete(),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
