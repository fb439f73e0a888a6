//! Bodies: the caller's, read within bounds; the answer's, carrying the audit record until it ends.

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use super::Rejection;
use super::in_flight::Places;
use crate::config::Limits;
use crate::druid::media_type::{self, NoForm, SqlForm};
use crate::druid::{self, Row};
use crate::telemetry::Record;

/// What a body may fail with: it is then broken to the client, never silently ended.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes of a refused request's body that are read and thrown away: a server that closes with bytes unread resets the
/// connection, and the client may never see the answer (RFC 9112, section 9.6).
const MAX_DRAINED: usize = 8 * 1024 * 1024;

/// The wait for those bytes.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads and throws away what is left of the body of a request that is answered without it, within bounds. On HTTP/2 a
/// stream ends alone; on HTTP/1.1 what is left stands in the answer's way.
pub async fn drain_rest(head: &Parts, body: &mut Option<Incoming>) {
    if let Some(body) = body.take().filter(|_| head.version < Version::HTTP_2) {
        drain(body).await;
    }
}

async fn drain(mut body: Incoming) {
    let reading = async {
        let mut drained = 0;
        while let Some(Ok(frame)) = body.frame().await {
            drained += frame.data_ref().map_or(0, Bytes::len);
            if drained > MAX_DRAINED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, reading).await;
}

/// Reads a body of this kind that is judged, of at most `limit` bytes and within `wait`, taking it out of its place only to read it.
///
/// # Errors
/// [`Rejection`] for its media type, its encoding, its size or its slowness.
pub async fn read(
    head: &Parts,
    body: &mut Option<Incoming>,
    kind: druid::Body,
    limit: usize,
    wait: Duration,
) -> Result<(SqlForm, Bytes), Rejection> {
    let (form, coding) = (form_of(head, kind)?, content_coding(head)?);
    Ok((form, decoded(coding, read_whole(body, limit, wait).await?, limit)?))
}

/// The same of a body that is there already.
///
/// # Errors
/// [`Rejection`] for its media type, its encoding or its size.
pub fn given(head: &Parts, bytes: &Bytes, kind: druid::Body, limit: usize) -> Result<(SqlForm, Bytes), Rejection> {
    let (form, coding) = (form_of(head, kind)?, content_coding(head)?);
    if bytes.len() > limit {
        return Err(Rejection::BodyTooLarge(limit));
    }
    Ok((form, decoded(coding, bytes.clone(), limit)?))
}

/// The most bytes of the body by which this row judges; nothing for a row that looks at none.
#[must_use]
pub const fn limit_of(row: &Row, limits: &Limits) -> Option<usize> {
    match row.body {
        druid::Body::None => None,
        druid::Body::Sql | druid::Body::Avatica => Some(limits.sql_body_bytes),
        druid::Body::TaskIds => Some(limits.task_ids_body_bytes),
        druid::Body::Json | druid::Body::JsonOfDatasource | druid::Body::Judged => Some(limits.json_body_bytes),
    }
}

fn form_of(head: &Parts, kind: druid::Body) -> Result<SqlForm, NoForm> {
    let types = head.headers.get_all(CONTENT_TYPE).iter().map(http::HeaderValue::as_bytes);
    if kind == druid::Body::Avatica { media_type::avatica_form(types) } else { media_type::sql_form(types) }
}

fn decoded(coding: Coding, bytes: Bytes, limit: usize) -> Result<Bytes, Rejection> {
    match coding {
        Coding::Identity => Ok(bytes),
        Coding::Gzip => inflate(&bytes, limit),
    }
}

/// Reads the body of a form of the gate's own pages.
///
/// # Errors
/// [`Rejection`] for its media type, its encoding, its size or its slowness.
pub async fn read_form(head: &Parts, body: &mut Option<Incoming>, limits: &Limits) -> Result<Bytes, Rejection> {
    if form_of(head, druid::Body::Sql) != Ok(SqlForm::UrlEncoded) || head.headers.contains_key(CONTENT_ENCODING) {
        let message = "this is no form; send application/x-www-form-urlencoded".to_owned();
        return Err(Rejection::BadRequest { code: "not_a_form", message, at: None });
    }
    read_whole(body, limits.form_body_bytes, limits.body).await
}

async fn read_whole(body: &mut Option<Incoming>, limit: usize, wait: Duration) -> Result<Bytes, Rejection> {
    // A length that is told is enough to refuse: nothing of the body need come.
    if body.as_ref().is_some_and(|body| body.size_hint().lower() > limit as u64) {
        return Err(Rejection::BodyTooLarge(limit));
    }
    let Some(body) = body.take() else { return Err(Rejection::BodyBroken) };
    match tokio::time::timeout(wait, Limited::new(body, limit).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejection::BodyTooLarge(limit)),
        Ok(Err(_)) => Err(Rejection::BodyBroken),
        Err(_) => Err(Rejection::BodySlow),
    }
}

/// How a body is encoded on its way.
enum Coding {
    Identity,
    Gzip,
}

/// Druid inflates `gzip` alone (Jetty's `GzipHandler`), and so does the gate.
fn content_coding(head: &Parts) -> Result<Coding, Rejection> {
    let mut values = head.headers.get_all(CONTENT_ENCODING).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(Coding::Identity),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(Coding::Identity),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"gzip") => Ok(Coding::Gzip),
        (Some(_), _) => Err(Rejection::EncodedBody),
    }
}

/// One gzip member that is the whole body: what follows a first one is read by some of Druid's versions and not by others.
fn inflate(bytes: &[u8], limit: usize) -> Result<Bytes, Rejection> {
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.by_ref().take(bound).read_to_end(&mut out).map_err(|_| Rejection::BodyBroken)?;
    if out.len() > limit {
        return Err(Rejection::BodyTooLarge(limit));
    }
    if !decoder.into_inner().is_empty() {
        return Err(Rejection::BodyBroken);
    }
    Ok(out.into())
}

/// The body of an answer.
pub struct GateBody {
    inner: UnsyncBoxBody<Bytes, BodyError>,
    record: Option<Record>,
    _places: Places,
}

impl GateBody {
    /// A body that is whole already.
    #[must_use]
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::streamed(Full::new(bytes.into()).map_err(|never| match never {}))
    }

    /// A body that is still coming.
    pub fn streamed(body: impl Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self { inner: body.boxed_unsync(), record: None, _places: Places::default() }
    }

    /// The same, with the record that is written, and the places that are given back, when it ends or is dropped.
    #[must_use]
    pub fn recorded(self, mut record: Record, places: Places) -> Self {
        if self.inner.is_end_stream() {
            record.complete();
        }
        Self { record: Some(record), _places: places, ..self }
    }

    /// The client was given up: it took nothing for too long.
    pub fn not_taken(&mut self) {
        if let Some(record) = &mut self.record {
            record.not_taken();
        }
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
