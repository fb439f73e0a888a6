//! Every hand-written statement over tables of the bed, by who has just the permissions that the reading names, and by
//! who lacks one of them: one role for each permission, chosen by the token's groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use msq_gate::permission::ResourceAction;
use msq_gate::sql::{self, Parameter};
use msq_gate_bed::{GateOptions, GateProcess, Progress, ensure_tables};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::support::{End, options, own_gate};

/// At least so many of them run and need something.
const LEAST: usize = 380;

/// One statement of `tests/corpus/hand`.
struct Statement {
    sql: String,
    parameters: Vec<String>,
}

/// A statement that Druid explains.
struct Explained {
    statement: Statement,
    /// The endpoint of the engine that runs it.
    path: &'static str,
    needs: BTreeSet<ResourceAction>,
}

/// The files' format is that of `tests/planner/corpus.rs`.
fn statements() -> Vec<Statement> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hand");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts: Vec<String> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let blocks = |text: &String| text.trim_end().split("\n---\n").skip(1).map(parse).collect::<Vec<_>>();
    texts.iter().flat_map(blocks).collect()
}

fn parse(block: &str) -> Statement {
    let (mut parameters, mut rest) = (Vec::new(), block);
    while let Some((line, after)) = rest.split_once('\n')
        && let Some((name, value)) = line.split_once(": ")
        && ["rule", "mutant", "27", "33", "parameter"].contains(&name)
    {
        parameters.extend((name == "parameter").then(|| value.to_owned()));
        rest = after;
    }
    Statement { sql: rest.replace('␍', "\r").replace('␌', "\x0c").replace('␉', "\t"), parameters }
}

impl Statement {
    /// The request that explains it; what is explained already is asked as it is.
    fn body(&self) -> Value {
        let lower = self.sql.trim_start().to_lowercase();
        let explains = lower.starts_with("explain") || lower.starts_with("describe");
        let values: Vec<Value> = self.parameters.iter().map(|text| json!({"type": "VARCHAR", "value": text})).collect();
        json!({
            "query": if explains { self.sql.clone() } else { format!("EXPLAIN PLAN FOR {}", self.sql) },
            "parameters": values,
            // Needed by 27; newer ones have them always.
            "context": {"enableWindowing": true, "enableUnnest": true},
        })
    }

    /// Where the running Druid explains it to its administrator; ingestion and EXTERN are for MSQ, system tables for the
    /// native engine.
    fn engine(&self) -> Option<&'static str> {
        let explains =
            |path: &&str| End::Direct.ask(Some("admin"), "POST", path).json(&self.body()).send().status == 200;
        ["/druid/v2/sql/task", "/druid/v2/sql"].into_iter().find(explains)
    }
}

/// Those that Druid explains and the gate reads, and how many it does not, by reason. One reason is ours: for statements
/// that name a system table there are rules of their own (`submissions`).
fn explained() -> (Vec<Explained>, BTreeMap<&'static str, usize>) {
    let (mut explained, mut others) = (Vec::new(), BTreeMap::new());
    for statement in statements() {
        let Some(path) = statement.engine() else { continue };
        let parameters: Vec<Parameter> = statement.parameters.iter().cloned().map(Parameter::Text).collect();
        let reason = match sql::read(&statement.sql, &parameters) {
            Ok(reading) if reading.system_tables.is_empty() => {
                explained.push(Explained { statement, path, needs: reading.resources });
                continue;
            }
            Ok(_) => "a system table",
            Err(refusal) => refusal.code.as_str(),
        };
        *others.entry(reason).or_default() += 1;
    }
    (explained, others)
}

/// A policy with one role for each permission, which a group of the same name has.
struct Roles {
    /// The name of the role.
    of: BTreeMap<ResourceAction, String>,
    process: GateProcess,
    server: Server,
    /// By the groups in them: most statements need the same as others.
    tokens: BTreeMap<Vec<String>, String>,
}

impl Roles {
    fn start(permissions: BTreeSet<ResourceAction>) -> Self {
        let names = (0..).map(|number| format!("only{number}"));
        let of: BTreeMap<ResourceAction, String> = permissions.into_iter().zip(names).collect();
        let role = |(permission, name): (&ResourceAction, &String)| {
            let [kind, resource, action] = words(permission);
            let grant = Value::from(format!("{action} {kind} {resource}"));
            format!(
                "[roles.{name}]\npermissions = [{grant}]\n\n\
                 [[bindings]]\nissuer = \"dev\"\ngroup = \"{name}\"\nroles = [\"{name}\"]\n\n"
            )
        };
        let policy_text: String = of.iter().map(role).collect();
        let (process, server) = own_gate(GateOptions { policy_text, ..options() });
        Self { of, process, server, tokens: BTreeMap::new() }
    }

    /// What the gate says to who has just these permissions.
    fn ask(&mut self, explained: &Explained, permissions: &[&ResourceAction]) -> Answer {
        let groups: Vec<String> = permissions.iter().map(|permission| self.of[permission].clone()).collect();
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        let sign = || self.process.token("someone", &names).unwrap_or_else(|error| panic!("{error}"));
        let token = self.tokens.entry(groups.clone()).or_insert_with(sign);
        self.server.post(explained.path).bearer(token).json(&explained.statement.body()).send()
    }
}

/// `DATASOURCE`, `wiki`, `READ`.
fn words(permission: &ResourceAction) -> [String; 3] {
    let line = permission.to_line();
    let (kind, rest) = line.split_once('|').expect("a type");
    let (name, action) = rest.rsplit_once('|').expect("an action");
    [kind.to_owned(), name.to_owned(), action.to_owned()]
}

#[test]
fn statements_run_with_just_the_roles_that_the_reading_names_and_with_none_of_them_less() {
    // The bed is up once it says what its gate was told.
    drop(options());
    ensure_tables(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    let (explained, others) = explained();
    let mut roles = Roles::start(explained.iter().flat_map(|one| one.needs.clone()).collect());
    let (mut denied, mut faults) = (0, Vec::new());
    for one in &explained {
        let all: Vec<&ResourceAction> = one.needs.iter().collect();
        let answer = roles.ask(one, &all);
        if answer.status != 200 {
            faults.push(format!("{}\n  with all of {all:?}: {} {}", one.statement.sql, answer.status, answer.text()));
        }
        for missing in &all {
            let others: Vec<&ResourceAction> = all.iter().copied().filter(|other| other != missing).collect();
            let answer = roles.ask(one, &others);
            let [kind, name, action] = words(missing);
            let named = json!([{"resource": {"type": kind, "name": name}, "action": action}]);
            if answer.status != 403 || answer.json()["missingPermissions"] != named {
                faults.push(format!(
                    "{}\n  without {missing:?}: {} {}",
                    one.statement.sql,
                    answer.status,
                    answer.text()
                ));
            }
            denied += 1;
        }
    }
    let needing = explained.iter().filter(|one| !one.needs.is_empty()).count();
    println!("{} allowed, {needing} of them need something, {denied} denied; not asked: {others:?}", explained.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(needing >= LEAST, "only {needing}");
}
