//! Names, and what a name in a table's place reads.

use std::borrow::Cow;

use super::{Read, Reader};
use crate::permission::ResourceType;
use crate::sql::PlaceRole;
use crate::sql::lexer::MAX_NAME_UNITS;
use crate::sql::literal;
use crate::sql::refusal::{Fault, RefusalCode};
use crate::sql::system::{Form, Place, Qualifier, SystemSchema, SystemTable};
use crate::sql::token::{Kind, Token};

/// A compound name.
pub(super) struct Path<'a> {
    pub first: Cow<'a, str>,
    pub second: Option<Cow<'a, str>>,
    /// It has three parts or more.
    pub longer: bool,
    /// Byte offset.
    pub at: usize,
    /// Byte offset after its last byte.
    pub end: usize,
}

impl<'a> Reader<'a> {
    /// `SimpleIdentifier`
    pub(super) fn name(&mut self) -> Read<Cow<'a, str>> {
        let kind = self.kind();
        if kind == Kind::Parameter {
            let message = "a parameter cannot stand for a name; write the name";
            return Err(self.fault(RefusalCode::ParameterAsName, message));
        }
        if !kind.is_name() {
            return Err(self.unexpected("a name, in double quotes if it is a reserved word"));
        }
        let (at, image) = (self.offset(), self.image());
        self.advance();
        let escape = if kind == Kind::UnicodeQuoted { self.escape_character()? } else { '\\' };
        let name = literal::name(image, kind, escape).map_err(|_| bad_escape(at))?;
        if kind == Kind::UnicodeQuoted && name.encode_utf16().count() > MAX_NAME_UNITS {
            return Err(Fault::new(
                RefusalCode::Lexical,
                at,
                "this name is longer than 128 characters; write a shorter one, as Druid takes no other",
            ));
        }
        Ok(name)
    }

    /// `UESCAPE 'c'`, or its default.
    pub(super) fn escape_character(&mut self) -> Read<char> {
        if !self.take(Kind::Uescape) {
            return Ok('\\');
        }
        if self.kind() != Kind::Text {
            return Err(self.unexpected("the character of UESCAPE in quotes"));
        }
        let character = literal::escape_character(self.image()).map_err(|_| {
            let message =
                "this is no escape character; write one sign that is no digit, letter of A to F, +, quote or blank";
            self.fault(RefusalCode::Lexical, message)
        })?;
        self.advance();
        Ok(character)
    }

    /// `CompoundTableIdentifier`. Druid 27 takes `druid.*` for a datasource named `*`.
    pub(super) fn path(&mut self) -> Read<Path<'a>> {
        let at = self.offset();
        let mut path = Path { first: self.name()?, second: None, longer: false, at, end: at };
        while self.take(Kind::Dot) {
            let part = if self.take(Kind::Star) { Cow::Borrowed("*") } else { self.name()? };
            if path.second.is_some() {
                path.longer = true;
            } else {
                path.second = Some(part);
            }
        }
        path.end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(at, |token| token.end(self.text));
        Ok(path)
    }

    /// The tokens from `start` up to the next are one compound name.
    pub(super) fn is_path(&self, start: usize) -> bool {
        let mut rest = self.tokens.get(start..self.at).unwrap_or_default().iter().map(|token| token.kind).peekable();
        loop {
            match rest.next() {
                Some(kind) if kind.is_name() => {}
                Some(Kind::Star) if rest.peek().is_none() => {}
                _ => return false,
            }
            if rest.peek() == Some(&Kind::Uescape) {
                rest.nth(1);
            }
            match rest.next() {
                None => return true,
                Some(Kind::Dot) => {}
                Some(_) => return false,
            }
        }
    }

    /// A table is read. Druid: `DruidSchemaCatalog`; names and schemas are compared exactly.
    pub(super) fn read_table(&mut self, path: Path<'a>, form: Form) -> Read<()> {
        let Path { first, second, longer, at, end } = path;
        if longer {
            let message = "a table has a schema and a name and no more parts; put a name that holds dots in quotes";
            return Err(Fault::new(RefusalCode::UnknownSchema, at, message));
        }
        let Some(name) = second else {
            if self.scope.contains(&first) {
                self.note(PlaceRole::WithItem, at, &first);
                return Ok(());
            }
            return self.read_datasource(first, at);
        };
        match first.as_ref() {
            "druid" => self.read_datasource(name, at),
            "view" => {
                check_star(&name, at)?;
                self.note(PlaceRole::View, at, &name);
                self.found.views.insert(name);
                self.check_count(at)
            }
            // Druid authorizes no lookup: `NamedLookupSchema`.
            "lookup" => {
                check_star(&name, at)?;
                self.note(PlaceRole::Lookup, at, &name);
                Ok(())
            }
            other => {
                let schema = SystemSchema::named(other).ok_or_else(|| no_schema(other, at))?;
                check_star(&name, at)?;
                self.note(PlaceRole::SystemTable, at, &name);
                let table = SystemTable { schema, name: name.into_owned() };
                self.found.system_places.push(Place { table, form, start: at, end });
                self.check_count(at)
            }
        }
    }

    fn read_datasource(&mut self, name: Cow<'a, str>, at: usize) -> Read<()> {
        check_star(&name, at)?;
        self.note(PlaceRole::Datasource, at, &name);
        self.found.datasources.insert(name);
        self.check_count(at)
    }

    /// The next three names are perhaps a system table's column: `sys.tasks.datasource`, `sys.tasks.*`.
    pub(super) fn note_qualifier(&mut self) {
        let [schema, dot, name, _, column] = [0, 1, 2, 3, 4].map(|ahead| self.tokens.get(self.at + ahead).copied());
        let (Some(schema), Some(dot), Some(name), Some(column)) = (schema, dot, name, column) else { return };
        if !name.kind.is_name() || !column.kind.is_name() && column.kind != Kind::Star {
            return;
        }
        let text = |token: Token| {
            let image = self.text.get(token.start()..token.end(self.text)).unwrap_or_default();
            literal::name(image, token.kind, '\\').ok()
        };
        let Some(named) = text(schema).and_then(|schema| SystemSchema::named(&schema)) else { return };
        let Some(name) = text(name) else { return };
        let table = SystemTable { schema: named, name: name.into_owned() };
        let tokens = [schema, dot].map(|token| (token.start(), token.end(self.text)));
        self.found.qualifiers.push(Qualifier { table, tokens });
    }

    /// The target of INSERT or REPLACE. Druid: `IngestHandler.validateAndGetDataSourceForIngest`.
    pub(super) fn write_table(&mut self, path: Path<'a>) -> Read<()> {
        let Path { first, second, longer, at, end: _ } = path;
        let name = match second {
            None => first,
            Some(name) if first == "druid" && !longer => name,
            Some(_) => {
                let message = "INSERT and REPLACE write datasources; name one, with the schema druid or without";
                return Err(Fault::new(RefusalCode::TargetSchema, at, message));
            }
        };
        check_star(&name, at)?;
        self.note(PlaceRole::Target, at, &name);
        self.found.target = Some((ResourceType::Datasource, name));
        Ok(())
    }
}

/// For Druid 27 `"*"` is a name with its quotes on, and `druid.*` one without; for newer versions the first has none and
/// the second is an error.
fn check_star(name: &str, at: usize) -> Read<()> {
    if name != "*" {
        return Ok(());
    }
    let message = "versions of Druid do not agree on what is read of a table named *; write a table with another name";
    Err(Fault::new(RefusalCode::StarTable, at, message))
}

pub(super) fn bad_escape(at: usize) -> Box<Fault> {
    let message = "an escape of this U& literal stands for no character; write each as \\ and four hexadecimal digits, \
                   and beyond U+FFFF the character itself or both halves of its pair";
    Fault::new(RefusalCode::Lexical, at, message)
}

fn no_schema(name: &str, at: usize) -> Box<Fault> {
    let message =
        format!("there is no schema [{name}]; write druid, lookup, view, sys or INFORMATION_SCHEMA, in this case");
    Fault::new(RefusalCode::UnknownSchema, at, message)
}
