//! Table functions and their arguments.

use std::borrow::Cow;

use super::names::{Path, bad_escape};
use super::{Read, Reader};
use crate::sql::refusal::{Fault, RefusalCode};
use crate::sql::token::Kind;
use crate::sql::{Parameter, PlaceRole, literal};

/// The functions that read what is not in their arguments' own places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    /// `EXTERN(inputSource, inputFormat, signature)`
    Extern,
    /// `APPEND('a', 'b')`
    Append,
    /// `HTTP(uris => ARRAY['https://..'], ..)`
    Http,
    /// `INLINE(data => ARRAY['..'], ..)`
    Inline,
    /// `LOCALFILES(baseDir => '/..', files => ARRAY['..'], ..)`
    LocalFiles,
    /// TUMBLE, HOP, SESSION, which Druid does not run; they read their arguments.
    Windows,
}

impl Function {
    /// Druid finds functions by their names without regard to case, quoted or not: `DruidOperatorTable`.
    fn named(name: &str) -> Option<Self> {
        const ALL: [(&str, Function); 8] = [
            ("EXTERN", Function::Extern),
            ("APPEND", Function::Append),
            ("HTTP", Function::Http),
            ("INLINE", Function::Inline),
            ("LOCALFILES", Function::LocalFiles),
            ("TUMBLE", Function::Windows),
            ("HOP", Function::Windows),
            ("SESSION", Function::Windows),
        ];
        ALL.iter().find(|(listed, _)| listed.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
    }
}

/// An argument of EXTERN or APPEND.
pub(super) struct Argument<'a> {
    pub name: Option<Cow<'a, str>>,
    pub value: Cow<'a, str>,
    /// Byte offset.
    pub at: usize,
    /// The index of the token after it.
    until: usize,
}

impl<'a> Reader<'a> {
    /// A call in an expression. A table function's name is none of a scalar function, so its place does not matter:
    /// `( APPEND('a') LIMIT 1 )` is a table.
    pub(super) fn call(&mut self, name: &str) -> Read<()> {
        match Function::named(name) {
            Some(function) => self.known_call(function),
            None => self.expect_group(),
        }
    }

    /// A call in the place of a table.
    pub(super) fn table_call(&mut self, path: &Path<'a>) -> Read<()> {
        let named = if path.second.is_none() { Function::named(&path.first) } else { None };
        match named {
            Some(function) => self.known_call(function),
            None => {
                let message = format!(
                    "[{}] is no table function of Druid; write EXTERN, APPEND, HTTP, INLINE or LOCALFILES",
                    path.second.as_ref().unwrap_or(&path.first)
                );
                Err(Fault::new(RefusalCode::UnknownTableFunction, path.at, message))
            }
        }
    }

    fn known_call(&mut self, function: Function) -> Read<()> {
        let at = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.start());
        match function {
            Function::Extern => {
                self.note(PlaceRole::External, at, "EXTERN");
                self.extern_call()
            }
            Function::Append => self.append_call(),
            Function::Http => {
                self.note(PlaceRole::External, at, "http");
                self.http_call()
            }
            Function::Inline => {
                self.note(PlaceRole::External, at, "inline");
                self.inline_call()
            }
            Function::LocalFiles => {
                self.note(PlaceRole::External, at, "local");
                self.local_files_call()
            }
            Function::Windows => self.expect_group(),
        }
    }

    /// Druid: `TableAppendMacro`; each argument is the name of a datasource, dots and all, and no WITH hides it.
    fn append_call(&mut self) -> Read<()> {
        for Argument { value, at, until, .. } in self.literal_arguments()? {
            self.note_until(PlaceRole::Appended, at, until, &value);
            self.found.datasources.insert(value);
            self.check_count(at)?;
        }
        Ok(())
    }

    pub(super) fn literal_arguments(&mut self) -> Read<Vec<Argument<'a>>> {
        let mut arguments = Vec::new();
        self.expect(Kind::LeftParen, "(")?;
        loop {
            let name = self.argument_name()?;
            let at = self.offset();
            let value = self.literal_argument()?;
            arguments.push(Argument { name, value, at, until: self.at });
            if self.take(Kind::RightParen) {
                return Ok(arguments);
            }
            if !self.take(Kind::Comma) {
                return Err(self.not_a_literal());
            }
        }
    }

    /// `name =>`, if it is there.
    pub(super) fn argument_name(&mut self) -> Read<Option<Cow<'a, str>>> {
        if self.peek(1) != Kind::NamedArgument {
            return Ok(None);
        }
        let name = self.name()?;
        self.advance();
        Ok(Some(name))
    }

    /// A string or a parameter, in parentheses or not.
    pub(super) fn literal_argument(&mut self) -> Read<Cow<'a, str>> {
        let mut opened = 0_usize;
        while self.take(Kind::LeftParen) {
            opened += 1;
        }
        let value = match self.kind() {
            Kind::Parameter => self.parameter()?,
            kind if kind.is_text() && kind != Kind::EscapedText => self.string()?,
            _ => return Err(self.not_a_literal()),
        };
        for _ in 0..opened {
            if !self.take(Kind::RightParen) {
                return Err(self.not_a_literal());
            }
        }
        Ok(value)
    }

    pub(super) fn not_a_literal(&self) -> Box<Fault> {
        let message =
            "an argument of a table function is not a plain string; write each as one, or as a parameter that is one";
        self.fault(RefusalCode::TableFunctionArgument, message)
    }

    /// Druid puts the request's parameters in before it looks at the statement: `SqlParameterizerShuttle`.
    fn parameter(&mut self) -> Read<Cow<'a, str>> {
        let at = self.offset();
        let value = self.parameters.get(self.parameters_passed);
        self.advance();
        match value {
            Some(Parameter::Text(text)) => Ok(Cow::Borrowed(text)),
            Some(Parameter::Other) | None => {
                let message = "the request has no text for this parameter; add it, or write the text in the statement";
                Err(Fault::new(RefusalCode::ParameterAsName, at, message))
            }
        }
    }

    /// A character literal, with those next to it: `'a' 'b'` is `'ab'`.
    pub(super) fn string(&mut self) -> Read<Cow<'a, str>> {
        let at = self.offset();
        let unicode = self.kind() == Kind::UnicodeText;
        let mut value = literal::text(self.image());
        self.advance();
        while self.kind() == Kind::Text {
            value.to_mut().push_str(&literal::text(self.image()));
            self.advance();
        }
        if !unicode {
            return Ok(value);
        }
        let escape = self.escape_character()?;
        literal::unescape(&value, escape).map(Cow::Owned).map_err(|_| bad_escape(at))
    }
}
