//! Statements read as `serve` reads them, or by one of its readings alone.

use super::Readings;
use crate::config::SqlSettings;
use crate::druid::sql_query::SqlQuery;
use crate::inspect::{self, context_keys, read_sql, sql_parameters};
use crate::permission::Action;
use crate::proxy::Rejection;
use crate::sql::{self, Position, Reading, Second};

/// How statements are read.
pub(super) struct Reader {
    pub settings: SqlSettings,
    pub readings: Readings,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unread {
    /// `serve` refuses it too.
    Refused(inspect::Refusal),
    /// The second reading alone was asked for, and cannot tell.
    NotReadTwice(&'static str, &'static str),
}

impl Unread {
    /// The reason code, the place in the statement if it has one, and what to do.
    pub(super) fn told(self) -> (&'static str, Option<Position>, String) {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::NotReadTwice(code, message) => return (code, None, message.to_owned()),
        };
        let message = refusal.to_string();
        match Rejection::from(refusal) {
            Rejection::BadRequest { code, at, .. } => (code, at, message),
            other => (other.reason(), None, message),
        }
    }
}

impl From<inspect::Refusal> for Unread {
    fn from(refusal: inspect::Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Reader {
    /// What the SQL of an envelope needs, with what the keys of its context need.
    pub(super) fn read(&self, query: &SqlQuery) -> Result<Reading, Unread> {
        let (first, kept) = read_sql(query, &self.settings.external)?;
        let keys = context_keys(query, &first, &self.settings.context_keys)?;
        let mut reading = match self.readings {
            Readings::First => first,
            Readings::Both if !self.settings.second_reading.reads(&query.sql) => first,
            Readings::Both => within(first, kept.read(&query.sql, &sql_parameters(query)))?,
            Readings::Second => alone(first, kept.read(&query.sql, &sql_parameters(query)))?,
        };
        reading.resources.extend(keys);
        Ok(reading)
    }
}

/// The first reading, unless the second finds more.
fn within(first: Reading, second: Second) -> Result<Reading, Unread> {
    match second {
        Second::Found(found) if !found.is_within(&first) => {
            Err(Unread::Refused(inspect::Refusal::Sql(Box::new(sql::readings_disagree()))))
        }
        Second::Found(_) | Second::NotParsed | Second::TooLong => Ok(first),
    }
}

/// What the second reading finds, and from the first what stands outside the query.
fn alone(mut first: Reading, second: Second) -> Result<Reading, Unread> {
    let found = match second {
        Second::Found(found) => found,
        Second::NotParsed => {
            let message = "the second reading does not understand it; leave --reading out to see what the first says";
            return Err(Unread::NotReadTwice("not_parsed", message));
        }
        Second::TooLong => {
            let message = "it has too many tokens to be read twice; leave --reading out to see what the first says";
            return Err(Unread::NotReadTwice("too_long", message));
        }
    };
    first.resources.retain(|resource| resource.action == Action::Write);
    first.resources.extend(found.resources);
    first.system_tables = found.system_tables;
    Ok(first)
}
