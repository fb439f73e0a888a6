//! The planner of 27 as it is asked here, beside a running Druid 27: what it authorizes is what EXPLAIN names.

use std::collections::BTreeSet;

use msq_gate_bed::planner::Answer;
use msq_gate_bed::{Bed, Progress, http};
use serde_json::{Value, json};

use super::figures::Figures;
use super::reading::{self, READERS, Statement};
use super::tally::Tally;

pub struct Running {
    router: &'static str,
    authorization: String,
}

impl Running {
    /// The bed, with the datasources of the corpora.
    pub fn ensure() -> Self {
        let bed = Bed::ensure();
        msq_gate_bed::ensure_tables(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
        let authorization = http::basic("admin", &bed.user("admin").unwrap().password);
        Self { router: &bed.router, authorization }
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.router);
        let answer =
            http::send(&http::plain(), "POST", &url, Some(&self.authorization), Some(&body.to_string())).unwrap();
        (answer.status, answer.json())
    }

    /// What it explains, beside what the planner that is asked here answers and what is read.
    pub fn judge(&self, statements: &[Statement], answers: &[Answer]) -> Figures {
        let mut tallies: Vec<Tally> = READERS.iter().map(|reader| Tally::new("27, running", reader.name)).collect();
        let mut faults = String::new();
        let readings = reading::read(statements);
        for ((statement, answer), readings) in statements.iter().zip(answers).zip(readings) {
            let explained = self.explain(&statement.sql);
            let said = answer.accepted.then_some(&answer.resources).or(answer.registered.as_ref());
            if let Ok(listed) = &explained
                && said.map(without_action).as_ref() != Some(listed)
            {
                faults += &format!("{:?}\n  running {listed:?}\n  here    {answer:?}\n", statement.sql);
            }
            let answer = match explained {
                Ok(resources) => Answer { accepted: true, resources, registered: None, ..answer.clone() },
                Err(error) => Answer { accepted: false, error, registered: None, ..answer.clone() },
            };
            for (tally, reading) in tallies.iter_mut().zip(readings) {
                tally.add(statement, &answer, &reading.map(|read| without_action(&read)));
            }
        }
        assert!(faults.is_empty(), "{faults}");
        Figures { set: "existing tables", tallies }
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

/// Druid's list names no action.
fn without_action(resources: &BTreeSet<String>) -> BTreeSet<String> {
    resources.iter().map(|word| word.rsplit_once('|').unwrap().0.to_owned()).collect()
}
