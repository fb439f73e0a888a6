//! The rows.

use http::Method;

use super::row::{Alias, Answer, Body, Engine, ErrorShape, List, ParameterKind, QueryParameter, Row, Rule};
use crate::permission::{Action, ResourceType};

const fn text(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Text }
}

const fn integer(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Integer }
}

const fn flag(name: &'static str) -> QueryParameter {
    QueryParameter { name, kind: ParameterKind::Flag }
}

/// A file of the web console, for anyone who is authenticated. Druid: `WebConsoleJettyServerInitializer`.
const fn console(name: &'static str, path: &'static str, answer: Answer) -> Row {
    Row {
        name,
        method: Method::GET,
        path,
        alias: Alias::None,
        since: 24,
        query: &[],
        rule: Rule::AnyIdentity,
        body: Body::None,
        answer,
        errors: ErrorShape::AccessCheck,
    }
}

/// Where SQL is submitted.
const fn submit(name: &'static str, path: &'static str, engine: Engine, since: u32) -> Row {
    let (answer, errors) = match engine {
        Engine::Native => (Answer::SqlQuery, ErrorShape::NativeSql),
        Engine::Task => (Answer::Pass, ErrorShape::SqlTask),
        Engine::Statements => (Answer::Pass, ErrorShape::Druid),
    };
    Row {
        name,
        method: Method::POST,
        path,
        alias: Alias::None,
        since,
        query: &[],
        rule: Rule::SubmitSql(engine),
        body: Body::Sql,
        answer,
        errors,
    }
}

/// A probe that anyone who is authenticated may make. Druid: `SqlTaskResource.doGetEnabled`.
const fn probe(name: &'static str, path: &'static str, since: u32) -> Row {
    Row {
        name,
        method: Method::GET,
        path,
        alias: Alias::None,
        since,
        query: &[],
        rule: Rule::AnyIdentity,
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::NativeSql,
    }
}

/// What one may do with a statement. Druid: `SqlStatementResource`.
const fn statement(name: &'static str, method: Method, path: &'static str, query: &'static [QueryParameter]) -> Row {
    Row {
        name,
        method,
        path,
        alias: Alias::None,
        since: 27,
        query,
        rule: Rule::OwnStatement,
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::Druid,
    }
}

/// What one may do with tasks. Druid: `OverlordResource`, `TaskResourceFilter`.
const fn overlord(
    name: &'static str,
    method: Method,
    path: &'static str,
    query: &'static [QueryParameter],
    rule: Rule,
    answer: Answer,
) -> Row {
    Row {
        name,
        method,
        path,
        alias: Alias::Overlord,
        since: 24,
        query,
        rule,
        body: Body::None,
        answer,
        errors: ErrorShape::AccessCheck,
    }
}

/// A list of tasks. Druid: `OverlordResource.getTasks` and its kin.
const fn tasks(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    overlord(name, Method::GET, path, query, Rule::FilteredList, Answer::List(List::Tasks))
}

/// A list of datasources. Druid: `ClientInfoResource`, `DataSourcesResource`, `MetadataResource`.
const fn datasources(name: &'static str, path: &'static str, alias: Alias, query: &'static [QueryParameter]) -> Row {
    Row {
        name,
        method: Method::GET,
        path,
        alias,
        since: 24,
        query,
        rule: Rule::FilteredList,
        body: Body::None,
        answer: Answer::List(List::Datasources),
        errors: ErrorShape::AccessCheck,
    }
}

/// `/status` of a service that the Router reaches. Druid: `StatusResource`, `StateResourceFilter`.
const fn status(name: &'static str, path: &'static str) -> Row {
    Row {
        name,
        method: Method::GET,
        path,
        alias: Alias::None,
        since: 24,
        query: &[],
        rule: Rule::Holds(Action::Read, ResourceType::State, "STATE"),
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::AccessCheck,
    }
}

