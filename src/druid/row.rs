//! What a row of the catalogue says.

use http::Method;

use crate::permission::{Action, ResourceType};

/// One endpoint of Druid that the gate serves.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The name of the row in the audit record and in `msq-gate routes`.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path; `{x}` stands for one segment, `{x*}` at the end for one or more.
    pub path: &'static str,
    /// Other paths that are the same row.
    pub alias: Alias,
    /// The first version of Druid that has the endpoint (24 is the oldest that the gate knows).
    pub since: u32,
    /// The query parameters that are served; any other is refused.
    pub query: &'static [QueryParameter],
    /// What the caller needs.
    pub rule: Rule,
    /// What of the request's body is judged and sent.
    pub body: Body,
    /// What becomes of Druid's answer.
    pub answer: Answer,
    /// The shape in which this API tells errors.
    pub errors: ErrorShape,
}

impl Row {
    /// What the caller needs, for people.
    #[must_use]
    pub fn needs(&self) -> String {
        match self.rule {
            Rule::Open => "nothing".to_owned(),
            Rule::AnyIdentity => "an identity".to_owned(),
            Rule::Holds(action, resource_type, name) => {
                format!("{} {} {name}", action.as_str(), resource_type.as_str())
            }
            Rule::SubmitSql(_) => "what the SQL needs".to_owned(),
            Rule::OwnSqlQuery | Rule::OwnStatement => "to have submitted it".to_owned(),
            Rule::ReadTask => "READ on the task's datasource".to_owned(),
            Rule::CancelTask => {
                "READ on a query's datasource ([policy] task_cancel), WRITE on another task's".to_owned()
            }
            Rule::FilteredList => {
                "an identity; of the list it sees what names a datasource that it may READ".to_owned()
            }
        }
    }
}

/// Under which other paths a row is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// Under no other.
    None,
    /// Under the Router's `/proxy/overlord` and `/proxy/coordinator` too: both reach the Overlord.
    Overlord,
    /// Under the Router's `/proxy/coordinator` too.
    Coordinator,
}

impl Alias {
    /// The prefixes under which the row is served, its own path's (none) first.
    #[must_use]
    pub const fn prefixes(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::None => &[&[]],
            Self::Overlord => &[&[], &["proxy", "overlord"], &["proxy", "coordinator"]],
            Self::Coordinator => &[&[], &["proxy", "coordinator"]],
        }
    }
}

/// A query parameter that a row serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryParameter {
    /// Its name, case-sensitive as Druid's.
    pub name: &'static str,
    /// What its value may be.
    pub kind: ParameterKind,
}

/// What the value of a query parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text.
    Text,
    /// Decimal digits, with a minus sign before them or none.
    Integer,
    /// `true` or `false`.
    Flag,
}

/// What the caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Nothing, not even an identity. The gate answers such a row itself: nothing goes to Druid.
    Open,
    /// To be authenticated.
    AnyIdentity,
    /// This permission.
    Holds(Action, ResourceType, &'static str),
    /// What the SQL in the body needs.
    SubmitSql(Engine),
    /// To have submitted the native SQL query.
    OwnSqlQuery,
    /// To have submitted the statement.
    OwnStatement,
    /// READ on the task's datasource.
    ReadTask,
    /// On the task's datasource: READ (or WRITE, where so configured) if the task is a query's, WRITE if it is not.
    CancelTask,
    /// An identity; of the list that is answered, the caller sees the items whose datasource it may read. Where it is
    /// asked for one `datasource`, READ on that.
    FilteredList,
}

/// Which of the three SQL APIs a statement was submitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `/druid/v2/sql`
    Native,
    /// `/druid/v2/sql/task`
    Task,
    /// `/druid/v2/sql/statements`
    Statements,
}

/// What of the request's body is judged and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing: no body is sent to Druid.
    None,
    /// SQL, as JSON, text or form. Druid: `SqlQuery`.
    Sql,
    /// A JSON array of task ids.
    TaskIds,
}

/// What becomes of Druid's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is passed on.
    Pass,
    /// The same, with the headers that name a native query's id giving the client its own id back.
    SqlQuery,
    /// Of this list, the items whose datasource the caller may read.
    List(List),
    /// The Router's redirect to the console's page, whose host is left out.
    ConsoleRoot,
}

/// A list that Druid answers, and where its items name their datasource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Objects with `dataSource`. Druid: `OverlordResource.getTasks`, `TaskStatusPlus`.
    Tasks,
    /// Names, or objects with `name`. Druid: `DataSourcesResource`, `MetadataResource`, `ClientInfoResource`.
    Datasources,
}

/// In which shape an API tells errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorShape {
    /// `{"taskId":..,"state":"FAILED","error":{..}}`, Druid: `SqlTaskStatus`.
    SqlTask,
    /// `{"error":"druidException",..}`, Druid: `ErrorResponse`.
    Druid,
    /// The same, but 403 as `{"Access-Check-Result":..}`.
    NativeSql,
    /// `{"error":..}`, and 403 as `{"Access-Check-Result":..}`. Druid: `ForbiddenExceptionMapper`.
    AccessCheck,
}
