//! The planner of 27 as it is asked here, beside a running Druid 27: what it authorizes is what EXPLAIN names.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use msq_gate_bed::{Bed, http};
use serde_json::{Value, json};

/// Datasources that are loaded for the generator, each with the columns that it uses.
pub const TABLES: [&str; 7] = ["a", "b", "secret", "Secret", "foo", "druid", "t"];
const COLUMNS: &str = "1 AS c1, 2 AS c2, 3 AS x, 4 AS y, 'p' AS page, 'z' AS zone, 5 AS added, 1.5 AS fare";
/// Between two looks at a load.
const POLL: Duration = Duration::from_millis(500);
/// So many looks after each load: a minute and some.
const LOOKS: usize = 150;
/// So many loads.
const LOADS: usize = 4;

pub struct Running {
    router: &'static str,
    authorization: String,
}

impl Running {
    /// The bed, with the datasources that are not there yet.
    pub fn ensure() -> Self {
        let bed = Bed::ensure();
        let authorization = http::basic("admin", &bed.user("admin").unwrap().password);
        let running = Self { router: &bed.router, authorization };
        let all_there = || TABLES.iter().all(|table| running.is_there(table));
        // A worker of Druid 27's that looks for its controller too early ends, and its query with it: loads are repeated.
        let loaded = (0..LOADS).any(|_| {
            TABLES.iter().filter(|table| !running.is_there(table)).for_each(|table| running.load(table));
            (0..LOOKS).any(|_| {
                all_there() || {
                    thread::sleep(POLL);
                    false
                }
            })
        });
        assert!(loaded, "the datasources are not there yet");
        running
    }

    fn is_there(&self, table: &str) -> bool {
        self.explain(&format!("SELECT c1 FROM \"{table}\"")).is_ok()
    }

    fn load(&self, table: &str) {
        let values = format!("SELECT TIME_PARSE('2024-01-01') AS __time, {COLUMNS}");
        let load = format!("REPLACE INTO \"{table}\" OVERWRITE ALL {values} PARTITIONED BY ALL");
        let (status, answer) = self.post("/druid/v2/sql/task", &json!({"query": load}));
        assert_eq!(status, 202, "{answer}");
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.router);
        let answer =
            http::send(&http::plain(), "POST", &url, Some(&self.authorization), Some(&body.to_string())).unwrap();
        (answer.status, answer.json())
    }

    /// The resources of a statement, `TYPE|name`, or why it is not planned.
    pub fn explain(&self, sql: &str) -> Result<BTreeSet<String>, String> {
        let lower = sql.trim_start().to_lowercase();
        let explain =
            if lower.starts_with("explain") || lower.starts_with("describe") { "" } else { "EXPLAIN PLAN FOR " };
        let body = json!({
            "query": format!("{explain}{sql}"),
            "context": {"enableWindowing": true, "enableUnnest": true},
        });
        // System tables are for the native engine alone, ingestion and EXTERN for MSQ.
        let mut said = String::new();
        for path in ["/druid/v2/sql/task", "/druid/v2/sql"] {
            let (status, answer) = self.post(path, &body);
            if status == 200 {
                let listed: Vec<Value> = serde_json::from_str(answer[0]["RESOURCES"].as_str().unwrap()).unwrap();
                let word =
                    |item: &Value| format!("{}|{}", item["type"].as_str().unwrap(), item["name"].as_str().unwrap());
                return Ok(listed.iter().map(word).collect());
            }
            said = answer["errorMessage"].as_str().unwrap_or_default().to_owned();
        }
        Err(said)
    }
}
