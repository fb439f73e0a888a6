//! SQL: submitting it, and what becomes of queries. Druid: `SqlResource`, `SqlTaskResource`, `SqlStatementResource`.

use http::Method;

use super::{delete, flag, get, integer, post, row, text};
use crate::druid::row::{Answer, Body, Engine, ErrorShape, List, QueryParameter, Row, Rule};

const fn submit(name: &'static str, path: &'static str, engine: Engine) -> Row {
    let (answer, errors) = match engine {
        Engine::Native => (Answer::SqlQuery, ErrorShape::NativeSql),
        Engine::Task => (Answer::Pass, ErrorShape::SqlTask),
        Engine::Statements => (Answer::Pass, ErrorShape::Druid),
    };
    post(name, path, Rule::SubmitSql(engine)).body(Body::Sql).answer(answer).errors(errors)
}

/// A probe that anyone who is authenticated may make.
const fn probe(name: &'static str, path: &'static str) -> Row {
    get(name, path, Rule::AnyIdentity).errors(ErrorShape::NativeSql)
}

const fn statement(name: &'static str, method: Method, path: &'static str, query: &'static [QueryParameter]) -> Row {
    row(name, method, path, Rule::OwnStatement).since(27).query(query).errors(ErrorShape::Druid)
}

pub static ROWS: &[Row] = &[
    submit("sql", "/druid/v2/sql", Engine::Native),
    submit("sql_task", "/druid/v2/sql/task", Engine::Task),
    probe("sql_task_enabled", "/druid/v2/sql/task/enabled"),
    submit("statement_submit", "/druid/v2/sql/statements", Engine::Statements).since(27),
    probe("statement_enabled", "/druid/v2/sql/statements/enabled").since(27),
    statement("statement_status", Method::GET, "/druid/v2/sql/statements/{id}", &[flag("detail")]),
    statement("statement_cancel", Method::DELETE, "/druid/v2/sql/statements/{id}", &[]),
    statement(
        "statement_results",
        Method::GET,
        "/druid/v2/sql/statements/{id}/results",
        &[integer("page"), text("resultFormat"), text("filename")],
    ),
    post("avatica", "/druid/v2/sql/avatica", Rule::Avatica)
        .body(Body::Avatica)
        .answer(Answer::Avatica)
        .errors(ErrorShape::Avatica),
    probe("sql_engines", "/druid/v2/sql/engines").since(34),
    get("sql_queries", "/druid/v2/sql/queries", Rule::OwnQueries)
        .since(34)
        .query(&[flag("selfOnly")])
        .answer(Answer::List(List::Queries))
        .errors(ErrorShape::NativeSql),
    delete("sql_cancel", "/druid/v2/sql/{id}", Rule::OwnQuery).errors(ErrorShape::NativeSql),
];
