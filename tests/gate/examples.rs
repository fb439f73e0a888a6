//! Real requests for the rows of the catalogue, with the objects in the bed that they are about.
//!
//! A request that would change what other tests look at is about an object that is thrown away, or has a body or an
//! interval with which Druid fails after it has authorized.

use std::sync::{LazyLock, Mutex};

use msq_gate::druid::{Body, Row, Rule};
use msq_gate_bed::Version;
use serde_json::{Value, json};

use crate::support::{End, await_state, cancel, post_noop, submit_task, unique};

/// One who changes supervisors that others look at holds this.
pub static SUPERVISORS: Mutex<()> = Mutex::new(());

/// Supervisors by their names, with their datasources.
pub const KNOWN_SUPERVISORS: [(&str, &[&str]); 3] =
    [("known-wiki", &["wiki"]), ("known-taxi", &["taxi"]), ("known-both", &["wiki", "taxi"])];

/// How the names of supervisors begin that one request is about.
pub const THROWN_AWAY: &str = "thrown-away";

/// A datasource that holds nothing and is nobody's.
pub const SCRATCH: &str = "scratch_of_examples";

/// One request.
#[derive(Clone)]
pub struct Example {
    pub target: String,
    pub body: Option<Value>,
    /// What the body is about, where a row is asked with several.
    pub about: &'static str,
}

/// The tasks that examples are about.
pub struct Tasks {
    pub wiki: String,
    pub taxi: String,
    /// A query's, which writes into wiki, where there is MSQ.
    pub query: Option<String>,
}

impl Tasks {
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        [&self.wiki, &self.taxi].into_iter().chain(&self.query).map(String::as_str)
    }
}

