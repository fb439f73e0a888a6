//! What of a request's head is refused before anybody looks at it.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Version};

use super::Rejection;

/// Bytes of a field besides its name and value: a colon, a space, CR and LF.
const FIELD_OVERHEAD: usize = 4;

/// Refuses heads that two servers might read as two requests (RFC 9112, sections 3.2 and 6.1). On HTTP/1.1 the connection
/// then ends: where the next request begins is as doubtful. `max_bytes` is of all its fields.
///
/// # Errors
/// [`Rejection::HeadTooLarge`], [`Rejection::BadRequest`], [`Rejection::NotImplemented`].
pub fn check(head: &Parts, max_bytes: usize) -> Result<(), Rejection> {
    let bad = |code, message: &str| Err(Rejection::BadRequest { code, message: message.to_owned(), at: None });
    let fields = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD);
    if fields.sum::<usize>() > max_bytes {
        return Err(Rejection::HeadTooLarge(max_bytes));
    }
    if head.method == Method::CONNECT {
        return Err(Rejection::NotImplemented);
    }
    if head.version < Version::HTTP_2 && head.uri.authority().is_some() {
        return bad("absolute_target", "the request target is an absolute URL; send the path alone");
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return bad("several_hosts", "more than one Host header; send one"),
        (Some(host), None) if !is_host(host) => {
            return bad("bad_host", "a Host header that names no host; send HOST or HOST:PORT");
        }
        (None, None) if head.version == Version::HTTP_11 => return bad("no_host", "no Host header; send one"),
        (Some(_) | None, None) => {}
    }
    // RFC 9113, section 8.3.1: on HTTP/2 the authority takes the place of the Host header.
    if let Some(authority) = head.uri.authority().filter(|_| head.version >= Version::HTTP_2) {
        if authority.as_str().contains('@') {
            return bad("bad_host", "an authority that names somebody");
        }
        if head.headers.get(HOST).is_some_and(|host| host.as_bytes() != authority.as_str().as_bytes()) {
            return bad("several_hosts", "a Host header that is not the authority");
        }
    }
    // With both, hyper has taken the length away, reads the chunks and closes the connection (RFC 9112, section 6.1);
    // this is for the day when it does not.
    if head.headers.contains_key(TRANSFER_ENCODING) && head.headers.contains_key(CONTENT_LENGTH) {
        return bad("length_twice", "both Transfer-Encoding and Content-Length; send one of them");
    }
    // hyper looks whether the last coding is `chunked`; a body that is also coded otherwise would be read as it is not.
    let codings = head.headers.get_all(TRANSFER_ENCODING);
    if codings.iter().count() > 1 || codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return bad("transfer_encoding", "a Transfer-Encoding other than chunked; send chunked, or a Content-Length");
    }
    if head.headers.keys().any(|name| name.as_str().contains('_')) {
        return bad("underscore_header", "a header name with an underscore; leave it out");
    }
    Ok(())
}

/// A host with or without a port, and nobody's name; or nothing, where there is no authority (RFC 9112, section 3.2).
fn is_host(value: &HeaderValue) -> bool {
    if value.is_empty() {
        return true;
    }
    let Ok(authority) = Authority::try_from(value.as_bytes()) else { return false };
    let port = authority.as_str().strip_prefix(authority.host());
    port.is_some_and(|port| {
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host_with_or_without_a_port() {
        for host in
            ["", "gate", "gate.example:443", "gate:", "127.0.0.1:8443", "[::1]", "[::1]:8443", "my_gate", "GATE"]
        {
            assert!(is_host(&HeaderValue::from_static(host)), "{host}");
        }
        for host in ["a@gate", "a:b@gate:1", "gate/", "gate?x", "gate#x", "gate:x", "gate:-1", "a b", "[::1", "a:1:2"] {
            assert!(!is_host(&HeaderValue::from_static(host)), "{host}");
        }
        assert!(!is_host(&HeaderValue::from_bytes(b"g\xe4te").expect("obs-text")));
    }
}
