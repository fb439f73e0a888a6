//! Which headers go to Druid, and which come back.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, IF_MODIFIED_SINCE, IF_NONE_MATCH, PROXY_AUTHENTICATE, RANGE,
    SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::Identity;

/// What the caller says of a change; Druid's audit log keeps it beside its author. Druid: `AuditManager.X_DRUID_COMMENT`.
const COMMENT: HeaderName = HeaderName::from_static("x-druid-comment");

/// Of the caller's headers, these go to Druid. Not among them: credentials, cookies, `Forwarded`, `X-Druid-Author`, and
/// Avatica's `request`, which takes the place of a body.
const TO_DRUID: [HeaderName; 7] =
    [ACCEPT, ACCEPT_LANGUAGE, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE, USER_AGENT, COMMENT];

/// Of Druid's headers, these never come back: they are about the connection between it and the gate.
/// RFC 9110, section 7.6.1.
const NOT_FROM_DRUID: [HeaderName; 8] =
    [CONNECTION, PROXY_AUTHENTICATE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE];

/// The headers to send; an answer that will be filtered must come unencoded and whole.
pub fn to_druid(carried: &HeaderMap, filtered: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let whole = [RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE];
    for name in TO_DRUID.into_iter().filter(|name| !(filtered && whole.contains(name))) {
        for value in carried.get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    if let Some(value) = carried.get(ACCEPT_ENCODING).filter(|_| !filtered) {
        headers.insert(ACCEPT_ENCODING, value.clone());
    }
    headers
}

/// Takes away what must not come back, the headers that `Connection` names among it.
pub fn from_druid(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in NOT_FROM_DRUID.into_iter().chain(named) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

/// Whom Druid's own audit log names: the caller, in visible ASCII. Druid: `AuditManager.X_DRUID_AUTHOR`.
pub fn author(caller: &Identity) -> HeaderValue {
    let text: String = caller
        .name()
        .chars()
        .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
        .take(MAX_AUTHOR)
        .collect();
    HeaderValue::try_from(text.trim()).unwrap_or(HeaderValue::from_static("?"))
}

/// Characters of an author: Druid's audit table keeps 255.
const MAX_AUTHOR: usize = 255;
