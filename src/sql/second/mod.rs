//! The second reading: the query of a statement as `sqlparser` understands it.
//!
//! It takes the tokens of the first reading, and of what that found only where the query begins. What it finds beyond the
//! first is an alarm; where it does not understand, the first stands.

use std::cell::Cell;
use std::collections::BTreeSet;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token as ParserToken;

use super::refusal::Fault;
use super::token::Token;
use super::{Parameter, Reading, Refusal, RefusalCode, SystemTable};
use crate::permission::{ResourceAction, ResourceType};

mod dialect;
#[cfg(test)]
mod tests;
mod tokens;
mod walk;
mod words;

use dialect::DruidDialect;

/// The text up to which statements are read twice unless the configuration says otherwise: what people and dashboards
/// write is shorter, and what is longer holds data.
pub const DEFAULT_MAX_BYTES: usize = 64 * 1024;

/// The most tokens that are read twice. `sqlparser` takes one microsecond for each, or ten where they are SELECTs.
pub const MAX_TOKENS: usize = 50_000;

/// How deep `sqlparser` may descend: a query within a query is two or three levels. Each takes up to 25 KiB of stack, and
/// 100 KiB where the program is not optimized.
const MAX_LEVELS: usize = 300;

/// Expressions that `sqlparser` may begin, for each token. No statement of the corpus takes more than one.
const STEPS_FOR_EACH_TOKEN: usize = 4;

/// Which statements are read twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondReading {
    /// All.
    Always,
    /// Those of so many bytes at most.
    UpTo(usize),
    /// None.
    Off,
}

impl SecondReading {
    /// Whether this text is read twice.
    #[must_use]
    pub const fn reads(self, text: &str) -> bool {
        match self {
            Self::Always => true,
            Self::UpTo(bytes) => text.len() <= bytes,
            Self::Off => false,
        }
    }
}

impl Default for SecondReading {
    fn default() -> Self {
        Self::UpTo(DEFAULT_MAX_BYTES)
    }
}

/// What the second reading takes of the first.
#[derive(Clone, Debug)]
pub struct Query {
    /// The tokens of the whole statement.
    tokens: Vec<Token>,
    /// The token with which its query begins, if that is known.
    begins: Option<usize>,
}

/// What the second reading comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Second {
    /// The query reads this.
    Found(Found),
    /// `sqlparser` does not understand the query.
    NotParsed,
    /// The statement has more than [`MAX_TOKENS`] tokens.
    TooLong,
}

/// What the second reading finds: all but the target of INSERT and REPLACE, which is not a part of the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What is read.
    pub resources: BTreeSet<ResourceAction>,
    /// The tables of `sys` and `INFORMATION_SCHEMA` that are named.
    pub system_tables: BTreeSet<SystemTable>,
}

impl Query {
    pub(super) const fn new(tokens: Vec<Token>, begins: Option<usize>) -> Self {
        Self { tokens, begins }
    }

    /// Reads the query; `text` and `parameters` are those that it was made of. It may take 30 MiB of stack.
    #[must_use]
    pub fn read(&self, text: &str, parameters: &[Parameter]) -> Second {
        if self.tokens.len() > MAX_TOKENS {
            return Second::TooLong;
        }
        let converted = self.begins.and_then(|begins| tokens::convert(text, &self.tokens, begins, parameters));
        converted.and_then(parse).map_or(Second::NotParsed, Second::Found)
    }
}

fn parse(tokens::Converted { tokens, queries }: tokens::Converted) -> Option<Found> {
    let dialect = DruidDialect { queries, steps_left: Cell::new(tokens.len() * STEPS_FOR_EACH_TOKEN) };
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_LEVELS).with_tokens_with_locations(tokens);
    let query = parser.parse_query().ok()?;
    if parser.peek_token_ref().token == ParserToken::EOF { walk::found(&query) } else { None }
}

impl Found {
    /// Whether the first reading found all of it. What EXTERN needs has a name that depends on settings; any will do.
    #[must_use]
    pub fn is_within(&self, first: &Reading) -> bool {
        let is_external = |resource: &ResourceAction| resource.resource_type == ResourceType::External;
        let is_alike =
            |found: &ResourceAction, known: &ResourceAction| is_external(known) && found.action == known.action;
        let is_known = |found: &ResourceAction| {
            first.resources.contains(found)
                || is_external(found) && first.resources.iter().any(|known| is_alike(found, known))
        };
        self.resources.iter().all(is_known) && self.system_tables.is_subset(&first.system_tables)
    }
}

/// The refusal of a statement in which the second reading finds what the first does not.
#[must_use]
pub fn readings_disagree() -> Refusal {
    let message = "the gate's two readings of this statement do not agree on what it reads; write it simpler, each table \
                   by its name in FROM, and tell who runs the gate: its record of this request has the statement's hash";
    Fault::new(RefusalCode::ReadingsDisagree, 0, message).in_text("")
}