/// Every endpoint that the gate serves. A row before another wins where both match.
pub static ROWS: &[Row] = &[
    Row {
        name: "status_health",
        method: Method::GET,
        path: "/status/health",
        alias: Alias::None,
        since: 24,
        query: &[],
        rule: Rule::Open,
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::AccessCheck,
    },
    status("status", "/status"),
    status("status_coordinator", "/proxy/coordinator/status"),
    status("status_overlord", "/proxy/overlord/status"),
    submit("sql", "/druid/v2/sql", Engine::Native, 24),
    submit("sql_task", "/druid/v2/sql/task", Engine::Task, 24),
    probe("sql_task_enabled", "/druid/v2/sql/task/enabled", 24),
    submit("statement_submit", "/druid/v2/sql/statements", Engine::Statements, 27),
    probe("statement_enabled", "/druid/v2/sql/statements/enabled", 27),
    statement("statement_status", Method::GET, "/druid/v2/sql/statements/{id}", &[flag("detail")]),
    statement("statement_cancel", Method::DELETE, "/druid/v2/sql/statements/{id}", &[]),
    statement(
        "statement_results",
        Method::GET,
        "/druid/v2/sql/statements/{id}/results",
        &[integer("page"), text("resultFormat"), text("filename")],
    ),
    Row {
        name: "sql_cancel",
        method: Method::DELETE,
        path: "/druid/v2/sql/{id}",
        alias: Alias::None,
        since: 24,
        query: &[],
        rule: Rule::OwnSqlQuery,
        body: Body::None,
        answer: Answer::Pass,
        errors: ErrorShape::NativeSql,
    },
    datasources("datasource_list", "/druid/v2/datasources", Alias::None, &[]),
    datasources(
        "datasource_list_loaded",
        "/druid/coordinator/v1/datasources",
        Alias::Coordinator,
        &[text("simple"), text("full")],
    ),
    datasources(
        "datasource_list_used",
        "/druid/coordinator/v1/metadata/datasources",
        Alias::Coordinator,
        &[text("full"), text("includeUnused")],
    ),
    tasks(
        "task_list",
        "/druid/indexer/v1/tasks",
        &[text("state"), text("datasource"), text("createdTimeInterval"), integer("max"), text("type")],
    ),
    tasks("task_list_running", "/druid/indexer/v1/runningTasks", &[text("type")]),
    tasks("task_list_pending", "/druid/indexer/v1/pendingTasks", &[]),
    tasks("task_list_waiting", "/druid/indexer/v1/waitingTasks", &[]),
    tasks("task_list_complete", "/druid/indexer/v1/completeTasks", &[integer("n")]),
    Row {
        name: "task_statuses",
        method: Method::POST,
        path: "/druid/indexer/v1/taskStatus",
        alias: Alias::Overlord,
        since: 24,
        query: &[],
        rule: Rule::Holds(Action::Write, ResourceType::State, "STATE"),
        body: Body::TaskIds,
        answer: Answer::Pass,
        errors: ErrorShape::AccessCheck,
    },
    overlord("task_payload", Method::GET, "/druid/indexer/v1/task/{id}", &[], Rule::ReadTask, Answer::Pass),
    overlord("task_status", Method::GET, "/druid/indexer/v1/task/{id}/status", &[], Rule::ReadTask, Answer::Pass),
    overlord("task_reports", Method::GET, "/druid/indexer/v1/task/{id}/reports", &[], Rule::ReadTask, Answer::Pass),
    overlord(
        "task_log",
        Method::GET,
        "/druid/indexer/v1/task/{id}/log",
        &[integer("offset")],
        Rule::ReadTask,
        Answer::Pass,
    ),
    overlord("task_cancel", Method::POST, "/druid/indexer/v1/task/{id}/shutdown", &[], Rule::CancelTask, Answer::Pass),
    console("console_root", "/", Answer::ConsoleRoot),
    console("console_page", "/unified-console.html", Answer::Pass),
    console("console_config", "/console-config.js", Answer::Pass),
    console("console_icon", "/favicon.png", Answer::Pass),
    console("console_public", "/public/{file*}", Answer::Pass),
    console("console_assets", "/assets/{file*}", Answer::Pass),
];
