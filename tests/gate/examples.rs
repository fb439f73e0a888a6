//! Real requests for the rows of the catalogue, with the objects in the bed that they are about.
//!
//! A request that would change what other tests look at is about an object that is thrown away, or has a body or an
//! interval with which Druid fails after it has authorized.

use std::sync::{LazyLock, Mutex};

use msq_gate::druid::{Body, Row, Rule};
use serde_json::{Value, json};

use crate::support::{End, await_state, cancel, post_noop, unique};

/// One who changes supervisors that others look at holds this.
pub static SUPERVISORS: Mutex<()> = Mutex::new(());

/// Supervisors by their names, with their datasources.
pub const KNOWN_SUPERVISORS: [(&str, &[&str]); 3] =
    [("known-wiki", &["wiki"]), ("known-taxi", &["taxi"]), ("known-both", &["wiki", "taxi"])];

/// A datasource that holds nothing and is nobody's.
pub const SCRATCH: &str = "scratch_of_examples";

/// One request.
#[derive(Clone)]
pub struct Example {
    pub target: String,
    pub body: Option<Value>,
}

/// The tasks that examples are about.
pub struct Tasks {
    pub wiki: String,
    pub taxi: String,
}

/// Two `noop` tasks that have ended.
pub static TASKS: LazyLock<Tasks> = LazyLock::new(|| {
    let ended = |datasource: &str| {
        let id = unique("example");
        post_noop("admin", &id, datasource);
        cancel(&id);
        await_state(&id, &["FAILED"]);
        id
    };
    Tasks { wiki: ended("wiki"), taxi: ended("taxi") }
});

/// Makes the supervisor, or makes it anew.
pub fn make_supervisor(id: &str, datasources: &[&str]) {
    let spec = json!({"type": "NoopSupervisorSpec", "id": id, "dataSources": datasources});
    End::Direct.ask(Some("admin"), "POST", "/druid/indexer/v1/supervisor").json(&spec).send().expect(200);
}

/// Makes those that are always there.
pub fn make_known_supervisors() {
    for (id, datasources) in KNOWN_SUPERVISORS {
        make_supervisor(id, datasources);
    }
}

/// Whether what the request is about is gone once it was allowed.
pub fn consumes(row: &Row) -> bool {
    matches!(row.name, "supervisor_terminate" | "supervisor_shutdown")
}

/// The requests of a row, none of which changes what others look at, but for what [`consumes`] says.
pub fn examples(row: &Row) -> Vec<Example> {
    let targets: Vec<String> = match row.rule {
        Rule::Datasource(_) if removes(row) => vec![row.path.replace("{datasource}", SCRATCH)],
        Rule::Datasource(_) => ["wiki", "taxi"].iter().map(|name| row.path.replace("{datasource}", name)).collect(),
        Rule::ReadTask | Rule::CancelTask => {
            [&TASKS.wiki, &TASKS.taxi].iter().map(|id| row.path.replace("{id}", id)).collect()
        }
        Rule::Supervisor(_) if consumes(row) => {
            let id = unique("thrown-away");
            make_supervisor(&id, &["wiki"]);
            vec![row.path.replace("{id}", &id)]
        }
        Rule::Supervisor(_) => {
            make_known_supervisors();
            let ids = KNOWN_SUPERVISORS.iter().map(|(id, _)| row.path.replace("{id}", id));
            ids.chain([row.path.replace("{id}", "nope")]).collect()
        }
        Rule::Open
        | Rule::AnyIdentity
        | Rule::Holds(..)
        | Rule::CatalogTable(_)
        | Rule::EachSupervisor(_)
        | Rule::SubmitSql(_)
        | Rule::SubmitQuery
        | Rule::QueryCandidates
        | Rule::SubmitTask
        | Rule::SubmitSupervisor
        | Rule::Sample
        | Rule::OwnQuery
        | Rule::OwnStatement
        | Rule::FilteredList => vec![row.path.to_owned()],
    };
    let asked = targets.iter().flat_map(|target| queries(row).iter().map(move |query| format!("{target}{query}")));
    asked.map(|target| Example { target: filled(row, target), body: body(row) }).collect()
}

/// Whether an allowed request takes something away from the datasource.
fn removes(row: &Row) -> bool {
    matches!(
        row.name,
        "datasource_mark_all_unused"
            | "overlord_mark_all_unused"
            | "task_cancel_all"
            | "pending_segments_delete"
            | "datasource_compaction_delete"
    )
}

