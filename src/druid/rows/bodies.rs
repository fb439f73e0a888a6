//! What is judged by its body: native queries, tasks, supervisors, samplers, compaction. Druid: `QueryResource`,
//! `BrokerQueryResource`, `OverlordResource.taskPost`, `SupervisorResource.specPost`, `SamplerResource`,
//! `OverlordCompactionResource`, `CoordinatorCompactionConfigsResource`.

use super::{WRITE, WRITE_CONFIG, delete, flag, integer, post, text};
use crate::druid::row::{Answer, Body, ErrorShape, Row, Rule};

const fn judged(name: &'static str, path: &'static str, rule: Rule) -> Row {
    post(name, path, rule).body(Body::Judged)
}

pub static ROWS: &[Row] = &[
    judged("query", "/druid/v2", Rule::SubmitQuery)
        .query(&[text("pretty")])
        .answer(Answer::SqlQuery)
        .errors(ErrorShape::NativeSql),
    judged("query_candidates", "/druid/v2/candidates", Rule::QueryCandidates)
        .query(&[text("pretty"), integer("numCandidates")])
        .errors(ErrorShape::NativeSql),
    delete("query_cancel", "/druid/v2/{id}", Rule::OwnQuery).errors(ErrorShape::NativeSql),
    judged("task_submit", "/druid/indexer/v1/task", Rule::SubmitTask).of_overlord(),
    judged("supervisor_submit", "/druid/indexer/v1/supervisor", Rule::SubmitSupervisor)
        .query(&[flag("skipRestartIfUnmodified")])
        .of_overlord(),
    // The console says with [for] what it samples for.
    judged("sampler", "/druid/indexer/v1/sampler", Rule::Sample).query(&[text("for")]).of_overlord(),
    post("compaction_config_set", "/druid/coordinator/v1/config/compaction", WRITE_CONFIG).json().of_coordinator(),
    post(
        "datasource_compaction_set",
        "/druid/indexer/v1/compaction/config/datasources/{datasource}",
        Rule::Datasource(WRITE),
    )
    .body(Body::JsonOfDatasource)
    .since(31)
    .of_overlord(),
];
