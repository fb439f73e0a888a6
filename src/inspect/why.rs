//! Why a request needs what it needs, for people who want to know.
//!
//! Nothing is decided here: what is needed was found before, and each of it gets its reason.

mod body;

use std::collections::BTreeSet;

use super::{Inspected, Inspector, RequestBody, sql_parameters, system_table_needs};
use crate::druid::Rule;
use crate::druid::avatica::{Asks, AvaticaRequest};
use crate::druid::ingestion::supervisor;
use crate::druid::sql_query::SqlQuery;
use crate::json::{self, Json};
use crate::permission::{ResourceAction, ResourceType};
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
    /// The path.
    Path,
    /// A query parameter, by its name.
    Query(&'static str),
    /// What Druid stores of the task that the path names.
    Task,
    /// What Druid stores of a supervisor: that of this id.
    Supervisor,
    /// Nothing but the row itself.
    Row,
}

impl<D> Inspector<D> {
    /// The reasons of each permission that `inspected` needs, in the order of the permissions; each has one at least.
    #[must_use]
    pub fn reasons(&self, body: Option<RequestBody<'_>>, inspected: &Inspected) -> Vec<Reason> {
        let rule = inspected.row.rule;
        let candidates = body.map(|body| self.candidates(rule, body)).unwrap_or_default();
        let of = |needs: &ResourceAction| {
            let mut found: Vec<Reason> = candidates.iter().filter(|reason| reason.needs == *needs).cloned().collect();
            if found.is_empty() {
                let (at, why) = by_rule(rule, needs);
                found.push(Reason { needs: needs.clone(), at, why });
            }
            found
        };
        inspected.need().permissions().flat_map(of).collect()
    }

    /// What in the body needs something, and what.
    fn candidates(&self, rule: Rule, body: RequestBody<'_>) -> Vec<Reason> {
        match rule {
            Rule::SubmitSql(_) => {
                SqlQuery::read(body.form, body.bytes).map(|query| self.of_sql(&query, "")).unwrap_or_default()
            }
            Rule::SubmitQuery | Rule::QueryCandidates => {
                let query = json::parse_bytes(body.bytes).unwrap_or(Json::Null);
                let keys = query.get("context").map(members).unwrap_or_default();
                let of_keys =
                    keys.iter().flat_map(|(key, _)| self.of_key(key, || Place::Body(body::below("/context", key))));
                of_keys.chain(body::of_query(&query)).collect()
            }
            Rule::SubmitTask | Rule::SubmitSupervisor | Rule::Sample => {
                let spec = json::parse_bytes(body.bytes).unwrap_or(Json::Null);
                let mut reasons = body::of_spec(&spec, &self.external);
                // No task has SQL of its own.
                let statement = supervisor::read(&spec).ok().and_then(|found| found.statement);
                reasons.extend(statement.into_iter().flat_map(|query| self.of_sql(&query, "/spec")));
                reasons
            }
            Rule::Avatica => {
                let Ok(AvaticaRequest { asks: Asks::Statement(sql), .. }) = AvaticaRequest::read(body.bytes) else {
                    return Vec::new();
                };
                SqlQuery::from_text(sql).map(|query| self.of_sql(&query, "")).unwrap_or_default()
            }
            Rule::Open
            | Rule::AnyIdentity
            | Rule::Holds(..)
            | Rule::Datasource(_)
            | Rule::CatalogTable(_)
            | Rule::Supervisor(_)
            | Rule::EachSupervisor(_)
            | Rule::OwnQuery
            | Rule::OwnStatement
            | Rule::OwnQueries
            | Rule::ReadTask
            | Rule::CancelTask
            | Rule::FilteredList => Vec::new(),
        }
    }

    /// `envelope` is the pointer of what holds the statement.
    fn of_sql(&self, query: &SqlQuery, envelope: &str) -> Vec<Reason> {
        let sql = &query.sql;
        let at = |offset: usize, text: Option<&str>| Place::Sql {
            at: Position::of(sql, offset),
            text: text.unwrap_or_default().to_owned(),
        };
        let mut reasons = Vec::new();
        let parameters = sql_parameters(query);
        let Ok(reading) = sql::read_by(&self.external, sql, &parameters) else { return Vec::new() };
        for place in sql::places(&self.external, sql, &parameters).unwrap_or_default() {
            let (why, marked) = (place.role.why(), at(place.range.start, sql.get(place.range)));
            let of = |needs: ResourceAction| Reason { needs, at: marked.clone(), why };
            reasons.extend(place.needs.into_iter().map(of));
            let is_system = place.role == PlaceRole::SystemTable;
            let tables = reading.system_tables.iter().filter(|table| is_system && table.name == place.name);
            reasons.extend(tables.flat_map(system_table_needs).map(of));
        }
        let context = body::below(envelope, "context");
        for key in query.context_keys() {
            reasons.extend(self.of_key(key, || Place::Body(body::below(&context, key))));
        }
        for option in reading.set_options {
            reasons.extend(self.of_key(&option.name, || at(option.at, Some(&option.name))));
        }
        reasons
    }

    fn of_key(&self, key: &str, at: impl Fn() -> Place) -> Vec<Reason> {
        let why = "[sql] query_context: setting this key takes a permission on it";
        let needs: BTreeSet<ResourceAction> = self.context_keys.permissions(std::iter::once(key));
        needs.into_iter().map(|needs| Reason { needs, at: at(), why }).collect()
    }
}

fn members(object: &Json) -> &[(String, Json)] {
    if let Json::Object(members) = object { members } else { &[] }
}

/// The reason of what no part of the body needs.
fn by_rule(rule: Rule, needs: &ResourceAction) -> (Place, &'static str) {
    match rule {
        Rule::Open | Rule::AnyIdentity | Rule::Holds(..) | Rule::EachSupervisor(_) => (Place::Row, OF_ROW),
        Rule::QueryCandidates | Rule::Sample if needs.resource_type == ResourceType::State => (Place::Row, OF_ROW),
        Rule::SubmitSql(_)
        | Rule::Avatica
        | Rule::SubmitQuery
        | Rule::QueryCandidates
        | Rule::SubmitTask
        | Rule::Sample => (Place::Row, "the body as a whole"),
        Rule::SubmitSupervisor => {
            (Place::Supervisor, "the supervisor that has this id is of this datasource, and would give up its place")
        }
        Rule::Datasource(_) if *needs == ResourceAction::every(needs.action, needs.resource_type) => {
            (Place::Path, "the path names a segment of another datasource")
        }
        Rule::Datasource(_) => (Place::Path, "the path names this datasource"),
        Rule::CatalogTable(_) => (Place::Path, "the path names this table, of its schema's type"),
        Rule::Supervisor(_) => (Place::Supervisor, "the supervisor is of this datasource"),
        Rule::OwnQuery | Rule::OwnStatement => (Place::Path, "the id is of a query that somebody else submitted"),
        Rule::OwnQueries => (Place::Row, "the queries of others are listed to who may read the state"),
        Rule::ReadTask => (Place::Task, "the task is of this datasource, whatever it is called"),
        Rule::CancelTask => (
            Place::Task,
            "the task is of this datasource; cancelling a query takes what [policy] task_cancel says, another task WRITE",
        ),
        Rule::FilteredList if needs.resource_type == ResourceType::Datasource => {
            (Place::Query("datasource"), "the list is asked for this datasource")
        }
        Rule::FilteredList => (Place::Row, OF_ROW),
    }
}

const OF_ROW: &str = "every request of this row needs it";
