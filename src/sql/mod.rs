//! SQL text to the Druid permissions that it needs, or a refusal.
//!
//! The lexer is Druid's own, for every version at once. Over its tokens a structural reader finds the kind of the
//! statement, its target, every place where a table can stand, the scope of every WITH, and every table function. It
//! does not know the grammar of expressions: what it has to know of them is which words can end one. On a statement
//! that Druid runs it finds exactly what Druid would authorize; on others perhaps more, never less; and what it does not
//! understand in a place that could name a table it refuses.
//!
//! A second reading, by another parser over the same tokens, is compared with it: `second`.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::permission::ResourceAction;

mod condition;
mod external;
mod keywords;
mod lexer;
mod literal;
mod narrow;
mod place;
mod reader;
mod refusal;
mod scope;
mod second;
mod system;
#[cfg(test)]
mod tests;
mod token;

pub use condition::{MAX_TERMS, Visible};
pub use external::{Destinations, DruidSource, ExternalPermission, ExternalRules, MAX_DESTINATIONS, Objection};
pub use narrow::narrow;
pub use place::{Place, PlaceRole};
pub use refusal::{Position, Refusal, RefusalCode};
pub use second::{
    DEFAULT_MAX_BYTES, Found, MAX_TOKENS as MAX_TOKENS_READ_TWICE, Query, Second, SecondReading, readings_disagree,
};
pub use system::{Rows, SystemSchema, SystemTable};

/// The longest text that is read. A statement may hold inline data; offsets have 24 bits.
pub const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// The most tokens that are read: four bytes each, 2 MiB together.
pub const MAX_TOKENS: usize = 500_000;

/// Groups within groups. The reader takes about 1 KiB of stack for each; Druid's own parser overflows at some thousands.
pub const MAX_DEPTH: usize = 400;

/// The most resources that one statement may need: each may stand twice in the audit record and three times in a 403.
/// No statement that a person or a tool writes comes near it.
pub const MAX_RESOURCES: usize = 1_000;

/// A value of the request's `parameters`, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A string: VARCHAR or CHAR.
    Text(String),
    /// A number, a date, an array, null.
    Other,
}

/// What a statement needs and says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The kind of the statement; inside EXPLAIN and DESCRIBE, of the one that is explained.
    pub kind: StatementKind,
    /// EXPLAIN, or DESCRIBE of a query.
    pub explain: bool,
    /// What Druid would authorize.
    pub resources: BTreeSet<ResourceAction>,
    /// The tables of `sys` and `INFORMATION_SCHEMA` that are named.
    pub system_tables: BTreeSet<SystemTable>,
    /// The types of the input sources that are read, as Druid names them.
    pub input_source_types: BTreeSet<String>,
    /// The SET statements before it, in their order.
    pub set_options: Vec<SetOption>,
    /// Where system tables stand.
    system_places: Vec<system::Place>,
    /// Where columns name the schema of a system table.
    qualifiers: Vec<system::Qualifier>,
}

impl Reading {
    /// The word for the kind of the whole: `select`, `insert`, `replace` or `explain`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        if self.explain {
            return "explain";
        }
        match self.kind {
            StatementKind::Select => "select",
            StatementKind::Insert => "insert",
            StatementKind::Replace => "replace",
        }
    }
}

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// SELECT, WITH, VALUES, TABLE.
    Select,
    /// INSERT.
    Insert,
    /// REPLACE.
    Replace,
}

/// `SET name = value;`, which Druid 34 and newer merge over the request's context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetOption {
    /// The context key: the first part of a compound name, as Druid takes it.
    pub name: String,
    /// The value.
    pub value: SetValue,
    /// Byte offset of the name.
    pub at: usize,
}

/// The value of a SET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetValue {
    /// A string.
    Text(String),
    /// A number, as written, with its sign.
    Number(String),
    /// TRUE or FALSE.
    Boolean(bool),
    /// NULL, a date, an interval and the like.
    Other,
}

/// Reads one statement with the SET statements before it, by the rules for EXTERN that hold where none are configured.
///
/// # Errors
/// [`Refusal`], where the gate does not understand the text well enough to say what it needs.
pub fn read(sql: &str, parameters: &[Parameter]) -> Result<Reading, Refusal> {
    read_by(&ExternalRules::default(), sql, parameters)
}

/// The same, by these rules for EXTERN.
///
/// # Errors
/// [`Refusal`], also where EXTERN would read what the rules do not allow.
pub fn read_by(rules: &ExternalRules, sql: &str, parameters: &[Parameter]) -> Result<Reading, Refusal> {
    read_and_keep(rules, sql, parameters).map(|(reading, _)| reading)
}

/// The same, with what a second reading takes of it.
///
/// # Errors
/// As those of [`read_by`].
pub fn read_and_keep(rules: &ExternalRules, sql: &str, parameters: &[Parameter]) -> Result<(Reading, Query), Refusal> {
    let read = lexer::lex(sql).and_then(|tokens| {
        let (reading, begins) = reader::read(sql, &tokens, parameters, rules)?;
        Ok((reading, Query::new(tokens, begins)))
    });
    read.map_err(|fault| fault.in_text(sql))
}

/// Where in the statement its needs come from, in the order of the text.
///
/// # Errors
/// The [`Refusal`] of [`read_by`].
pub fn places(rules: &ExternalRules, sql: &str, parameters: &[Parameter]) -> Result<Vec<Place>, Refusal> {
    let places = lexer::lex(sql).and_then(|tokens| reader::places(sql, &tokens, parameters, rules));
    places.map_err(|fault| fault.in_text(sql))
}

/// Where the words, names, literals and signs of a text stand, in byte offsets: all but white space, comments and hints.
///
/// # Errors
/// [`Refusal`], where Druid would find no such token, or versions of it would find others.
pub fn tokens(sql: &str) -> Result<Vec<Range<usize>>, Refusal> {
    let tokens = lexer::lex(sql).map_err(|fault| fault.in_text(sql))?;
    Ok(tokens.iter().map(|token| token.start()..token.end(sql)).collect())
}
