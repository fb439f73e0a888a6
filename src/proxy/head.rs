//! What of a request's head is refused before anybody looks at it.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Version};

use super::Rejection;

/// Refuses heads that two servers might read as two requests (RFC 9112, sections 3.2 and 6.1).
///
/// # Errors
/// [`Rejection::BadRequest`], [`Rejection::NotImplemented`].
pub fn check(head: &Parts) -> Result<(), Rejection> {
    let bad = |code, message: &str| Err(Rejection::BadRequest { code, message: message.to_owned(), at: None });
    if head.method == Method::CONNECT {
        return Err(Rejection::NotImplemented);
    }
    if head.version < Version::HTTP_2 && head.uri.authority().is_some() {
        return bad("absolute_target", "the request target must be a path, not an absolute URL");
    }
    if head.headers.get_all(HOST).iter().count() > 1 {
        return bad("several_hosts", "more than one Host header");
    }
    if head.headers.contains_key(TRANSFER_ENCODING) && head.headers.contains_key(CONTENT_LENGTH) {
        return bad("length_twice", "both Transfer-Encoding and Content-Length");
    }
    if head.headers.keys().any(|name| name.as_str().contains('_')) {
        return bad("underscore_header", "a header name with an underscore");
    }
    Ok(())
}
