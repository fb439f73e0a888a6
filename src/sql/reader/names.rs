//! Names, and what a name in a table's place reads.

use std::borrow::Cow;

use super::{Read, Reader};
use crate::permission::ResourceType;
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
            return Err(self.unexpected("a name"));
        }
        let (at, image) = (self.offset(), self.image());
        self.advance();
        let escape = if kind == Kind::UnicodeQuoted { self.escape_character()? } else { '\\' };
        let name = literal::name(image, kind, escape).map_err(|_| bad_escape(at))?;
        if kind == Kind::UnicodeQuoted && name.encode_utf16().count() > MAX_NAME_UNITS {
            return Err(Fault::new(RefusalCode::Lexical, at, "this name is longer than 128 characters"));
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
        let character = literal::escape_character(self.image()).map_err(|_| bad_escape(self.offset()))?;
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
        path.end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(at, |token| token.end());
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
        let Some(second) = second else {
            if !self.scope.contains(&first) {
                self.found.datasources.insert(first);
            }
            return Ok(());
        };
        if longer {
            let message = "a table has a schema and a name and no more parts; put a name that holds dots in quotes";
            return Err(Fault::new(RefusalCode::UnknownSchema, at, message));
        }
        match first.as_ref() {
            "druid" => drop(self.found.datasources.insert(second)),
            "view" => drop(self.found.views.insert(second)),
            // Druid authorizes no lookup: `NamedLookupSchema`.
            "lookup" => {}
            other => {
                if let Some(schema) = SystemSchema::named(other) {
                    let table = SystemTable { schema, name: second.into_owned() };
                    self.found.places.push(Place { table, form, start: at, end });
                    return Ok(());
                }
                let message = format!(
                    "there is no schema [{other}]; the schemas are druid, lookup, view, sys and INFORMATION_SCHEMA, \
                     in this case"
                );
                return Err(Fault::new(RefusalCode::UnknownSchema, at, message));
            }
        }
        Ok(())
    }

    /// The next three names are perhaps a system table's column: `sys.tasks.datasource`, `sys.tasks.*`.
    pub(super) fn note_qualifier(&mut self) {
        let [schema, dot, name, _, column] = [0, 1, 2, 3, 4].map(|ahead| self.tokens.get(self.at + ahead).copied());
        let (Some(schema), Some(dot), Some(name), Some(column)) = (schema, dot, name, column) else { return };
        if !name.kind.is_name() || !column.kind.is_name() && column.kind != Kind::Star {
            return;
        }
        let text = |token: Token| {
            let image = self.text.get(token.start()..token.end()).unwrap_or_default();
            literal::name(image, token.kind, '\\').ok()
        };
        let Some(named) = text(schema).and_then(|schema| SystemSchema::named(&schema)) else { return };
        let Some(name) = text(name) else { return };
        let table = SystemTable { schema: named, name: name.into_owned() };
        let tokens = [schema, dot].map(|token| (token.start(), token.end()));
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
        self.found.target = Some((ResourceType::Datasource, name));
        Ok(())
    }
}

fn bad_escape(at: usize) -> Box<Fault> {
    Fault::new(RefusalCode::Lexical, at, "an escape of a U& literal is not \\ and four hexadecimal digits")
}
