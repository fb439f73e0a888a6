//! What names and strings stand for.

use std::borrow::Cow;

use super::token::Kind;

/// Why an escape cannot be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEscape;

/// The name that `image`, of this kind, stands for; `escape` is the character of UESCAPE.
pub(super) fn name(image: &str, kind: Kind, escape: char) -> Result<Cow<'_, str>, BadEscape> {
    match kind {
        Kind::Quoted => Ok(undouble(image.get(1..image.len() - 1).unwrap_or_default(), "\"\"", "\"")),
        Kind::UnicodeQuoted => {
            let inner = undouble(image.get(3..image.len() - 1).unwrap_or_default(), "\"\"", "\"");
            unescape(&inner, escape).map(Cow::Owned)
        }
        // All other words stand for themselves: Druid keeps their case.
        _ => Ok(Cow::Borrowed(image)),
    }
}

/// The text between the quotes of a literal, doubled quotes made one; the prefix, if any, is left out.
pub(super) fn text(image: &str) -> Cow<'_, str> {
    let open = image.find('\'').map_or(0, |quote| quote + 1);
    undouble(image.get(open..image.len() - 1).unwrap_or_default(), "''", "'")
}

/// The character that UESCAPE names. Calcite: `SqlParserUtil.checkUnicodeEscapeChar`.
pub(super) fn escape_character(image: &str) -> Result<char, BadEscape> {
    let named = text(image);
    let mut characters = named.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) if !c.is_ascii_hexdigit() && !c.is_whitespace() && !matches!(c, '+' | '"' | '\'') => Ok(c),
        (_, _) => Err(BadEscape),
    }
}

/// Resolves `\0061` and `\\`. Calcite: `NlsString` by way of `SqlLiteral.unescapeUnicode`; it knows no `\+000061`.
pub(super) fn unescape(text: &str, escape: char) -> Result<String, BadEscape> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != escape {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        let code = rest.as_str();
        if code.starts_with(escape) {
            units.extend_from_slice(escape.encode_utf16(&mut [0; 2]));
            rest.next();
            continue;
        }
        let digits = code.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(BadEscape)?;
        units.push(u16::from_str_radix(digits, 16).map_err(|_| BadEscape)?);
        rest = code.get(4..).unwrap_or_default().chars();
    }
    // A lone surrogate is a character for Java and none for anyone who stores names as UTF-8.
    String::from_utf16(&units).map_err(|_| BadEscape)
}

fn undouble<'a>(inner: &'a str, doubled: &str, single: &str) -> Cow<'a, str> {
    if inner.contains(doubled) { Cow::Owned(inner.replace(doubled, single)) } else { Cow::Borrowed(inner) }
}
