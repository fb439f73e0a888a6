//! Answers under their terms: the only place where an answer of Druid's becomes one of the gate's.

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Limited};

use super::list::{ListBody, ListFilter};
use super::renamed::Renamed;
use super::{GateBody, Rejection};
use crate::config::Limits;
use crate::druid::{Answer, List};
use crate::inspect::Submitted;
use crate::upstream::{RouterBody, Terms, Unfiltered, strip_hop_by_hop};

/// The headers in which Druid names a native query. Druid: `QueryResource.QUERY_ID_RESPONSE_HEADER`, `SqlResource.SQL_QUERY_ID_RESPONSE_HEADER`.
const QUERY_ID_HEADERS: [&str; 2] = ["x-druid-query-id", "x-druid-sql-query-id"];

/// Makes a response of Druid's answer, as the terms of the request allow, and within these limits.
///
/// # Errors
/// [`Rejection::UnreadableAnswer`], if the answer cannot be filtered; [`Rejection::NoHistory`], if nothing may be seen of it.
pub async fn apply(unfiltered: Unfiltered, limits: &Limits) -> Result<Response<GateBody>, Rejection> {
    let (terms, mut response) = unfiltered.open();
    strip_hop_by_hop(response.headers_mut());
    match terms.answer {
        Answer::Pass => Ok(pass(response)),
        Answer::SqlQuery => {
            name_by_clients_id(response.headers_mut(), terms.query.as_ref());
            Ok(pass(response))
        }
        Answer::ConsoleRoot => {
            if response.status().is_redirection() {
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("/unified-console.html"));
            }
            Ok(pass(response))
        }
        Answer::Avatica => Ok(renamed(response, terms)),
        Answer::List(list) => filtered(response, list, terms, limits).await,
    }
}

/// The status of an answer to a request that is one of many: nothing else of it is told.
pub fn status_of_part(unfiltered: Unfiltered) -> StatusCode {
    unfiltered.open().1.status()
}

fn pass(response: Response<RouterBody>) -> Response<GateBody> {
    response.map(|body| GateBody::streamed(body.map_err(Into::into)))
}

/// What is no JSON names no connection.
fn renamed(mut response: Response<RouterBody>, terms: Terms) -> Response<GateBody> {
    let names = terms.query.and_then(|connection| Some((connection.id, connection.client_id?)));
    let Some((id, own)) = names.filter(|_| is_plain_json(response.headers())) else { return pass(response) };
    response.headers_mut().remove(CONTENT_LENGTH);
    response.map(|body| GateBody::streamed(Renamed::new(body, id.as_str(), &own)))
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    is_json && !headers.contains_key(CONTENT_ENCODING)
}

fn name_by_clients_id(headers: &mut HeaderMap, query: Option<&Submitted>) {
    let own = query.and_then(|query| query.client_id.as_deref()).and_then(|id| HeaderValue::try_from(id).ok());
    for name in QUERY_ID_HEADERS {
        match &own {
            Some(id) if headers.contains_key(name) => {
                headers.insert(name, id.clone());
            }
            Some(_) | None => {}
        }
    }
}

async fn filtered(
    mut response: Response<RouterBody>,
    list: List,
    terms: Terms,
    limits: &Limits,
) -> Result<Response<GateBody>, Rejection> {
    if response.status() != StatusCode::OK {
        // An error of Druid's is about the request, and lists nothing.
        return Ok(pass(response));
    }
    let headers = response.headers_mut();
    if !is_plain_json(headers) {
        return Err(Rejection::UnreadableAnswer);
    }
    for name in [CONTENT_LENGTH, ETAG, LAST_MODIFIED, ACCEPT_RANGES] {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if list == List::History {
        return history(response, terms, limits).await;
    }
    let filter = ListFilter::new(list, terms.grants, limits).telling_own(terms.own);
    Ok(response.map(|body| GateBody::streamed(ListBody::new(body, filter))))
}

/// Who sees nothing of a supervisor's history is told that there is none, which must be known before the answer begins.
async fn history(
    response: Response<RouterBody>,
    terms: Terms,
    limits: &Limits,
) -> Result<Response<GateBody>, Rejection> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, limits.list_item_bytes).collect().await;
    let body = body.map_err(|_| Rejection::UnreadableAnswer)?.to_bytes();
    let mut filter = ListFilter::new(List::History, terms.grants, limits);
    let seen = filter.feed(&body).and_then(|seen| filter.finish().map(|_| seen));
    let seen = seen.map_err(|_| Rejection::UnreadableAnswer)?;
    if filter.passed_one() {
        Ok(Response::from_parts(head, GateBody::whole(seen)))
    } else {
        Err(Rejection::NoHistory(terms.id.unwrap_or_default()))
    }
}
