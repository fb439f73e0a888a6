//! The catalogue: what of Druid the gate serves, as rows of data.
//!
//! A request is recognized, or it is refused; what is sent on is rendered from what was recognized, never from the
//! bytes that came. [`ROWS`] is the whole list; what Druid has beside it is in [`UNSERVED`].

#![deny(clippy::wildcard_enum_match_arm)]

pub mod avatica;
pub mod catalog;
pub mod context;
pub mod ingestion;
pub mod media_type;
pub mod naming;
pub mod native_query;
mod path;
mod query;
mod row;
mod rows;
pub mod segment;
pub mod sql_query;
pub mod stored_supervisor;
mod table;
pub mod task;

pub use path::{MAX_PATH, OddPath};
pub use query::{MAX_QUERY, OddQuery, form_decode};
pub use row::{
    Alias, Answer, Body, Engine, ErrorShape, List, ParameterKind, QueryParameter, Row, Rule, Shown, Sums, Unserved,
};
pub use rows::{ROWS, UNSERVED};

use http::Method;

/// A request that has its row: the row, and the values that fill its path and its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// The row.
    pub row: &'static Row,
    values: Vec<String>,
    query: Vec<(&'static str, String)>,
}

/// Why a request has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecognized {
    /// The path is not one that the gate reads: nothing of it is cleaned up.
    OddPath(OddPath),
    /// The row is known, its query string is not.
    OddQuery(&'static Row, OddQuery),
    /// No row has this path.
    NotFound,
    /// Druid has it, and it is not served.
    NotServed(&'static Unserved),
    /// Rows have this path, with these other methods.
    MethodNotAllowed(Vec<&'static Method>),
}

/// Finds the row of a request by its method, raw path and raw query string.
///
/// # Errors
/// [`Unrecognized`].
pub fn recognize(method: &Method, raw_path: &str, raw_query: Option<&str>) -> Result<Recognized, Unrecognized> {
    let segments = path::split(raw_path).map_err(Unrecognized::OddPath)?;
    let mut others = Vec::new();
    for (row, values) in table::rows_with(&segments) {
        if row.method != *method {
            others.push(&row.method);
            continue;
        }
        let values = path::decode(&values).map_err(Unrecognized::OddPath)?;
        let query = query::read(row.query, raw_query).map_err(|odd| Unrecognized::OddQuery(row, odd))?;
        return Recognized { row, values, query }.checked();
    }
    // A reason says more than that the last segment would do as a parameter of another method's row.
    let has = |unserved: &&Unserved| unserved.methods.contains(method) && path::covers(unserved.path, &segments.raw);
    if let Some(unserved) = UNSERVED.iter().find(has) {
        return Err(Unrecognized::NotServed(unserved));
    }
    if others.is_empty() { Err(Unrecognized::NotFound) } else { Err(Unrecognized::MethodNotAllowed(others)) }
}

impl Recognized {
    /// The request of this row for the supervisor of this id: what a request for many does to each.
    #[must_use]
    pub fn of_one(row: &'static Row, id: &str) -> Self {
        Self { row, values: vec![id.to_owned()], query: Vec::new() }
    }

    /// What stands in the path where the row has `{name}`; empty if it has no such parameter.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.place_of(name).and_then(|place| self.values.get(place)).map_or("", String::as_str)
    }

    /// What stands in the path where the row has `{id}`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.value("id")
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        path::parameters(self.row).position(|parameter| parameter == name)
    }

    /// The id of the task, supervisor, statement or query that the path names, if it is fit for a record.
    #[must_use]
    pub fn named_id(&self) -> Option<&str> {
        Some(self.id()).filter(|id| task::TaskId::new(id).is_some())
    }

    /// The value of a query parameter that the row lists; the first one of several.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// The request target for the Router: the row's own path, filled in and encoded anew.
    #[must_use]
    pub fn target(&self) -> String {
        self.render(&self.values, &self.query)
    }

    /// The same with another value in the place of `{id}`.
    #[must_use]
    pub fn target_for(&self, id: &str) -> String {
        let mut values = self.values.clone();
        if let Some(value) = self.place_of("id").and_then(|place| values.get_mut(place)) {
            id.clone_into(value);
        }
        self.render(&values, &self.query)
    }

    /// The same with a query parameter set: it takes the place of the one of this name.
    #[must_use]
    pub fn target_asking(&self, name: &'static str) -> String {
        let others = self.query.iter().filter(|(key, _)| *key != name).cloned();
        self.render(&self.values, &others.chain([(name, String::new())]).collect::<Vec<_>>())
    }

    /// Encoded anew, a sign such as `+` takes three bytes: what is sent is held to the bounds of what comes.
    fn checked(self) -> Result<Self, Unrecognized> {
        let target = self.target();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        if path.len() > MAX_PATH {
            return Err(Unrecognized::OddPath(OddPath::TooLong));
        }
        if query.len() > MAX_QUERY {
            return Err(Unrecognized::OddQuery(self.row, OddQuery::TooLong));
        }
        Ok(self)
    }

    fn render(&self, values: &[String], query: &[(&'static str, String)]) -> String {
        let mut target = path::render(self.row, values);
        query::render(query, &mut target);
        target
    }
}

/// A value as one segment of a path, percent-encoded.
#[must_use]
pub fn path_segment(value: &str) -> String {
    let mut segment = String::new();
    path::percent_encode(value, &mut segment);
    segment
}

#[cfg(test)]
mod tests;
