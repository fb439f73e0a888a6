//! What the gate reads in a statement, by one reader or another.

use std::collections::BTreeSet;

use msq_gate::permission::ResourceAction;
use msq_gate::sql::{self, Parameter};

/// A statement with the values of its parameters.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    pub parameters: Vec<String>,
}

impl From<String> for Statement {
    fn from(sql: String) -> Self {
        Self { sql, parameters: Vec::new() }
    }
}

/// What a statement needs in lines of `TYPE|name|ACTION`, or the word of its refusal.
pub type Reading = Result<BTreeSet<String>, &'static str>;

/// A way to read statements, of which figures are told apart.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub name: &'static str,
    pub read: fn(&Statement) -> Reading,
}

/// Every reader has rows of its own in the table. The first one is what `serve` does unless it is told otherwise.
pub const READERS: [Reader; 1] = [Reader { name: "first", read: first }];

/// The first reading alone.
fn first(statement: &Statement) -> Reading {
    let parameters: Vec<Parameter> = statement.parameters.iter().cloned().map(Parameter::Text).collect();
    let reading = sql::read(&statement.sql, &parameters).map_err(|refusal| refusal.code.as_str())?;
    Ok(reading.resources.iter().map(ResourceAction::to_line).collect())
}

/// What every reader reads.
pub fn read(statement: &Statement) -> [Reading; READERS.len()] {
    READERS.map(|reader| (reader.read)(statement))
}
