//! Why a request needs what it needs, for people who want to know.
//!
//! Nothing is decided here: what is needed was found before, and each of it gets its reason.

use super::{Inspected, Inspector, RequestBody, sql_parameters, system_tables_need};
use crate::druid::sql_query::SqlQuery;
use crate::druid::{Recognized, Rule};
use crate::permission::ResourceAction;
use crate::policy::Subject;
use crate::sql::{self, PlaceRole, Position};

/// Why a permission is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The permission.
    pub needs: ResourceAction,
    /// What says so.
    pub at: Place,
    /// By which rule; one line.
    pub why: &'static str,
}

/// What says that a permission is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A name, a string or a call in the SQL.
    Sql {
        /// Where it begins.
        at: Position,
        /// It, as it is written.
        text: String,
    },
    /// A member of the JSON body, by its pointer (RFC 6901).
    Body(String),
    /// A query parameter, by its name.
    Query(&'static str),
    /// What Druid stores of the task that the path names.
    Task,
    /// Nothing but the row itself.
    Row,
}

impl<D> Inspector<D> {
    /// The reasons of each permission that `inspected` needs, in the order of the permissions; each has one at least.
    #[must_use]
    pub fn reasons(
        &self,
        recognized: &Recognized,
        body: Option<RequestBody<'_>>,
        inspected: &Inspected,
    ) -> Vec<Reason> {
        let candidates = self.candidates(recognized.row.rule, body);
        let of = |needs: &ResourceAction| {
            let mut found: Vec<Reason> = candidates.iter().filter(|reason| reason.needs == *needs).cloned().collect();
            if found.is_empty() {
                let (at, why) = by_rule(recognized.row.rule);
                found.push(Reason { needs: needs.clone(), at, why });
            }
            found
        };
        inspected.need().permissions().flat_map(of).collect()
    }

    /// What in the body needs something, and what.
    fn candidates(&self, rule: Rule, body: Option<RequestBody<'_>>) -> Vec<Reason> {
        match (rule, body) {
            (Rule::SubmitSql(_), Some(body)) => {
                SqlQuery::read(body.form, body.bytes).map(|query| self.of_sql(&query)).unwrap_or_default()
            }
            (
                Rule::SubmitSql(_)
                | Rule::Open
                | Rule::AnyIdentity
                | Rule::Holds(..)
                | Rule::OwnSqlQuery
                | Rule::OwnStatement
                | Rule::ReadTask
                | Rule::CancelTask
                | Rule::FilteredList,
                _,
            ) => Vec::new(),
        }
    }

    fn of_sql(&self, query: &SqlQuery) -> Vec<Reason> {
        let sql = &query.sql;
        let at = |offset: usize, text: Option<&str>| Place::Sql {
            at: Position::of(sql, offset),
            text: text.unwrap_or_default().to_owned(),
        };
        let mut reasons = Vec::new();
        for place in sql::places(&self.external, sql, &sql_parameters(query)).unwrap_or_default() {
            let (why, marked) = (place.role.why(), at(place.range.start, sql.get(place.range)));
            let of = |needs: ResourceAction| Reason { needs, at: marked.clone(), why };
            reasons.extend(place.needs.into_iter().map(of));
            if place.role == PlaceRole::SystemTable {
                reasons.extend(system_tables_need().into_iter().map(of));
            }
        }
        for key in query.context_keys() {
            reasons.extend(self.of_key(key, || Place::Body(pointer(&["context", key]))));
        }
        for option in sql::read_by(&self.external, sql, &sql_parameters(query)).into_iter().flat_map(|r| r.set_options)
        {
            reasons.extend(self.of_key(&option.name, || at(option.at, Some(&option.name))));
        }
        reasons
    }

    fn of_key(&self, key: &str, at: impl Fn() -> Place) -> impl Iterator<Item = Reason> {
        let why = "[sql] query_context: setting this key takes a permission on it";
        self.context_keys.permissions(std::iter::once(key)).into_iter().map(move |needs| Reason {
            needs,
            at: at(),
            why,
        })
    }
}

/// The reason of what no part of the body needs.
const fn by_rule(rule: Rule) -> (Place, &'static str) {
    match rule {
        Rule::Open | Rule::AnyIdentity | Rule::Holds(..) => (Place::Row, "every request of this row needs it"),
        Rule::SubmitSql(_) => (Place::Row, "the statement as a whole"),
        Rule::OwnSqlQuery | Rule::OwnStatement => (Place::Row, "somebody else submitted it"),
        Rule::ReadTask => (Place::Task, "the task is of this datasource, whatever it is called"),
        Rule::CancelTask => (
            Place::Task,
            "the task is of this datasource; cancelling a query takes what [policy] task_cancel says, another task WRITE",
        ),
        Rule::FilteredList => (Place::Query("datasource"), "the list is asked for this datasource"),
    }
}

/// A JSON pointer of these steps (RFC 6901, section 3).
fn pointer(steps: &[&str]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}