/// Tasks that have ended: two of type `noop`, and a query's.
pub static TASKS: LazyLock<Tasks> = LazyLock::new(|| {
    let ended = |datasource: &str| {
        let id = unique("example");
        post_noop("admin", &id, datasource);
        cancel(&id);
        await_state(&id, &["FAILED"]);
        id
    };
    let query = || {
        let text = "INSERT INTO wiki SELECT * FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY";
        let id = submit_task(End::Direct, "admin", text);
        await_state(&id, &["FAILED", "SUCCESS"]);
        id
    };
    let query = (Version::of_bed() == Version::V27).then(query);
    Tasks { wiki: ended("wiki"), taxi: ended("taxi"), query }
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

/// Ends those of the supervisors to be thrown away that nobody was allowed to end.
pub fn remove_thrown_away() {
    let list = End::Direct.ask(Some("admin"), "GET", "/druid/indexer/v1/supervisor").send().expect(200).json();
    let ids = list.as_array().expect("a list").iter().filter_map(Value::as_str);
    for id in ids.filter(|id| id.starts_with(THROWN_AWAY)) {
        let target = format!("/druid/indexer/v1/supervisor/{id}/terminate");
        End::Direct.ask(Some("admin"), "POST", &target).send();
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
        Rule::ReadTask | Rule::CancelTask => TASKS.ids().map(|id| row.path.replace("{id}", id)).collect(),
        Rule::Supervisor(_) if consumes(row) => {
            let id = unique(THROWN_AWAY);
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
        | Rule::Avatica
        | Rule::SubmitQuery
        | Rule::QueryCandidates
        | Rule::SubmitTask
        | Rule::SubmitSupervisor
        | Rule::Sample
        | Rule::OwnQuery
        | Rule::OwnStatement
        | Rule::OwnQueries
        | Rule::FilteredList => vec![row.path.to_owned()],
    };
    let asked = targets.iter().flat_map(|target| queries(row).iter().map(move |query| format!("{target}{query}")));
    asked
        .flat_map(|target| {
            let target = filled(row, target);
            let bodies = bodies(row, &target).into_iter();
            bodies.map(move |(about, body)| Example { target: target.clone(), body, about })
        })
        .collect()
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
        "interval" | "datasource_list_loaded" => &["", "?simple", "?full"],
        "datasource_list_used" => &["", "?full", "?includeUnused"],
        "segment_list" => &["", "?datasources=wiki&datasources=taxi", "?datasources=taxi&includeOvershadowedStatus"],
        "task_list" => &["", "?datasource=wiki", "?datasource=taxi", "?type=noop"],
        // More than there are: others end tasks meanwhile.
        "task_list_complete" => &["", "?n=10000"],
        "datasource_load_status" => &["?forceMetadataRefresh=false&interval=2024-01-01_2025-01-01"],
        "datasource_handoff" => &["?interval=2024-01-01_2024-01-02&partitionNumber=0&version=x"],
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
    let file = if row.name == "console_public" { "web-console-24.0.1.js" } else { "druid.png" };
    [
        ("{file*}", file),
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

/// The bodies with which a row is asked, and what they are about where they are several.
fn bodies(row: &Row, target: &str) -> Vec<(&'static str, Option<Value>)> {
    let one = |body: Value| vec![("", Some(body))];
    match (row.body, row.name) {
        (Body::None, _) => vec![("", None)],
        // A task is explained, not started.
        (Body::Sql, "sql_task") => {
            one(json!({"query": "EXPLAIN PLAN FOR INSERT INTO taxi SELECT * FROM wiki PARTITIONED BY DAY"}))
        }
        (Body::Sql, _) => one(json!({"query": "SELECT page FROM wiki LIMIT 1"})),
        // On no connection.
        (Body::Avatica, _) => one(json!({
            "request": "prepare", "connectionId": "nope", "sql": "SELECT page FROM wiki", "maxRowCount": -1,
        })),
        (Body::TaskIds, _) => one(json!(["nope"])),
        (Body::Judged, name) => judged(name).into_iter().map(|(about, body)| (about, Some(body))).collect(),
        (Body::JsonOfDatasource, _) => {
            let datasource = if target.ends_with("/taxi") { "taxi" } else { "wiki" };
            one(json!({"dataSource": datasource, "taskPriority": "no number"}))
        }
        // Nothing is so old.
        (Body::Json, name) if name.contains("mark_") => one(json!({"interval": "1999-01-01/1999-01-02"})),
        (Body::Json, "datasource_used_segments_of") => one(json!(["2024-01-01/2025-01-01"])),
        (Body::Json, "lookup_config_set" | "locked_intervals_old") => one(json!({})),
        // Of the wrong kind: Druid fails once it has authorized.
        (Body::Json, _) => one(json!([{"no": "such thing"}])),
    }
}

/// Bodies with which Druid fails once it has authorized, or that change nothing; the first is about wiki alone.
fn judged(name: &str) -> Vec<(&'static str, Value)> {
    match name {
        "query" | "query_candidates" => {
            let query = |source: Value| json!({"queryType": "timeBoundary", "dataSource": source});
            vec![
                ("of wiki", query(json!("wiki"))),
                ("of wiki and taxi", query(json!({"type": "union", "dataSources": ["wiki", "taxi"]}))),
            ]
        }
        // There is a task of this id already.
        "task_submit" => {
            let druid = json!({"type": "druid", "dataSource": "wiki", "interval": "2024-01-01/2025-01-01"});
            let http = json!({"type": "http", "uris": ["https://example.invalid/rows.json"]});
            let index = |source: Value| {
                json!({
                    "type": "index_parallel",
                    "id": TASKS.taxi,
                    "spec": {
                        "dataSchema": {
                            "dataSource": "taxi",
                            "timestampSpec": {"column": "__time", "format": "auto"},
                            "dimensionsSpec": {"dimensions": ["page"]},
                        },
                        "ioConfig": {"type": "index_parallel", "inputSource": source, "inputFormat": {"type": "json"}},
                    },
                })
            };
            vec![
                ("in wiki", json!({"type": "noop", "id": TASKS.wiki, "dataSource": "wiki"})),
                ("into taxi from wiki", index(druid)),
                ("into taxi from outside", index(http)),
            ]
        }
        // Druid 27 has no type that a client may submit.
        "supervisor_submit" => vec![("of wiki", json!({"type": "autocompact", "spec": {"dataSource": "wiki"}}))],
        "sampler" => {
            let sampler = |source: Value| {
                json!({
                    "type": "index",
                    "spec": {
                        "type": "index",
                        "dataSchema": {
                            "dataSource": "sample",
                            "timestampSpec": {"column": "__time", "format": "auto"},
                            "dimensionsSpec": {"dimensions": ["page"]},
                        },
                        "ioConfig": {"type": "index", "inputSource": source, "inputFormat": {"type": "json"}},
                    },
                    "samplerConfig": {"numRows": 1, "timeoutMs": 60_000},
                })
            };
            vec![
                (
                    "of wiki",
                    sampler(json!({"type": "druid", "dataSource": "wiki", "interval": "2024-01-01/2025-01-01"})),
                ),
                ("of rows that it brings", sampler(json!({"type": "inline", "data": "{}"}))),
            ]
        }
        other => panic!("the row {other} has no body here"),
    }
}
