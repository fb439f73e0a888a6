//! Two small datasources, loaded as a user would: by MSQ where there is one, from rows in the statement itself.

use serde_json::{Value, json};

use crate::druid::Druid;
use crate::error::Result;
use crate::progress::Progress;
use crate::version::Version;

/// A datasource: its columns with their SQL types (after the time), and its rows.
struct Dataset {
    name: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: fn() -> Vec<Value>,
}

const DATASETS: [Dataset; 2] = [
    Dataset {
        name: "wiki",
        columns: &[
            ("channel", "VARCHAR"),
            ("page", "VARCHAR"),
            ("user", "VARCHAR"),
            ("added", "BIGINT"),
            ("deleted", "BIGINT"),
        ],
        rows: wiki,
    },
    Dataset {
        name: "taxi",
        columns: &[("zone", "VARCHAR"), ("passengers", "BIGINT"), ("distance", "DOUBLE"), ("fare", "DOUBLE")],
        rows: taxi,
    },
];

fn wiki() -> Vec<Value> {
    vec![
        json!({"t": "2024-01-01T00:10:00Z", "channel": "#en", "page": "Apache Druid", "user": "ada", "added": 310, "deleted": 0}),
        json!({"t": "2024-01-01T03:20:00Z", "channel": "#en", "page": "Druid", "user": "bo", "added": 17, "deleted": 40}),
        json!({"t": "2024-01-01T09:05:00Z", "channel": "#de", "page": "Eiche", "user": "ada", "added": 120, "deleted": 3}),
        json!({"t": "2024-01-02T11:45:00Z", "channel": "#fr", "page": "Chêne", "user": "chloé", "added": 64, "deleted": 0}),
        json!({"t": "2024-01-02T18:30:00Z", "channel": "#en", "page": "Apache Druid", "user": "bo", "added": 5, "deleted": 250}),
    ]
}

fn taxi() -> Vec<Value> {
    vec![
        json!({"t": "2024-01-01T00:40:00Z", "zone": "Harbor", "passengers": 1, "distance": 2.5, "fare": 11.0}),
        json!({"t": "2024-01-01T07:15:00Z", "zone": "Airport", "passengers": 3, "distance": 17.25, "fare": 52.5}),
        json!({"t": "2024-01-02T21:00:00Z", "zone": "Harbor", "passengers": 2, "distance": 4.0, "fare": 15.5}),
    ]
}

/// Loads both and waits until they can be queried.
pub fn load(druid: &Druid, progress: &Progress) -> Result<()> {
    let submit = |set: &Dataset| match Version::of_bed() {
        Version::V27 => druid.submit(&set.replace()),
        Version::V33 => druid.submit_spec(&set.spec()),
    };
    let tasks: Vec<String> = DATASETS.iter().map(submit).collect::<Result<_>>()?;
    progress.step("tasks are taken; loading wiki and taxi");
    tasks.iter().try_for_each(|task| druid.await_task(task))?;
    progress.step("loaded; waiting until they can be queried");
    DATASETS.iter().try_for_each(|set| druid.await_rows(set.name, (set.rows)().len()))
}

impl Dataset {
    /// The rows, as an input source.
    fn source(&self) -> Value {
        let lines: Vec<String> = (self.rows)().iter().map(Value::to_string).collect();
        json!({"type": "inline", "data": lines.join("\n")})
    }

    /// What a native task is told of it.
    fn spec(&self) -> Value {
        let dimensions = self.columns.iter().map(|(name, kind)| json!({"name": name, "type": native(kind)}));
        json!({
            "type": "index_parallel",
            "spec": {
                "dataSchema": {
                    "dataSource": self.name,
                    "timestampSpec": {"column": "t", "format": "iso"},
                    "dimensionsSpec": {"dimensions": dimensions.collect::<Value>()},
                    "granularitySpec": {"segmentGranularity": "day", "queryGranularity": "none", "rollup": false},
                },
                "ioConfig": {
                    "type": "index_parallel", "inputSource": self.source(), "inputFormat": {"type": "json"},
                },
            },
        })
    }

    fn replace(&self) -> String {
        let source = self.source();
        let signature = [("t", "VARCHAR")].iter().chain(self.columns);
        let signature = signature.map(|(name, kind)| json!({"name": name, "type": native(kind)}));
        let columns: String = self.columns.iter().map(|(name, _)| format!(", \"{name}\"")).collect();
        format!(
            "REPLACE INTO {} OVERWRITE ALL SELECT TIME_PARSE(t) AS __time{columns} FROM TABLE(EXTERN({}, {}, {})) PARTITIONED BY DAY",
            self.name,
            literal(&source),
            literal(&json!({"type": "json"})),
            literal(&signature.collect()),
        )
    }
}

/// A type of SQL, as native queries and tasks call it.
fn native(kind: &str) -> &'static str {
    match kind {
        "BIGINT" => "long",
        "DOUBLE" => "double",
        _ => "string",
    }
}

/// JSON as a literal of SQL.
fn literal(value: &Value) -> String {
    format!("'{}'", value.to_string().replace('\'', "''"))
}
