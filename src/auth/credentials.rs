//! The credentials of a request: a token, as a bearer's (RFC 6750 section 2.1) or as a password (RFC 7617).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::MAX_TOKEN_BYTES;
use super::fault::TokenFault;

/// Bytes of the base64 of Basic: of the longest token with a user name of 1 KiB, and a third more.
const MAX_BASIC_BYTES: usize = (MAX_TOKEN_BYTES + 1024) / 3 * 4 + 4;

/// A token and the way it came.
pub(in crate::auth) struct Credentials<'h> {
    pub(in crate::auth) token: Cow<'h, str>,
    /// The user name of Basic.
    pub(in crate::auth) user: Option<String>,
}

/// The credentials, if the request has an `Authorization` header at all. Basic is read only where it is allowed.
pub(in crate::auth) fn find(headers: &HeaderMap, basic_allowed: bool) -> Result<Option<Credentials<'_>>, TokenFault> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TokenFault::SeveralHeaders);
    }
    let value = value.to_str().map_err(|_| TokenFault::HeaderNotText)?;
    // RFC 9110 section 11.4: scheme, one or more spaces, token; the scheme is case-insensitive.
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("Bearer") {
        return Ok(Some(Credentials { token: Cow::Borrowed(rest), user: None }));
    }
    if basic_allowed && scheme.eq_ignore_ascii_case("Basic") {
        return basic(rest).map(Some);
    }
    Err(TokenFault::WrongScheme)
}

/// RFC 7617 section 2: the first colon ends the user name; neither part has control characters. Read as UTF-8.
fn basic(text: &str) -> Result<Credentials<'static>, TokenFault> {
    if text.len() > MAX_BASIC_BYTES {
        return Err(TokenFault::TooLarge);
    }
    let bytes = STANDARD.decode(text).map_err(|_| TokenFault::MalformedBasic)?;
    let text = String::from_utf8(bytes).map_err(|_| TokenFault::MalformedBasic)?;
    if text.chars().any(char::is_control) {
        return Err(TokenFault::MalformedBasic);
    }
    let (user, password) = text.split_once(':').ok_or(TokenFault::MalformedBasic)?;
    Ok(Credentials { token: Cow::Owned(password.to_owned()), user: Some(user.to_owned()) })
}
