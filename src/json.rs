//! JSON read strictly, kept as it was, and written again.
//!
//! Jackson, as Druid sets it up, takes the last of two equal keys in one place and the first in another, ignores what
//! follows the first value, and guesses the encoding. Two readers of such a text may see two requests. So only texts
//! that have one reading are taken: UTF-8, one value, no key twice at any depth (RFC 8259, sections 4 and 8). The tree
//! keeps the order of keys and the text of numbers; what is sent to Druid is rendered from it.
//!
//! The JSON of EXTERN is sent as it stands in the SQL, and has one reader: there the first value is the one that counts.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt::Write;

/// Containers within containers; deeper texts are refused so that no input overflows a stack.
/// Jackson stops at 1,000; no request that Druid understands comes near 100.
pub const MAX_DEPTH: usize = 100;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: keys in their order, each once.
    Object(Vec<(String, Json)>),
}

/// Why a text is not taken as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Fault {
    /// Byte offset.
    pub at: usize,
    /// What was found or expected; holds nothing of the text.
    pub what: &'static str,
}

/// Reads one JSON value that is the whole of `text`.
///
/// # Errors
/// The first [`Fault`].
pub fn parse(text: &str) -> Result<Json, Fault> {
    read(text, Writer::Caller)
}

/// Reads the first JSON value of `text`. What follows it is not looked at, as Jackson does unless
/// `DeserializationFeature.FAIL_ON_TRAILING_TOKENS` is set.
///
/// # Errors
/// The first [`Fault`].
pub fn parse_first(text: &str) -> Result<Json, Fault> {
    Reader::new(text, Writer::Caller).first()
}

fn read(text: &str, writer: Writer) -> Result<Json, Fault> {
    let mut reader = Reader::new(text, writer);
    let value = reader.first()?;
    reader.skip_whitespace();
    if reader.at == text.len() { Ok(value) } else { Err(reader.fault("more than one JSON value")) }
}

/// Reads one JSON value that is the whole of `bytes`, which must be UTF-8.
///
/// # Errors
/// The first [`Fault`].
pub fn parse_bytes(bytes: &[u8]) -> Result<Json, Fault> {
    parse(utf8(bytes)?)
}

/// The same for an answer of Druid's, which goes to callers only. Half a surrogate pair, which no Rust string can hold, is
/// read as U+FFFD: Java's strings may hold one, as where Druid cuts an `errorMsg` after 100 UTF-16 units, and Jackson
/// writes it out. `type` may stand twice, the type's id first: so Jackson writes an object that has a property of that name
/// too, as `NoopSupervisorSpec` does.
///
/// # Errors
/// The first [`Fault`].
pub fn parse_answer(bytes: &[u8]) -> Result<Json, Fault> {
    read(utf8(bytes)?, Writer::Druid)
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|e| Fault { at: e.valid_up_to(), what: "bytes that are not UTF-8" })
}

impl Json {
    /// The value under `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Array(_) => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The items, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Object(_) => None,
        }
    }

    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An object of these members.
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The value as text, without spaces.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // Runs are copied whole. What is escaped is ASCII, which is never inside a character.
    let is_escaped = |byte| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    while let Some((plain, after)) = rest.bytes().position(is_escaped).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let mut chars = after.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Who wrote the text: Jackson itself writes what no caller may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Caller,
    Druid,
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    writer: Writer,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str, writer: Writer) -> Self {
        Self { bytes: text.as_bytes(), text, at: 0, writer }
    }

    fn first(&mut self) -> Result<Json, Fault> {
        self.skip_whitespace();
        self.value(0)
    }

    const fn fault(&self, what: &'static str) -> Fault {
        Fault { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        match self.peek() {
            Some(b'{') => self.nested(depth, Self::object),
            Some(b'[') => self.nested(depth, Self::array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.fault("not the start of a JSON value")),
            None => Err(self.fault("the JSON ends where a value is expected")),
        }
    }

    fn nested(&mut self, depth: usize, read: fn(&mut Self, usize) -> Result<Json, Fault>) -> Result<Json, Fault> {
        if depth == MAX_DEPTH {
            return Err(self.fault("JSON nested too deeply"));
        }
        self.at += 1;
        self.skip_whitespace();
        read(self, depth + 1)
    }

    fn object(&mut self, depth: usize) -> Result<Json, Fault> {
        let start = self.at;
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fault("a key in double quotes is expected"));
            }
            let key = self.string()?;
            self.skip_whitespace();
            if !self.take(b':') {
                return Err(self.fault("a colon is expected"));
            }
            self.skip_whitespace();
            let value = self.value(depth)?;
            members.push((key, value));
            self.skip_whitespace();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.fault("a comma or the end of the object is expected"));
            }
            self.skip_whitespace();
        }
        if has_duplicate(&members, self.writer) {
            return Err(Fault { at: start, what: "a key stands twice in one JSON object" });
        }
        Ok(Json::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Json, Fault> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_whitespace();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.fault("a comma or the end of the array is expected"));
            }
            self.skip_whitespace();
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn word(&mut self, word: &'static str, value: Json) -> Result<Json, Fault> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fault("not the start of a JSON value"))
        }
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.fault("a digit is expected"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            // The run ends at ASCII bytes, which are never inside a character.
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.fault("a control character in a JSON string")),
                None => return Err(self.fault("a JSON string that does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        self.at += 1;
        let escaped = self.peek().ok_or_else(|| self.fault("a JSON string that does not end"))?;
        self.at += 1;
        match escaped {
            b'"' => Ok('"'),
            b'\\' => Ok('\\'),
            b'/' => Ok('/'),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode_escape(),
            _ => Err(self.fault("an unknown escape in a JSON string")),
        }
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let first = self.four_hex()?;
        let after_first = self.at;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.take(b'u') {
            let second = self.four_hex()?;
            if (0xdc00..0xe000).contains(&second) {
                code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            }
        }
        match (char::from_u32(code), self.writer) {
            (Some(c), _) => Ok(c),
            (None, Writer::Caller) => Err(self.fault("half a surrogate pair in a JSON string")),
            (None, Writer::Druid) => {
                // What follows the half is a character of its own.
                self.at = after_first;
                Ok(char::REPLACEMENT_CHARACTER)
            }
        }
    }

    fn four_hex(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at..self.at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let code = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u32::from_str_radix(d, 16).ok())
            .ok_or_else(|| self.fault("four hexadecimal digits are expected"))?;
        self.at += 4;
        Ok(code)
    }
}

fn has_duplicate(members: &[(String, Json)], writer: Writer) -> bool {
    let may_repeat = |key: &str| writer == Writer::Druid && key == "type";
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).filter(|key| !may_repeat(key)).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests;
