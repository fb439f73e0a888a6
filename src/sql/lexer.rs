//! Druid's token rules: those of Calcite 1.21 (Druid 24 to 27) and 1.37 (30 and newer) in one.
//!
//! Calcite's grammar `Parser.jj`, lexical state DQID, as JavaCC runs it: the longest match wins. Where the two versions
//! part, the text is read in the way that both allow, or refused: a `/*+` is a comment for the one and a token for the
//! other, so its body must end at the same place for both (`ambiguous_hint`).

use super::MAX_TOKENS;
use super::keywords::kind_of;
use super::refusal::{Fault, RefusalCode};
use super::token::{Kind, Token};

mod scan;
#[cfg(test)]
mod tests;

use scan::{end_of_escaped_text, end_of_number, end_of_quoted, end_of_text, end_of_word, is_letter};

/// Calcite's `DEFAULT_IDENTIFIER_MAX_LENGTH`, in UTF-16 units.
pub(super) const MAX_NAME_UNITS: usize = 128;

/// The tokens of a text, without the one that ends it.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, Box<Fault>> {
    // One token to two bytes is more than written SQL has, so the vector hardly ever grows.
    let mut tokens = Vec::with_capacity(text.len() / 2 + 16);
    let mut lexer = Lexer::new(text);
    while let Some(token) = lexer.next()? {
        if tokens.len() == MAX_TOKENS {
            let message = format!("the statement has more than {MAX_TOKENS} words and signs; write a shorter one");
            return Err(Fault::new(RefusalCode::TooManyTokens, token.start(), message));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    has_dollar: bool,
    /// No COLLATION_ID begins before this offset, so that no run of its characters is scanned twice.
    no_collation_before: usize,
    /// No prefixed literal begins before this offset, for the same reason.
    no_prefix_before: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        let has_dollar = text.contains('$');
        Self { text, bytes: text.as_bytes(), at: 0, has_dollar, no_collation_before: 0, no_prefix_before: 0 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next token, after blanks, comments and hints.
    fn next(&mut self) -> Result<Option<Token>, Box<Fault>> {
        loop {
            self.skip_blanks()?;
            if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"/*+")) {
                self.skip_hint()?;
                continue;
            }
            return match self.byte(self.at) {
                Some(byte) => self.token(byte).map(Some),
                None => Ok(None),
            };
        }
    }

    /// Skips white space and comments. Druid knows these five blanks and no others.
    fn skip_blanks(&mut self) -> Result<(), Box<Fault>> {
        while let Some(byte) = self.byte(self.at) {
            match (byte, self.byte(self.at + 1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => self.at += 1,
                (b'-', Some(b'-')) | (b'/', Some(b'/')) => self.skip_line(),
                (b'/', Some(b'*')) if self.byte(self.at + 2) != Some(b'+') => self.skip_block()?,
                _ => break,
            }
        }
        Ok(())
    }

    /// `SINGLE_LINE_COMMENT`: a bare CR ends it too.
    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        self.at += length;
    }

    /// `FORMAL_COMMENT` begins with `/**` and any character but `/`, which belongs to the opening: `/***/` does not
    /// close. `MULTI_LINE_COMMENT` begins with any other `/*`. Neither nests.
    fn skip_block(&mut self) -> Result<(), Box<Fault>> {
        let formal = self.byte(self.at + 2) == Some(b'*') && self.byte(self.at + 3) != Some(b'/');
        let body = self.at + if formal { 4 } else { 2 };
        self.at = self.end_of_comment(body)?;
        Ok(())
    }

    fn end_of_comment(&self, body: usize) -> Result<usize, Box<Fault>> {
        let rest = self.bytes.get(body..).unwrap_or_default();
        let length = rest.windows(2).position(|pair| pair == b"*/");
        length.map(|length| body + length + 2).ok_or_else(|| self.fault(self.at, "this comment is not closed by */"))
    }

    /// Up to Druid 27 a hint is a comment and ends at the first `*/`; since, its body is made of tokens, and a string
    /// or a comment within it may hold a `*/`.
    fn skip_hint(&mut self) -> Result<(), Box<Fault>> {
        let start = self.at;
        let end = self.end_of_comment(start + 3)?;
        self.at = start + 3;
        if self.hint_ends_at(end - 2) {
            self.at = end;
            return Ok(());
        }
        let message = "versions of Druid end this hint at different places; write it without quotes and comments, \
                       or leave it out";
        Err(Fault::new(RefusalCode::AmbiguousHint, start, message))
    }

    fn hint_ends_at(&mut self, end: usize) -> bool {
        while self.skip_blanks().is_ok() {
            if self.at >= end {
                return self.at == end;
            }
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(first) = rest.first() else { return false };
            if rest.starts_with(b"/*") || self.token(*first).is_err() {
                return false;
            }
        }
        false
    }

    fn token(&mut self, first: u8) -> Result<Token, Box<Fault>> {
        let start = self.at;
        let (kind, end) = match first {
            b'\'' => (Kind::Text, self.closed(end_of_text(self.bytes, start))?),
            b'"' => self.quoted(start, start, Kind::Quoted)?,
            b'0'..=b'9' => (Kind::Number, end_of_number(self.bytes, start)),
            b'.' if self.byte(start + 1).is_some_and(|byte| byte.is_ascii_digit()) => {
                (Kind::Number, end_of_number(self.bytes, start))
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => self.word(start, first)?,
            b'{' => (Kind::LeftBrace, self.end_of_brace(start)),
            _ => self.sign(start, first)?,
        };
        if self.has_dollar && may_begin_collation(kind) {
            self.refuse_collation(start)?;
        }
        self.at = end;
        Ok(Token::new(kind, start, end))
    }

    fn word(&mut self, start: usize, first: u8) -> Result<(Kind, usize), Box<Fault>> {
        match (first, self.byte(start + 1)) {
            (b'u' | b'U', Some(b'&')) => match self.byte(start + 2) {
                Some(b'\'') => return Ok((Kind::UnicodeText, self.closed(end_of_text(self.bytes, start + 2))?)),
                Some(b'"') => return self.quoted(start, start + 2, Kind::UnicodeQuoted),
                _ => {}
            },
            (b'n' | b'N', Some(b'\'')) => {
                return Ok((Kind::PrefixedText, self.closed(end_of_text(self.bytes, start + 1))?));
            }
            (b'x' | b'X', Some(b'\'')) => {
                return Ok((Kind::Binary, self.closed(end_of_text(self.bytes, start + 1))?));
            }
            // Where no closing quote is found the longest match is the word E; then a plain string follows.
            (b'e' | b'E', Some(b'\'')) => {
                if let Some(end) = end_of_escaped_text(self.bytes, start + 1) {
                    return Ok((Kind::EscapedText, end));
                }
            }
            (b'_', Some(next)) if next.is_ascii_alphanumeric() => {
                if let Some(end) = self.end_of_prefixed(start) {
                    return Ok((Kind::PrefixedText, end));
                }
            }
            _ => {}
        }
        let end = end_of_word(self.text, start);
        if end == start {
            return Err(self.no_token(start));
        }
        let word = self.text.get(start..end).unwrap_or_default();
        self.check_length(start, word, 0)?;
        Ok((kind_of(word), end))
    }

    /// `PREFIXED_STRING_LITERAL`: the name of a character set may hold `-`, `.` and `:`, even `--`.
    fn end_of_prefixed(&mut self, start: usize) -> Option<usize> {
        if start < self.no_prefix_before {
            return None;
        }
        let run = self.bytes.get(start + 1..)?;
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_');
        let quote = start + 1 + run.iter().position(|byte| !in_name(byte)).unwrap_or(run.len());
        if self.byte(quote) == Some(b'\'') {
            return end_of_text(self.bytes, quote);
        }
        self.no_prefix_before = quote;
        None
    }

    /// `COLLATION_ID`, the longest match over names, numbers and all between them (`druid.foo$x`, `x--y$z`), is of
    /// use after COLLATE only; Druid has no collations.
    fn refuse_collation(&mut self, start: usize) -> Result<(), Box<Fault>> {
        if start < self.no_collation_before {
            return Ok(());
        }
        let run = self.text.get(start..).unwrap_or_default();
        let mut joined = false;
        let mut end = start;
        let mut characters = run.char_indices().peekable();
        while let Some((offset, character)) = characters.next() {
            if matches!(character, ':' | '.' | '-') {
                joined = true;
            } else if !is_letter(character) && !character.is_ascii_digit() {
                break;
            }
            let before_letter = characters.peek().is_some_and(|(_, next)| is_letter(*next));
            if joined && character == '$' && before_letter {
                return Err(
                    self.fault(start, "Druid reads this as the name of a collation; put names with $ in quotes")
                );
            }
            end = start + offset + character.len_utf8();
        }
        self.no_collation_before = end;
        Ok(())
    }

    fn quoted(&self, start: usize, quote: usize, kind: Kind) -> Result<(Kind, usize), Box<Fault>> {
        let end = end_of_quoted(self.bytes, quote)
            .ok_or_else(|| self.fault(start, "this quoted name is empty, not closed, or holds a line break"))?;
        if kind == Kind::Quoted && end - quote > MAX_NAME_UNITS {
            let inner = self.text.get(quote + 1..end - 1).unwrap_or_default();
            self.check_length(start, inner, inner.matches("\"\"").count())?;
        }
        Ok((kind, end))
    }

    fn check_length(&self, start: usize, name: &str, doubled_quotes: usize) -> Result<(), Box<Fault>> {
        let fits = name.len() <= MAX_NAME_UNITS || name.encode_utf16().count() - doubled_quotes <= MAX_NAME_UNITS;
        if fits {
            Ok(())
        } else {
            Err(self.fault(start, "this name is longer than the 128 characters that Druid takes"))
        }
    }

    /// `LBRACE_FN` and its like take the blanks and the word with them.
    fn end_of_brace(&self, start: usize) -> usize {
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        let word = rest.get(blanks..).unwrap_or_default();
        let is = |prefix: &[u8]| word.get(..prefix.len()).is_some_and(|text| text.eq_ignore_ascii_case(prefix));
        let length = if is(b"ts") || is(b"fn") { 2 } else { usize::from(is(b"t") || is(b"d")) };
        start + 1 + if length == 0 { 0 } else { blanks + length }
    }

    fn sign(&self, start: usize, first: u8) -> Result<(Kind, usize), Box<Fault>> {
        let second = self.byte(start + 1);
        let (kind, length) = match (first, second) {
            (b'(', _) => (Kind::LeftParen, 1),
            (b')', _) => (Kind::RightParen, 1),
            (b'[', _) => (Kind::LeftBracket, 1),
            (b']', _) => (Kind::RightBracket, 1),
            (b'}', _) => (Kind::RightBrace, 1),
            (b',', _) => (Kind::Comma, 1),
            (b';', _) => (Kind::Semicolon, 1),
            (b'.', _) => (Kind::Dot, 1),
            // `*/` outside a hint is `*` and `/` up to Druid 27 and a syntax error since.
            (b'*', _) => (Kind::Star, 1),
            (b'+', _) => (Kind::Plus, 1),
            (b'?', _) => (Kind::Parameter, 1),
            (b'=', Some(b'>')) => (Kind::NamedArgument, 2),
            (b'=', _) => (Kind::Equal, 1),
            (b'-', Some(b'>'))
            | (b'<', Some(b'=' | b'>'))
            | (b'>', Some(b'='))
            | (b'!', Some(b'='))
            | (b'|', Some(b'|')) => (Kind::Operator, 2),
            (b'-', _) => (Kind::Minus, 1),
            (b'/' | b'<' | b'>' | b'|' | b':' | b'%' | b'^', _) => (Kind::Operator, 1),
            _ => return Err(self.no_token(start)),
        };
        Ok((kind, start + length))
    }

    fn closed(&self, end: Option<usize>) -> Result<usize, Box<Fault>> {
        end.ok_or_else(|| self.fault(self.at, "this string is not closed by a quote"))
    }

    fn no_token(&self, at: usize) -> Box<Fault> {
        let character = self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
        let message = format!(
            "Druid has no use for the character U+{:04X} here; put names in double quotes",
            u32::from(character)
        );
        Fault::new(RefusalCode::Lexical, at, message)
    }

    fn fault(&self, at: usize, message: &str) -> Box<Fault> {
        Fault::new(RefusalCode::Lexical, at, message)
    }
}

/// A COLLATION_ID may begin where this token does.
const fn may_begin_collation(kind: Kind) -> bool {
    matches!(kind, Kind::Name | Kind::Qualify | Kind::Number)
}