/// The query strings with which a row is asked.
fn queries(row: &Row) -> &'static [&'static str] {
    match row.name {
        "supervisor_list" => &["", "?full", "?state=true", "?system"],
        "interval" | "datasource_list_loaded" | "datasource_intervals" | "datasource_interval" => {
            &["", "?simple", "?full"]
        }
        "datasource_list_used" => &["", "?full", "?includeUnused"],
        "segment_list" => &["", "?datasources=wiki&datasources=taxi", "?datasources=taxi&includeOvershadowedStatus"],
        "task_list" => &["", "?datasource=wiki", "?datasource=taxi", "?type=noop"],
        "task_list_complete" => &["", "?n=5"],
        "load_status" | "load_queue" | "server_list" => &["", "?simple", "?full"],
        "datasource_load_status" => &["?forceMetadataRefresh=false&interval=2024-01-01_2025-01-01"],
        "datasource_handoff" => &["?interval=2024-01-01_2024-01-02&partitionNumber=0&version=x"],
        "datasource" | "datasource_segments" | "datasource_used_segments" | "datasource_rules" => &["", "?full"],
        "pending_segments_delete" => &["?interval=2030-01-01/2030-01-02"],
        "datasource_candidates" => &["?intervals=2024-01-01/2025-01-01"],
        "compaction_progress" => &["?dataSource=wiki"],
        _ => &[""],
    }
}

/// The target with a value for every other parameter of the path.
fn filled(row: &Row, target: String) -> String {
    // Not an interval: where segments would be killed, none are.
    let interval = if row.name == "datasource_kill" { "nonsense" } else { "2024-01-01_2025-01-01" };
    [
        ("{id}", KNOWN_SUPERVISORS[0].0),
        ("{datasource}", "wiki"),
        ("{interval}", interval),
        ("{segment}", "nope"),
        ("{lookup}", "nope"),
        ("{tier}", "nope"),
        ("{role}", "broker"),
        ("{server}", "nope"),
        ("{host}", "nope:1"),
        ("{schema}", "druid"),
        ("{table}", "wiki"),
    ]
    .into_iter()
    .fold(target, |target, (parameter, value)| target.replace(parameter, value))
}

fn body(row: &Row) -> Option<Value> {
    match (row.body, row.name) {
        (Body::None, _) => None,
        // A task is explained, not started.
        (Body::Sql, "sql_task") => {
            Some(json!({"query": "EXPLAIN PLAN FOR INSERT INTO taxi SELECT * FROM wiki PARTITIONED BY DAY"}))
        }
        (Body::Sql, _) => Some(json!({"query": "SELECT page FROM wiki LIMIT 1"})),
        (Body::TaskIds, _) => Some(json!(["nope"])),
        (Body::Judged, name) => Some(judged(name)),
        (Body::JsonOfDatasource, _) => Some(json!({"dataSource": "wiki", "taskPriority": "no number"})),
        // Nothing is so old.
        (Body::Json, name) if name.contains("mark_") => Some(json!({"interval": "1999-01-01/1999-01-02"})),
        (Body::Json, "datasource_used_segments_of") => Some(json!(["2024-01-01/2025-01-01"])),
        (Body::Json, "lookup_config_set" | "locked_intervals_old") => Some(json!({})),
        // Of the wrong kind: Druid fails once it has authorized.
        (Body::Json, _) => Some(json!([{"no": "such thing"}])),
    }
}

/// Bodies about wiki, with which Druid fails once it has authorized, but for the queries.
fn judged(name: &str) -> Value {
    match name {
        "query" | "query_candidates" => {
            json!({"queryType": "timeBoundary", "dataSource": "wiki", "context": {"timeout": 60_000}})
        }
        // No interval: the task is made, and fails.
        "task_submit" => json!({"type": "kill", "dataSource": "wiki", "interval": "nonsense"}),
        // The stream's extension is not loaded here.
        "supervisor_submit" => json!({"type": "autocompact", "spec": {"dataSource": "wiki"}}),
        "sampler" => json!({
            "type": "index",
            "spec": {"ioConfig": {
                "type": "index",
                "inputSource": {"type": "druid", "dataSource": "wiki", "interval": "2024-01-01/2025-01-01"},
            }},
        }),
        other => panic!("the row {other} has no body here"),
    }
}
