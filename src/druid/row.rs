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
    /// The path; `{x}` stands for one segment, `{x*}` at the end for one or more. What `{id}` and `{datasource}` stand for
    /// is named in rules.
    pub path: &'static str,
    /// Other paths that are the same row.
    pub alias: Alias,
    /// The first version of Druid that has the endpoint (24 is the oldest that the gate knows).
    pub since: u32,
    /// The last version that has it, where newer ones do not.
    pub until: Option<u32>,
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
            Rule::Datasource(actions) => {
                let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                format!("{} DATASOURCE {{datasource}}", actions.join(" and "))
            }
            Rule::CatalogTable(action) => format!("{} on {{table}}, of its schema's type", action.as_str()),
            Rule::Supervisor(action) => format!("{} on every datasource of the supervisor", action.as_str()),
            Rule::EachSupervisor(_) => "an identity; done to those whose datasources one may all WRITE".to_owned(),
            Rule::SubmitSql(_) => "what the SQL needs".to_owned(),
            Rule::Avatica => "what the SQL needs, or to have opened the connection".to_owned(),
            Rule::SubmitQuery => "READ on what the query reads".to_owned(),
            Rule::QueryCandidates => "READ on what the query reads, WRITE STATE STATE".to_owned(),
            Rule::SubmitTask => {
                "WRITE on what the task writes, READ on what it reads, EXTERNAL for what is outside".to_owned()
            }
            Rule::SubmitSupervisor => "the same of the supervisor, WRITE on what the one of its id is about".to_owned(),
            Rule::Sample => {
                "WRITE STATE STATE, READ on what the sampler reads, EXTERNAL for what is outside".to_owned()
            }
            Rule::OwnQuery => "to have submitted it, or WRITE STATE STATE".to_owned(),
            Rule::OwnStatement if self.method == Method::GET => "to have submitted it, or READ STATE STATE".to_owned(),
            Rule::OwnStatement => "to have submitted it, or WRITE STATE STATE".to_owned(),
            Rule::OwnQueries => "an identity; lists one's own, or all with READ STATE STATE".to_owned(),
            Rule::ReadTask => "READ on the task's datasource".to_owned(),
            Rule::CancelTask => {
                "READ on a query's datasource ([policy] task_cancel), WRITE on another task's".to_owned()
            }
            Rule::FilteredList => format!("an identity; lists what one may {}", self.listed().as_str()),
        }
    }

    const fn listed(&self) -> Action {
        if let Answer::List(list) = self.answer { list.action() } else { List::Items.action() }
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

/// An endpoint of Druid that the gate does not serve.
#[derive(Debug, PartialEq, Eq)]
pub struct Unserved {
    /// Its methods.
    pub methods: &'static [Method],
    /// Its path, written as a row's.
    pub path: &'static str,
    /// Why it is not served.
    pub reason: &'static str,
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
    /// Any text, and more than one of it.
    Texts,
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
    /// Each of these actions on the datasource that the path names. Druid: `DatasourceResourceFilter`, `RulesResourceFilter`.
    Datasource(&'static [Action]),
    /// The same on the table of the catalog that the path names, of the resource type that its schema has.
    /// Druid: `CatalogResource.authorizeTable`.
    CatalogTable(Action),
    /// This action on every datasource of the supervisor that the path names. Druid: `SupervisorResourceFilter`.
    Supervisor(Action),
    /// An identity; done, by this row, to each supervisor of which the caller may do that.
    EachSupervisor(&'static Row),
    /// What the SQL in the body needs.
    SubmitSql(Engine),
    /// Of JDBC, by Avatica: what the SQL in the body needs; else to have opened the connection. Druid: `DruidMeta`.
    Avatica,
    /// What the native query in the body reads.
    SubmitQuery,
    /// The same and WRITE on the state: Druid tells where the segments of a query are. Druid: `BrokerQueryResource`.
    QueryCandidates,
    /// What the task in the body writes and reads.
    SubmitTask,
    /// What the supervisor in the body writes and reads, and WRITE on what those are about whose place it takes.
    SubmitSupervisor,
    /// What the sampler in the body reads, and WRITE on the state.
    Sample,
    /// To have submitted the native query, by SQL or not; WRITE on the state for anybody's.
    OwnQuery,
    /// To have submitted the statement; READ on the state for anybody's, WRITE to cancel it.
    OwnStatement,
    /// An identity; of the queries that are listed, the caller sees its own; all with READ on the state.
    OwnQueries,
    /// READ on the task's datasource.
    ReadTask,
    /// On the task's datasource: READ (or WRITE, where so configured) if the task is a query's, WRITE if it is not.
    CancelTask,
    /// An identity; of the list that is answered, the caller sees the items on whose datasources it has the list's action.
    /// Where it is asked for one `datasource`, that action on it.
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
    /// JSON on which the rule does not depend.
    Json,
    /// The same, whose `dataSource` is the one that the path names.
    JsonOfDatasource,
    /// JSON that says what the rule is about.
    Judged,
    /// The same, of whichever media type but protobuf's: drivers call it bytes. Druid: `DruidAvaticaJsonHandler`.
    Avatica,
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
    /// It is passed on, with the client's own name of its connection in the place of the one that Druid knows.
    Avatica,
    /// The Router's redirect to the console's page, whose host is left out.
    ConsoleRoot,
}

/// A list that Druid answers, and where its items name their datasource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// An array of objects with `dataSource`. Druid: `TaskStatusPlus`, `DataSegment`, `DataSourceInformation`.
    Items,
    /// An array of names of this type, or of objects with `name`, or with `id` that has it. Druid: `DataSourcesResource`,
    /// `MetadataResource`, `ClientInfoResource`, `CatalogResource.getTables`.
    Named(ResourceType),
    /// An object of which this one member is an array of objects with `dataSource`. Druid: `OverlordCompactionResource`.
    Wrapped(&'static str),
    /// An object of intervals, each an object of datasources. Druid: `IntervalsResource`.
    Intervals(Sums),
    /// An array of supervisors with their `spec`. Druid: `SupervisorResource.specGetAll`, `SupervisorStatus`.
    Supervisors(Shown),
    /// An object of supervisors, each an array of versions with a `spec`. Druid: `SupervisorResource.specGetAllHistory`.
    Histories,
    /// An array of versions with a `spec`; where none is seen there is no such supervisor.
    /// Druid: `SupervisorResource.specGetHistory`.
    History,
    /// An array of tables with `schema` and `name`, or with `id` that has them. Druid: `CatalogResource.getSchemas`.
    CatalogTables,
    /// An object whose `queries` is an array of the queries that run, with their `sqlQueryId`. Druid: `GetQueriesResponse`.
    Queries,
}

impl List {
    /// The action that the caller must have on what it sees. Druid: `SupervisorResource` takes WRITE.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Supervisors(_) => Action::Write,
            Self::Items
            | Self::Named(_)
            | Self::Wrapped(_)
            | Self::Intervals(_)
            | Self::Histories
            | Self::History
            | Self::CatalogTables
            | Self::Queries => Action::Read,
        }
    }
}

/// What is told of intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// Size and count of each datasource in each interval.
    None,
    /// Size and count of each interval.
    OfEach,
    /// Size and count of them all.
    OfAll,
}

/// What is told of each supervisor, of all that is asked of Druid to judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Its id.
    Id,
    /// All but its spec.
    WithoutSpec,
    /// All.
    All,
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
    /// `{"response":"error",..}` with status 500, of which alone drivers read the body. Avatica: `Service.ErrorResponse`,
    /// `AvaticaCommonsHttpClientImpl`.
    Avatica,
}
