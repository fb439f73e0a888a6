//! A session: the token itself, in cookies that no script reads and no other host sets (RFC 6265).
//!
//! Nothing is kept at the gate. The token is verified on every request, so a session is worth exactly what it is.

use std::time::SystemTime;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::Identity;
use super::fault::TokenFault;

/// The cookies, in the order of the token's parts. `__Host-`: set over TLS, by this host alone, for every path.
const NAMES: [&str; 4] = ["__Host-msq-gate-1", "__Host-msq-gate-2", "__Host-msq-gate-3", "__Host-msq-gate-4"];

/// Bytes of a token in one cookie: browsers keep 4,096 of name, value and attributes (RFC 6265, section 6.1), and the
/// other two take up to 90.
pub const MAX_COOKIE_PART: usize = 4000;

/// Bytes of the longest token that a session can hold.
pub const MAX_SESSION_TOKEN: usize = MAX_COOKIE_PART * NAMES.len();

/// What every cookie says; a part that is set adds its life.
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=";

/// The token of the session, if the request has one.
///
/// # Errors
/// A part that comes twice or is not there: two readers could make different tokens of them.
pub fn session_token(headers: &HeaderMap) -> Result<Option<String>, TokenFault> {
    let mut parts: [Option<&str>; NAMES.len()] = [None; NAMES.len()];
    // HTTP/2 may send each cookie in a header of its own (RFC 9113, section 8.2.3).
    for value in headers.get_all(COOKIE) {
        for (name, value) in value.as_bytes().split(|byte| *byte == b';').filter_map(pair) {
            let Some(index) = NAMES.iter().position(|known| known.as_bytes() == name) else { continue };
            let value = std::str::from_utf8(value).map_err(|_| TokenFault::MalformedSession)?;
            match parts.get_mut(index) {
                Some(part @ None) => *part = Some(value),
                Some(Some(_)) | None => return Err(TokenFault::MalformedSession),
            }
        }
    }
    join(parts)
}

fn pair(cookie: &[u8]) -> Option<(&[u8], &[u8])> {
    let cookie = cookie.trim_ascii();
    let equals = cookie.iter().position(|byte| *byte == b'=')?;
    let (name, value) = cookie.split_at_checked(equals)?;
    Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii_start()))
}

/// An empty cookie is what some browsers keep of a cleared one: as good as none.
fn join(parts: [Option<&str>; NAMES.len()]) -> Result<Option<String>, TokenFault> {
    let present = parts.map(|part| part.filter(|part| !part.is_empty()));
    let leading: String = present.iter().map_while(|part| *part).collect();
    let count = present.iter().take_while(|part| part.is_some()).count();
    if present.iter().skip(count).any(Option::is_some) {
        return Err(TokenFault::MalformedSession);
    }
    Ok(if leading.is_empty() { None } else { Some(leading) })
}

/// The values of `Set-Cookie` that begin a session with this token, and clear what a longer one left.
///
/// # Errors
/// The token is longer than [`MAX_SESSION_TOKEN`], or its `exp` is past: a leeway is not for new sessions.
pub fn begin_session(token: &str, identity: &Identity, now: SystemTime) -> Result<Vec<HeaderValue>, TokenFault> {
    if token.len() > MAX_SESSION_TOKEN {
        return Err(TokenFault::TooLarge);
    }
    let life = identity.expires_at().duration_since(now).map_or(0, |life| life.as_secs());
    if life == 0 {
        return Err(TokenFault::Expired);
    }
    let mut parts = token.as_bytes().chunks(MAX_COOKIE_PART);
    let cookies = NAMES.iter().map(|name| match parts.next() {
        Some(part) => cookie(name, &String::from_utf8_lossy(part), life),
        None => cookie(name, "", 0),
    });
    cookies.collect::<Option<_>>().ok_or(TokenFault::Malformed)
}

/// The values of `Set-Cookie` that end a session.
#[must_use]
pub fn end_session() -> Vec<HeaderValue> {
    NAMES.iter().filter_map(|name| cookie(name, "", 0)).collect()
}

fn cookie(name: &str, value: &str, life: u64) -> Option<HeaderValue> {
    let mut cookie = HeaderValue::try_from(format!("{name}={value}{ATTRIBUTES}{life}")).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

#[cfg(test)]
mod tests;
