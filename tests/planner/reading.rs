//! What the gate reads in a statement, by one reader or another.

use std::collections::BTreeSet;

use msq_gate::permission::ResourceAction;
use msq_gate::reading_pool::{Verdict, on_large_stack};
use msq_gate::sql::{self, ExternalRules, Parameter, RefusalCode, SecondReading};

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

/// The first one is what `serve` does unless it is told otherwise, but for its patience.
pub const READERS: [Reader; 2] = [Reader { name: "both", read: both }, Reader { name: "first", read: first }];

fn parameters(statement: &Statement) -> Vec<Parameter> {
    statement.parameters.iter().cloned().map(Parameter::Text).collect()
}

fn lines(reading: &sql::Reading) -> BTreeSet<String> {
    reading.resources.iter().map(ResourceAction::to_line).collect()
}

/// The first reading alone.
fn first(statement: &Statement) -> Reading {
    let reading = sql::read(&statement.sql, &parameters(statement)).map_err(|refusal| refusal.code.as_str())?;
    Ok(lines(&reading))
}

/// The first reading, if the second finds no more.
fn both(statement: &Statement) -> Reading {
    let (sql, parameters) = (&statement.sql, parameters(statement));
    let read = sql::read_and_keep(&ExternalRules::default(), sql, &parameters);
    let (first, query) = read.map_err(|refusal| refusal.code.as_str())?;
    if SecondReading::default().reads(sql)
        && let Verdict::Disagreed(_) = Verdict::of(&first, query.read(sql, &parameters))
    {
        return Err(RefusalCode::ReadingsDisagree.as_str());
    }
    Ok(lines(&first))
}

/// What every reader reads in each of them.
pub fn read(statements: &[Statement]) -> Vec<[Reading; READERS.len()]> {
    let read = |statement| READERS.map(|reader| (reader.read)(statement));
    on_large_stack(|| statements.iter().map(read).collect()).unwrap()
}
