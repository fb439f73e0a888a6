//! The rows, service by service.

mod bodies;
mod broker;
mod catalog;
mod cluster;
mod console;
mod coordinator;
mod datasources;
mod overlord;
mod service;
mod settings;
mod sql;
mod supervisors;
mod tasks;
mod unserved;

use std::slice;
use std::sync::LazyLock;

use http::Method;

use super::row::{Alias, Answer, Body, ErrorShape, List, ParameterKind, QueryParameter, Row, Rule};
use crate::permission::{Action, ResourceType};

pub use unserved::UNSERVED;

static GROUPS: [&[Row]; 16] = [
    service::ROWS,
    sql::ROWS,
    bodies::ROWS,
    broker::ROWS,
    coordinator::ROWS,
    cluster::ROWS,
    datasources::ROWS,
    settings::ROWS,
    catalog::ROWS,
    tasks::ROWS,
    supervisors::ROWS,
    slice::from_ref(&supervisors::RESUME),
    slice::from_ref(&supervisors::SUSPEND),
    slice::from_ref(&supervisors::TERMINATE),
    overlord::ROWS,
    console::ROWS,
];

/// Every endpoint that the gate serves.
pub static ROWS: LazyLock<Vec<&'static Row>> = LazyLock::new(|| GROUPS.iter().copied().flatten().collect());

const READ: &[Action] = &[Action::Read];
const WRITE: &[Action] = &[Action::Write];
const READ_STATE: Rule = Rule::Holds(Action::Read, ResourceType::State, "STATE");
const WRITE_STATE: Rule = Rule::Holds(Action::Write, ResourceType::State, "STATE");
const READ_CONFIG: Rule = Rule::Holds(Action::Read, ResourceType::Config, "CONFIG");
const WRITE_CONFIG: Rule = Rule::Holds(Action::Write, ResourceType::Config, "CONFIG");

/// The parameters of every list of past changes. Druid: `AuditManager`.
const HISTORY: &[QueryParameter] = &[text("interval"), integer("count")];

const fn text(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Text }
}

const fn texts(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Texts }
}

const fn integer(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Integer }
}

const fn flag(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Flag }
}

/// A row of an endpoint that Druid 24 has already, under its own path alone, without parameters or a body, whose answer is
/// passed on.
const fn row(name: &'static str, method: Method, path: &'static str, rule: Rule) -> Row {
    Row {
        name,
        method,
        path,
        alias: Alias::None,
        since: 24,
        until: None,
        query: &[],
        rule,
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::AccessCheck,
    }
}

const fn get(name: &'static str, path: &'static str, rule: Rule) -> Row {
    row(name, Method::GET, path, rule)
}

const fn post(name: &'static str, path: &'static str, rule: Rule) -> Row {
    row(name, Method::POST, path, rule)
}

const fn delete(name: &'static str, path: &'static str, rule: Rule) -> Row {
    row(name, Method::DELETE, path, rule)
}

impl Row {
    const fn since(mut self, version: u32) -> Self {
        self.since = version;
        self
    }

    const fn until(mut self, version: u32) -> Self {
        self.until = Some(version);
        self
    }

    const fn query(mut self, query: &'static [QueryParameter]) -> Self {
        self.query = query;
        self
    }

    const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    const fn json(self) -> Self {
        self.body(Body::Json)
    }

    const fn answer(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    const fn list(self, list: List) -> Self {
        self.answer(Answer::List(list))
    }

    const fn errors(mut self, errors: ErrorShape) -> Self {
        self.errors = errors;
        self
    }

    const fn of_overlord(mut self) -> Self {
        self.alias = Alias::Overlord;
        self
    }

    const fn of_coordinator(mut self) -> Self {
        self.alias = Alias::Coordinator;
        self
    }
}
