//! SQL text to the Druid permissions that it needs, or a refusal.
//!
//! The lexer is Druid's own, for every version at once. Over its tokens a structural reader finds the kind of the
//! statement, its target, every place where a table can stand, the scope of every WITH, and every table function. It
//! does not know the grammar of expressions: what it has to know of them is which words can end one. On a statement
//! that Druid runs it finds exactly what Druid would authorize; on others perhaps more, never less; and what it does not
//! understand in a place that could name a table it refuses.

use std::collections::BTreeSet;

use crate::permission::ResourceAction;

mod condition;
mod input_source;
mod keywords;
mod lexer;
mod literal;
mod narrow;
mod reader;
mod refusal;
mod scope;
mod system;
#[cfg(test)]
mod tests;
mod token;

pub use condition::{MAX_TERMS, Visible};
pub use narrow::narrow;
pub use refusal::{Refusal, RefusalCode};
pub use system::{Rows, SystemSchema, SystemTable};

/// The longest text that is read. A statement may hold inline data; a token's length has 24 bits.
pub const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// The most tokens that are read: eight bytes each, 4 MiB together.
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
    places: Vec<system::Place>,
    /// Where columns name the schema of a system table.
    qualifiers: Vec<system::Qualifier>,
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

/// Reads one statement with the SET statements before it.
///
/// # Errors
/// [`Refusal`], where the gate does not understand the text well enough to say what it needs.
pub fn read(sql: &str, parameters: &[Parameter]) -> Result<Reading, Refusal> {
    if sql.len() > MAX_TEXT_BYTES {
        let message = format!("the statement is longer than {MAX_TEXT_BYTES} bytes; put large data into a file");
        return Err(refusal::Fault::new(RefusalCode::TooLong, 0, message).in_text(""));
    }
    let reading = lexer::lex(sql).and_then(|tokens| reader::read(sql, &tokens, parameters));
    let reading = reading.map_err(|fault| fault.in_text(sql))?;
    if reading.resources.len() > MAX_RESOURCES {
        let message = format!("the statement names more than {MAX_RESOURCES} tables");
        return Err(refusal::Fault::new(RefusalCode::TooManyResources, 0, message).in_text(""));
    }
    Ok(reading)
}
