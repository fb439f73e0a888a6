//! Statements that a careless reader misreads, asked of the running Druid 27 too.

use std::collections::BTreeSet;

use msq_gate::sql;
use serde_json::{Value, json};

use crate::support::End;

/// One block of the corpus. Its format is told at the top of the file.
struct Case {
    expect: Expect,
    druid27_rejects: bool,
    statement: String,
}

enum Expect {
    Resources(BTreeSet<String>),
    Refused(String),
}

fn cases() -> Vec<Case> {
    include_str!("../corpus/differential.txt").split("\n---\n").filter_map(parse).collect()
}

fn parse(block: &str) -> Option<Case> {
    let mut expect = None;
    let mut druid27_rejects = false;
    let mut statement = String::new();
    for line in block.lines().filter(|line| !line.starts_with('#')) {
        if let Some(list) = line.strip_prefix("expect:") {
            expect = Some(Expect::Resources(list.split_whitespace().map(str::to_owned).collect()));
        } else if let Some(code) = line.strip_prefix("refused:") {
            expect = Some(Expect::Refused(code.trim().to_owned()));
        } else if line.trim() == "druid27: rejects" {
            druid27_rejects = true;
        } else if !line.is_empty() {
            statement.push_str(if statement.is_empty() { "" } else { "\n" });
            statement.push_str(line);
        }
    }
    let statement = statement.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t");
    Some(Case { expect: expect?, druid27_rejects, statement })
}

/// The resources that Druid names for a statement, `TYPE|name`; none if it does not accept it.
fn explained(statement: &str) -> Option<BTreeSet<String>> {
    let body = json!({"query": format!("EXPLAIN PLAN FOR {statement}"), "context": {"executionMode": "sync"}});
    let answer = End::Direct.ask(Some("admin"), "POST", "/druid/v2/sql/task").json(&body).send();
    if answer.status != 200 {
        return None;
    }
    let rows = answer.json();
    let resources: Value = serde_json::from_str(rows[0]["RESOURCES"].as_str()?).ok()?;
    let line =
        |item: &Value| format!("{}|{}", item["type"].as_str().expect("type"), item["name"].as_str().expect("name"));
    Some(resources.as_array()?.iter().map(line).collect())
}

#[test]
fn the_running_druid_names_no_resource_that_the_reading_missed() {
    let mut compared = 0;
    let mut faults = Vec::new();
    for case in cases() {
        let read = sql::read(&case.statement, &[]);
        match (&case.expect, &read) {
            (Expect::Resources(expected), Ok(reading)) => {
                let found: BTreeSet<String> = reading.resources.iter().map(|resource| resource.to_line()).collect();
                if found != *expected {
                    faults.push(format!("{}\n  expected {expected:?}, read {found:?}", case.statement));
                }
            }
            (Expect::Refused(code), Err(refusal)) if refusal.code.as_str() == code => {}
            (_, read) => faults.push(format!("{}\n  read otherwise: {read:?}", case.statement)),
        }
        let Some(druid) = explained(&case.statement) else {
            if !case.druid27_rejects && matches!(case.expect, Expect::Resources(_)) {
                faults.push(format!("{}\n  Druid does not explain it; say `druid27: rejects`", case.statement));
            }
            continue;
        };
        compared += 1;
        let Ok(reading) = read else { continue };
        let found: BTreeSet<String> = reading
            .resources
            .iter()
            .map(|resource| format!("{}|{}", resource.resource_type.as_str(), resource.name))
            .collect();
        if found != druid {
            faults.push(format!("{}\n  Druid names {druid:?}, the reading {found:?}", case.statement));
        }
    }
    assert!(compared >= 50, "only {compared} statements were explained");
    assert!(faults.is_empty(), "{} of them:\n{}", faults.len(), faults.join("\n"));
}
