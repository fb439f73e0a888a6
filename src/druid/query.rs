//! The grammar of query strings: each row lists its parameters, and no other is served.
//!
//! On Druid the first of two equal parameters wins, and a name may be percent-encoded (`data%73ource`). So names are
//! decoded before they are compared, and none may come twice unless the row says so.

use super::path::{percent_decode, percent_encode};
use super::row::{ParameterKind, QueryParameter};

/// Bytes of a raw query string; Jetty's own limit for the whole request head is 8 KiB.
pub const MAX_QUERY: usize = 4096;

/// The web console marks its probes by parameters of such names (`?capabilities`), which mean nothing to Druid.
const CONSOLE_MARK: &str = "capabilities";

/// Why a query string is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddQuery {
    /// Over [`MAX_QUERY`].
    #[error("the query string is longer than {MAX_QUERY} bytes; send a shorter one")]
    TooLong,
    /// Not percent-encoded UTF-8.
    #[error("the query string is not percent-encoded UTF-8; send each byte as %XX")]
    BadEncoding,
    /// A parameter that the row does not list.
    #[error("the query parameter [{0}] is not served here; leave it out")]
    Unknown(String),
    /// A parameter that comes twice.
    #[error("the query parameter [{0}] comes twice; send it once")]
    Repeated(&'static str),
    /// A value of the wrong kind.
    #[error("the query parameter [{0}] has a value of the wrong kind; send {1}")]
    Value(&'static str, &'static str),
}

/// Reads the query string by the row's list.
///
/// # Errors
/// [`OddQuery`].
pub fn read(listed: &[QueryParameter], raw: Option<&str>) -> Result<Vec<(&'static str, String)>, OddQuery> {
    let raw = raw.unwrap_or_default();
    if raw.len() > MAX_QUERY {
        return Err(OddQuery::TooLong);
    }
    let mut read: Vec<(&'static str, String)> = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (form_decode(name)?, form_decode(value)?);
        let Some(parameter) = listed.iter().find(|parameter| parameter.name == name) else {
            if name.starts_with(CONSOLE_MARK) {
                continue;
            }
            return Err(OddQuery::Unknown(name));
        };
        let comes_again = read.iter().any(|(earlier, _)| *earlier == parameter.name);
        if comes_again && parameter.kind != ParameterKind::Texts {
            return Err(OddQuery::Repeated(parameter.name));
        }
        check(*parameter, &value)?;
        read.push((parameter.name, value));
    }
    Ok(read)
}

fn check(parameter: QueryParameter, value: &str) -> Result<(), OddQuery> {
    let (fits, expected) = match parameter.kind {
        ParameterKind::Text | ParameterKind::Texts => {
            (!value.chars().any(char::is_control), "text without control characters")
        }
        ParameterKind::Integer => (value.parse::<i64>().is_ok() && !value.starts_with('+'), "a whole number"),
        ParameterKind::Flag => (value == "true" || value == "false", "true or false"),
    };
    if fits { Ok(()) } else { Err(OddQuery::Value(parameter.name, expected)) }
}

/// Decodes a name or value of a query string: `+` is a space, then `%XX` once.
///
/// # Errors
/// [`OddQuery::BadEncoding`].
pub fn form_decode(raw: &str) -> Result<String, OddQuery> {
    percent_decode(&raw.replace('+', " ")).ok_or(OddQuery::BadEncoding)
}

/// Writes the query string, encoded anew, after the path in `out`.
pub fn render(query: &[(&'static str, String)], out: &mut String) {
    for (index, (name, value)) in query.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        percent_encode(value, out);
    }
}
