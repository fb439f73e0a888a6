//! Where a token of one kind ends.

/// After the quote that closes the string opened at `quote`; a doubled quote does not close.
pub(super) fn end_of_text(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\'')? + 1;
        if bytes.get(at) != Some(&b'\'') {
            return Some(at);
        }
        at += 1;
    }
}

/// The same where a backslash takes the character after it along.
pub(super) fn end_of_escaped_text(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'\'' | b'\\'))?;
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\\'), Some(_)) | (_, Some(b'\'')) => at += 2,
            (Some(b'\\'), None) => return None,
            (_, _) => return Some(at + 1),
        }
    }
}

/// After the double quote that closes the name opened at `quote`; it is not empty and stays on its line.
pub(super) fn end_of_quoted(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\n' | b'\r'))?;
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'"'), Some(b'"')) => at += 2,
            (Some(b'"'), _) if at > quote + 1 => return Some(at + 1),
            (_, _) => return None,
        }
    }
}

/// `12`, `1.`, `.5`, each with an exponent or without; `1e` is `1` and the word `e`.
pub(super) fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let mut end = end_of_digits(bytes, start);
    if bytes.get(end) == Some(&b'.') {
        end = end_of_digits(bytes, end + 1);
    }
    if !matches!(bytes.get(end), Some(b'e' | b'E')) {
        return end;
    }
    let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
    let digits = end + 1 + usize::from(signed);
    let exponent = end_of_digits(bytes, digits);
    if exponent > digits { exponent } else { end }
}

fn end_of_digits(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// `LBRACE_FN` and its like take the blanks and the word with them.
pub(super) fn end_of_brace(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start + 1..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let word = rest.get(blanks..).unwrap_or_default();
    let is = |prefix: &[u8]| word.get(..prefix.len()).is_some_and(|text| text.eq_ignore_ascii_case(prefix));
    let length = if is(b"ts") || is(b"fn") { 2 } else { usize::from(is(b"t") || is(b"d")) };
    start + 1 + if length == 0 { 0 } else { blanks + length }
}

/// `IDENTIFIER`; gives `start` where none begins.
pub(super) fn end_of_word(text: &str, start: usize) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let plain = start + rest.iter().take_while(|byte| is_plain(**byte)).count();
    if text.as_bytes().get(plain).is_none_or(u8::is_ascii) {
        return plain;
    }
    let rest = text.get(start..).unwrap_or_default();
    let other = rest.char_indices().find(|(_, c)| !is_letter(*c) && !c.is_ascii_digit());
    start + other.map_or(rest.len(), |(offset, _)| offset)
}

/// An ASCII letter or digit of a word: looked up, since most bytes of a statement are asked.
fn is_plain(byte: u8) -> bool {
    #[expect(clippy::indexing_slicing, reason = "evaluated when the program is built")]
    static PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
            byte += 1;
        }
        plain
    };
    PLAIN.get(usize::from(byte)).copied().unwrap_or(false)
}

/// `LETTER` of `Parser.jj`; its digits beyond ASCII lie within these ranges. Up to Druid 27 `$` is none.
pub(super) const fn is_letter(character: char) -> bool {
    matches!(
        character,
        '$' | '_'
            | 'A'..='Z'
            | 'a'..='z'
            | '\u{c0}'..='\u{d6}'
            | '\u{d8}'..='\u{f6}'
            | '\u{f8}'..='\u{ff}'
            | '\u{100}'..='\u{1fff}'
            | '\u{3040}'..='\u{318f}'
            | '\u{3300}'..='\u{337f}'
            | '\u{3400}'..='\u{3d2d}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
    )
}
