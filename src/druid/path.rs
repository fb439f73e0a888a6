//! The grammar of raw paths. Anything odd is refused, never cleaned up.
//!
//! On a real Router `/druid/v2/sql;x/task` submits a query and `/task/%71uery-1/status` reads a task: Jetty and Jersey
//! decode, strip and fold by rules of their own. So a path is split on `/` as it came, literals are matched on the raw
//! text, parameters are decoded once, and what is sent is drawn from the row (RFC 3986, section 3.3).

use super::row::Row;

/// Bytes of a raw path; Jetty's own limit for the whole request head is 8 KiB.
pub const MAX_PATH: usize = 4096;

/// Why a raw path is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddPath {
    /// Not a path at all (`*`, or an authority).
    #[error("the request target is not a path; send one that begins with one /")]
    NotAPath,
    /// Over [`MAX_PATH`].
    #[error("the path is longer than {MAX_PATH} bytes; send a shorter one")]
    TooLong,
    /// `//`
    #[error("the path holds an empty segment (//); send one / at a time")]
    EmptySegment,
    /// `.` or `..`, raw or encoded
    #[error("the path holds a . or .. segment; send the path that it stands for")]
    DotSegment,
    /// `;`
    #[error("the path holds a semicolon; send it without path parameters")]
    Semicolon,
    /// `%2f`, `%5c`, `%00` and other encoded control characters, or `\`
    #[error(
        "the path holds a backslash, or a slash, a semicolon or a control character in encoded form; send a name without it"
    )]
    EncodedDelimiter,
    /// `%` without two hexadecimal digits, or bytes that are not UTF-8
    #[error("the path is not percent-encoded UTF-8; send each byte as %XX")]
    BadEncoding,
    /// A character that must be percent-encoded
    #[error("the path holds a character that must be percent-encoded; send it as %XX")]
    RawCharacter,
}

/// A raw path as its segments; `trailing_slash` if one more `/` ends it.
#[derive(Debug, PartialEq, Eq)]
pub struct Segments<'a> {
    pub(super) raw: Vec<&'a str>,
    pub(super) trailing_slash: bool,
}

/// Splits a raw path and refuses what is odd in it.
///
/// # Errors
/// [`OddPath`].
pub fn split(raw_path: &str) -> Result<Segments<'_>, OddPath> {
    let rest = raw_path.strip_prefix('/').ok_or(OddPath::NotAPath)?;
    if raw_path.len() > MAX_PATH {
        return Err(OddPath::TooLong);
    }
    if rest.is_empty() {
        return Ok(Segments { raw: Vec::new(), trailing_slash: false });
    }
    let (rest, trailing_slash) = rest.strip_suffix('/').map_or((rest, false), |rest| (rest, true));
    let raw: Vec<&str> = rest.split('/').collect();
    for segment in &raw {
        check(segment)?;
    }
    Ok(Segments { raw, trailing_slash })
}

fn check(segment: &str) -> Result<(), OddPath> {
    if segment.is_empty() {
        return Err(OddPath::EmptySegment);
    }
    for byte in segment.bytes() {
        match byte {
            b';' => return Err(OddPath::Semicolon),
            b'\\' => return Err(OddPath::EncodedDelimiter),
            // RFC 3986: pchar without the semicolon.
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'@' => {}
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' => {}
            0..=b' '
            | b'"'
            | b'#'
            | b'/'
            | b'<'
            | b'>'
            | b'?'
            | b'['
            | b']'
            | b'^'
            | b'`'
            | b'{'..=b'}'
            | 0x7f..=0xff => {
                return Err(OddPath::RawCharacter);
            }
        }
    }
    let decoded = percent_decode(segment).ok_or(OddPath::BadEncoding)?;
    if decoded == "." || decoded == ".." {
        return Err(OddPath::DotSegment);
    }
    if decoded.chars().any(|c| c == '/' || c == '\\' || c == ';' || c.is_control()) {
        return Err(OddPath::EncodedDelimiter);
    }
    Ok(())
}

pub(super) fn is_api(row: &Row) -> bool {
    row.path.starts_with("/druid/") || row.path.starts_with("/proxy/") || row.path.starts_with("/status")
}

/// The segments of the row's own path.
pub(super) fn pattern(row: &Row) -> impl Iterator<Item = &'static str> {
    row.path.split('/').filter(|part| !part.is_empty())
}

/// Whether these raw segments are those of a path with parameters.
pub(super) fn covers(path: &str, raw: &[&str]) -> bool {
    let mut raw = raw.iter();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match raw.next() {
            Some(_) if is_rest(part) => return true,
            Some(segment) if is_parameter(part) || part == *segment => {}
            Some(_) | None => return false,
        }
    }
    raw.next().is_none()
}

pub(super) fn is_parameter(part: &str) -> bool {
    part.starts_with('{')
}

/// The names of the parameters of the row's path, in their order.
pub(super) fn parameters(row: &Row) -> impl Iterator<Item = &'static str> {
    pattern(row).filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

pub(super) fn is_rest(part: &str) -> bool {
    part.ends_with("*}")
}

/// The values of path parameters, decoded once.
///
/// # Errors
/// [`OddPath::BadEncoding`].
pub fn decode(raw: &[&str]) -> Result<Vec<String>, OddPath> {
    raw.iter().map(|segment| percent_decode(segment).ok_or(OddPath::BadEncoding)).collect()
}

/// The row's own path, with these values in the places of its parameters.
#[must_use]
pub fn render(row: &Row, values: &[String]) -> String {
    let mut values = values.iter();
    let mut out = String::new();
    for part in pattern(row) {
        if is_rest(part) {
            for value in values.by_ref() {
                out.push('/');
                percent_encode(value, &mut out);
            }
        } else if is_parameter(part) {
            out.push('/');
            percent_encode(values.next().map_or("", String::as_str), &mut out);
        } else {
            out.push('/');
            out.push_str(part);
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Decodes `%XX` once; nothing if the encoding is broken or the bytes are not UTF-8.
#[must_use]
pub fn percent_decode(raw: &str) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Encodes all but the unreserved characters (RFC 3986, section 2.3).
pub fn percent_encode(text: &str, out: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let hex = |digit: u8| HEX.get(usize::from(digit)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex(byte >> 4));
            out.push(hex(byte & 15));
        }
    }
}
