//! URIs, by a grammar so narrow that every reader reads the same: `java.net.URI`, `java.net.URL`, Hadoop's `Path`.

use super::host::Host;

/// A URI that has an authority. Query strings are none of the gate's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uri<'a> {
    /// As written.
    pub scheme: &'a str,
    /// What stands between `//` and the path; not empty.
    pub authority: &'a str,
    /// Empty, or from its first slash on.
    pub path: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads `scheme://authority[/path][?query]`.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let is_odd = |byte: u8| !byte.is_ascii_graphic() || b"\"#<>\\^`{|}".contains(&byte);
        if text.bytes().any(is_odd) {
            return Err("a character that no URI has, or a fragment: percent-encode it");
        }
        let (scheme, rest) = text.split_once("://").ok_or("no scheme and `//`")?;
        if !is_scheme(scheme) {
            return Err("an odd scheme");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // Java connects to itself where there is no host.
        if authority.is_empty() || authority.starts_with(':') {
            return Err("no host");
        }
        Ok(Self { scheme, authority, path: rest.split('?').next().unwrap_or_default() })
    }
}

/// A path as Hadoop reads it, which decodes nothing. Hadoop: `org.apache.hadoop.fs.Path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HadoopPath<'a> {
    /// As written; without one it is a path of the default file system.
    pub scheme: Option<&'a str>,
    /// Where the file system is; not empty.
    pub authority: Option<&'a str>,
    /// From its first slash on; without a scheme it may be relative.
    pub path: &'a str,
}

impl<'a> HadoopPath<'a> {
    /// Reads `[scheme:[//authority]]path`.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        // Older versions of Druid read several paths between commas.
        if text.contains(',') {
            return Err("a comma: write an array of paths");
        }
        let colon = text.find(':').filter(|colon| text.find('/').is_none_or(|slash| *colon < slash));
        let (scheme, rest) = match colon.and_then(|colon| text.split_at_checked(colon)) {
            Some((scheme, rest)) => (Some(scheme), rest.get(1..).unwrap_or_default()),
            None => (None, text),
        };
        if scheme.is_some_and(|scheme| !is_scheme(scheme) || !rest.starts_with('/')) {
            return Err("an odd scheme, or no slash after it");
        }
        let Some(rest) = rest.strip_prefix("//") else { return Ok(Self { scheme, authority: None, path: rest }) };
        if scheme.is_none() {
            return Err("`//` without a scheme");
        }
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
        Ok(Self { scheme, authority: Some(authority).filter(|authority| !authority.is_empty()), path })
    }
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Reads `host[:port]`: nobody's name before it, nothing encoded in it.
pub(super) fn host_and_port(authority: &str) -> Result<(Host, Option<u16>), &'static str> {
    if authority.contains('@') {
        return Err("a user before the host");
    }
    let bracket = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority.rfind(':').filter(|colon| *colon > bracket) {
        Some(colon) => (authority.get(..colon).unwrap_or_default(), authority.get(colon + 1..)),
        None => (authority, None),
    };
    Ok((Host::parse(host)?, port.map(port_number).transpose()?))
}

fn port_number(text: &str) -> Result<u16, &'static str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain).ok_or("an odd port: 1 to 65535 without leading zeros are taken")
}

/// What a path stands for. Only what cannot stand for itself may be percent-encoded, so that two paths that differ stay
/// different; and no `%`, which might be decoded twice.
pub(super) fn decode_path(path: &str) -> Result<String, &'static str> {
    const ODD: &str = "an odd percent-encoding in its path: write plainly what a path may hold, and no %25";
    let is_escapable = |byte: u8| !byte.is_ascii() || b" \"#<>?[]^`{|}".contains(&byte);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or(ODD)?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| ODD)?;
        if !is_escapable(byte) {
            return Err(ODD);
        }
        bytes.push(byte);
        rest = after.get(2..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| ODD)
}
