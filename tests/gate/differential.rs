//! Statements that a careless reader misreads, asked of the running Druid 27 too.
//!
//! The corpus tells its format at its top; that the reading reads it as it says is a unit test of `sql`.

use std::collections::BTreeSet;

use msq_gate::sql::{self, Parameter};
use serde_json::{Value, json};

use crate::support::End;

/// One block of the corpus.
#[derive(Default)]
struct Case {
    /// What the gate reads; none where it refuses.
    expect: Option<BTreeSet<String>>,
    /// What is said of Druid 27, where that is not what the gate reads.
    druid27: Option<String>,
    parameters: Vec<String>,
    statement: String,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../corpus/differential.txt");
    text.split("\n---\n").skip(1).map(|block| parse(block.trim_end_matches('\n'))).collect()
}

fn parse(block: &str) -> Case {
    let mut case = Case::default();
    let mut lines = block.lines();
    let mut statement = Vec::new();
    for line in lines.by_ref() {
        if let Some(list) = line.strip_prefix("expect: ") {
            case.expect = Some(resources(list));
        } else if let Some(said) = line.strip_prefix("druid27: ") {
            case.druid27 = Some(said.to_owned());
        } else if let Some(parameter) = line.strip_prefix("parameter: ") {
            case.parameters.push(parameter.to_owned());
        } else if !line.starts_with("refused: ") {
            statement.push(line);
            break;
        }
    }
    statement.extend(lines);
    case.statement = statement.join("\n").replace('␍', "\r").replace('␌', "\x0c").replace('␉', "\t");
    case
}

fn resources(list: &str) -> BTreeSet<String> {
    if list == "nothing" { BTreeSet::new() } else { list.split(", ").map(str::to_owned).collect() }
}

/// Druid's own list names no action.
fn without_action(resources: &BTreeSet<String>) -> BTreeSet<String> {
    resources.iter().filter_map(|line| line.rsplit_once('|')).map(|(resource, _)| resource.to_owned()).collect()
}

/// What Druid says that the statement needs, `TYPE|name`; none if it does not accept it.
fn explained(case: &Case) -> Result<BTreeSet<String>, String> {
    let parameters: Vec<Value> = case.parameters.iter().map(|text| json!({"type": "VARCHAR", "value": text})).collect();
    // What is explained already is asked as it is.
    let lower = case.statement.trim_start().to_lowercase();
    let explain = if lower.starts_with("explain") || lower.starts_with("describe") { "" } else { "EXPLAIN PLAN FOR " };
    let body = json!({"query": format!("{explain}{}", case.statement), "parameters": parameters});
    // System tables are for the native engine alone.
    let ask = |path: &str| End::Direct.ask(Some("admin"), "POST", path).json(&body).send();
    let answer = [ask("/druid/v2/sql/task"), ask("/druid/v2/sql")].into_iter().find(|answer| answer.status == 200);
    let Some(answer) = answer else { return Err(ask("/druid/v2/sql/task").text()) };
    let rows = answer.json();
    let listed = rows[0]["RESOURCES"].as_str().expect("RESOURCES");
    let listed: Vec<Value> = serde_json::from_str(listed).expect("a list");
    let line =
        |item: &Value| format!("{}|{}", item["type"].as_str().expect("type"), item["name"].as_str().expect("name"));
    Ok(listed.iter().map(line).collect())
}

#[test]
fn the_running_druid_names_no_resource_that_the_reading_missed() {
    let (mut compared, mut faults) = (0, Vec::new());
    for case in cases() {
        let parameters: Vec<Parameter> = case.parameters.iter().cloned().map(Parameter::Text).collect();
        let read = sql::read(&case.statement, &parameters).ok();
        let found: Option<BTreeSet<String>> =
            read.map(|reading| reading.resources.iter().map(|resource| resource.to_line()).collect());
        if found != case.expect {
            faults.push(format!("{}\n  expected {:?}, read {found:?}", case.statement, case.expect));
        }
        let druid = explained(&case);
        let said = case.druid27.as_deref();
        match (&druid, &found) {
            (Err(_), _) if said == Some("rejects") => continue,
            (Err(error), Some(_)) => faults.push(format!("{}\n  Druid does not accept it: {error}", case.statement)),
            (Ok(_), _) if said == Some("rejects") => faults.push(format!("{}\n  Druid accepts it", case.statement)),
            (Ok(druid), Some(found)) if !druid.is_subset(&without_action(found)) => {
                faults.push(format!("{}\n  MISSED: Druid names {druid:?}, the reading {found:?}", case.statement));
            }
            (Ok(druid), _) => {
                let expected = said.map(resources).or_else(|| found.clone()).map(|list| without_action(&list));
                if expected.as_ref() != Some(druid) {
                    faults.push(format!("{}\n  Druid names {druid:?}, not {expected:?}", case.statement));
                }
            }
            (Err(_), None) => continue,
        }
        compared += 1;
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= 40, "only {compared} statements were explained");
}
