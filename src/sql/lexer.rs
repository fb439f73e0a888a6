//! Druid's token rules: those of Calcite 1.21 (Druid 24 to 27) and 1.37 (30 and newer) in one.
//!
//! Calcite's grammar `Parser.jj`, lexical state DQID, as JavaCC runs it: the longest match wins. Where the two versions
//! part, the text is read in the way that both allow, or refused: a `/*+` is a comment for the one and a token for the
//! other, so its body must end at the same place for both (`ambiguous_hint`).

use super::keywords::kind_of;
use super::refusal::{Fault, RefusalCode};
use super::token::{Kind, Token};
use super::{MAX_TEXT_BYTES, MAX_TOKENS};

mod scan;
#[cfg(test)]
mod tests;

use scan::{end_of_brace, end_of_escaped_text, end_of_number, end_of_quoted, end_of_text, end_of_word, is_letter};

/// Calcite's `DEFAULT_IDENTIFIER_MAX_LENGTH`, in UTF-16 units.
pub(super) const MAX_NAME_UNITS: usize = 128;

/// The tokens of a text, without the one that ends it.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, Box<Fault>> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the statement is longer than {MAX_TEXT_BYTES} bytes; put large data into a file");
        return Err(Fault::new(RefusalCode::TooLong, 0, message));
    }
    // One token to two bytes is more than written SQL has, so the vector hardly ever grows.
    let mut tokens = Vec::with_capacity(text.len() / 2 + 16);
    let mut lexer = Lexer::new(text, text.contains('$'));
    while let Some(token) = lexer.next()? {
        if tokens.len() == MAX_TOKENS {
            let message = format!("the statement has more than {MAX_TOKENS} words and signs; write a shorter one");
            return Err(Fault::new(RefusalCode::TooManyTokens, token.start(), message));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

/// Where the token of this kind ends that begins at this offset of a text that has been lexed.
pub(super) fn end_of_token(text: &str, kind: Kind, start: usize) -> usize {
    // What is asked most.
    if kind == Kind::Name {
        return end_of_word(text, start);
    }
    let mut lexer = Lexer { at: start, ..Lexer::new(text, false) };
    // A token once found is found again.
    let _ = text.as_bytes().get(start).map(|first| lexer.token(*first));
    lexer.at
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
    fn new(text: &'a str, has_dollar: bool) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, has_dollar, no_collation_before: 0, no_prefix_before: 0 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next token, after blanks, comments and hints.
    fn next(&mut self) -> Result<Option<Token>, Box<Fault>> {
        loop {
            self.skip_blanks()?;
            match self.byte(self.at) {
                Some(b'/') if self.byte(self.at + 1) == Some(b'*') => self.skip_hint()?,
                Some(byte) => return self.token(byte).map(Some),
                None => return Ok(None),
            }
        }
    }

    /// Skips white space and comments. Druid knows these five blanks and no others.
    fn skip_blanks(&mut self) -> Result<(), Box<Fault>> {
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.at += 1,
                b'-' | b'/' if self.skip_comment(byte)? => {}
                _ => break,
            }
        }
        Ok(())
    }

    /// Skips a comment that begins with this byte, if one does.
    fn skip_comment(&mut self, first: u8) -> Result<bool, Box<Fault>> {
        match (first, self.byte(self.at + 1), self.byte(self.at + 2)) {
            (b'-', Some(b'-'), _) | (b'/', Some(b'/'), _) => self.skip_line(),
            (b'/', Some(b'*'), Some(b'+')) => return Ok(false),
            (b'/', Some(b'*'), _) => self.skip_block()?,
            (_, _, _) => return Ok(false),
        }
        Ok(true)
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
        length
            .map(|length| body + length + 2)
            .ok_or_else(|| self.fault(self.at, "this comment is not closed; write */ after it"))
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
        let kind = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => self.word(first)?,
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(start + 1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'\'' => self.text(start, Kind::Text)?,
            b'"' => self.quoted(start, Kind::Quoted)?,
            _ => self.sign(first)?,
        };
        if self.has_dollar && may_begin_collation(kind) {
            self.refuse_collation(start)?;
        }
        Ok(Token::new(kind, start))
    }

    fn number(&mut self) -> Kind {
        self.at = end_of_number(self.bytes, self.at);
        Kind::Number
    }

    fn word(&mut self, first: u8) -> Result<Kind, Box<Fault>> {
        let start = self.at;
        let end = end_of_word(self.text, start);
        if end == start {
            return Err(self.no_token(start));
        }
        let may_be_prefix = first == b'_' || matches!(self.byte(end), Some(b'\'' | b'&'));
        if may_be_prefix && let Some(kind) = self.prefixed(first)? {
            return Ok(kind);
        }
        if end - start > MAX_NAME_UNITS {
            self.check_length(start, self.text.get(start..end).unwrap_or_default(), 0)?;
        }
        self.at = end;
        Ok(kind_of(self.bytes, start, end))
    }

    /// A literal or a name with a letter before its quote.
    fn prefixed(&mut self, first: u8) -> Result<Option<Kind>, Box<Fault>> {
        let start = self.at;
        match (first, self.byte(start + 1), self.byte(start + 2)) {
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => self.text(start + 2, Kind::UnicodeText).map(Some),
            (b'u' | b'U', Some(b'&'), Some(b'"')) => self.quoted(start + 2, Kind::UnicodeQuoted).map(Some),
            (b'n' | b'N', Some(b'\''), _) => self.text(start + 1, Kind::PrefixedText).map(Some),
            (b'x' | b'X', Some(b'\''), _) => self.text(start + 1, Kind::Binary).map(Some),
            // Where no closing quote is found the longest match is the word E; then a plain string follows.
            (b'e' | b'E', Some(b'\''), _) => Ok(end_of_escaped_text(self.bytes, start + 1).map(|end| {
                self.at = end;
                Kind::EscapedText
            })),
            (b'_', Some(next), _) if next.is_ascii_alphanumeric() => Ok(self.end_of_prefixed(start).map(|end| {
                self.at = end;
                Kind::PrefixedText
            })),
            (_, _, _) => Ok(None),
        }
    }

    /// A literal whose quote stands at this offset.
    fn text(&mut self, quote: usize, kind: Kind) -> Result<Kind, Box<Fault>> {
        let end = end_of_text(self.bytes, quote);
        self.at = end.ok_or_else(|| {
            self.fault(self.at, "this string is not closed; write a quote after it, and one within it twice")
        })?;
        Ok(kind)
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

    /// A name whose double quote stands at this offset.
    fn quoted(&mut self, quote: usize, kind: Kind) -> Result<Kind, Box<Fault>> {
        let start = self.at;
        let end = end_of_quoted(self.bytes, quote)
            .ok_or_else(|| self.fault(start, "this quoted name is empty, not closed, or holds a line break; write it on one line, with a double quote after it"))?;
        if kind == Kind::Quoted && end - quote > MAX_NAME_UNITS {
            let inner = self.text.get(quote + 1..end - 1).unwrap_or_default();
            self.check_length(start, inner, inner.matches("\"\"").count())?;
        }
        self.at = end;
        Ok(kind)
    }

    fn check_length(&self, start: usize, name: &str, doubled_quotes: usize) -> Result<(), Box<Fault>> {
        if name.encode_utf16().count() - doubled_quotes <= MAX_NAME_UNITS {
            return Ok(());
        }
        Err(self.fault(start, "this name is longer than 128 characters; write a shorter one, as Druid takes no other"))
    }

    fn sign(&mut self, first: u8) -> Result<Kind, Box<Fault>> {
        let start = self.at;
        let second = self.byte(start + 1);
        let (kind, length) = match (first, second) {
            (b'(', _) => (Kind::LeftParen, 1),
            (b')', _) => (Kind::RightParen, 1),
            (b'[', _) => (Kind::LeftBracket, 1),
            (b']', _) => (Kind::RightBracket, 1),
            (b'{', _) => (Kind::LeftBrace, end_of_brace(self.bytes, start) - start),
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
        self.at = start + length;
        Ok(kind)
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
