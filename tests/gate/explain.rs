//! What `explain` says of a request is what becomes of it: asked of the admin listener, then sent, then compared with the
//! answer and its audit record; what would be sent is what a stand-in for the Router gets.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use msq_gate::druid::ROWS;
use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::coverage::bad_credentials;
use crate::examples::{self, Example, SUPERVISORS, make_known_supervisors, remove_thrown_away};
use crate::operations::{admin_on, admin_section, await_that, free_port};
use crate::recorder::Recorder;
use crate::support::{
    End, await_state, cancel, options, own_gate, post_noop, sql, started, submit_task, token, unique,
};

const USERS: [&str; 7] = ["nobody", "reader", "writer", "ingester", "selr", "stater", "admin"];

/// A gate with an admin listener.
struct House {
    process: GateProcess,
    gate: Server,
    admin: Server,
}

impl House {
    fn start(router_url: Option<String>, more: &str) -> Self {
        let port = free_port();
        let base = options();
        let (router_url, more) =
            (router_url.unwrap_or_else(|| base.router_url.clone()), more.to_owned() + &admin_section(port));
        let (process, gate) = own_gate(GateOptions { router_url, more, ..base });
        Self { process, gate, admin: admin_on(port) }
    }

    fn explain(&self, question: &Value) -> Value {
        self.admin.post("/gate/explain").json(question).send().expect(200).json()
    }

    /// Compares each explanation with what became of its request; how many there were of each outcome.
    fn compare(&self, asked_and_done: &[(&str, Asked, Value, Answer)]) -> BTreeMap<String, usize> {
        let answers: Vec<&Answer> = asked_and_done.iter().map(|(_, _, _, answer)| answer).collect();
        let records = self.records(&answers);
        let mut seen = BTreeMap::<String, usize>::new();
        for (user, asked, said, answer) in asked_and_done {
            compare(asked, user, said, answer, &records[id_of(answer)]);
            let outcome = &said["answer"];
            let status = outcome["status"].as_u64().map(|status| status.to_string());
            *seen.entry(status.unwrap_or_else(|| outcome["outcome"].to_string())).or_default() += 1;
        }
        seen
    }

    /// The records, by the ids of their requests.
    fn records(&self, answers: &[&Answer]) -> BTreeMap<String, Value> {
        let read = || {
            let audit = fs::read_to_string(&self.process.audit).expect("audit");
            let lines = audit.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.filter_map(|line| Some((line["request_id"].as_str()?.to_owned(), line))).collect::<BTreeMap<_, _>>()
        };
        await_that("the records", || {
            let found = read();
            answers.iter().all(|answer| found.contains_key(id_of(answer)))
        });
        read()
    }
}

fn id_of(answer: &Answer) -> &str {
    answer.header("X-Request-Id").expect("an id")
}

/// A request of the table: method, target, and a body with its type.
type Asked = (&'static str, String, Option<(&'static str, String)>);

fn question(token: &str, (method, target, body): &Asked) -> Value {
    let mut question = json!({"token": token, "method": method, "path": target});
    if let Some((media_type, body)) = body {
        question["body"] = json!(body);
        question["contentType"] = json!(media_type);
    }
    question
}

fn send(gate: &Server, token: &str, (method, target, body): &Asked) -> Answer {
    let request = gate.request(method, target).bearer(token);
    match body {
        Some((media_type, body)) => request.body(media_type, body.as_str()).send(),
        None => request.send(),
    }
}

fn get(target: &str) -> Asked {
    ("GET", target.to_owned(), None)
}

fn post(target: &str, body: &Value) -> Asked {
    ("POST", target.to_owned(), Some(("application/json", body.to_string())))
}

const EXTERN: &str = r#"TABLE(EXTERN('{"type":"inline","data":"{\"x\":1}"}', '{"type":"json"}')) EXTEND (x BIGINT)"#;

/// Every kind of row, of need and of refusal.
fn table(tasks: [&str; 3], statement: &str) -> Vec<Asked> {
    let mut table = vec![
        get("/status/health"),
        get("/status"),
        get("/proxy/overlord/status"),
        ("PUT", "/status".to_owned(), None),
        get("/status?x=1"),
        get("/status/"),
        get("/nope"),
        get("/druid//v2"),
        get("/druid/v2/sql;x/task"),
        get("/%73tatus"),
        get("/gate/me"),
        ("POST", "/gate/me".to_owned(), None),
        ("PUT", "/gate/login".to_owned(), None),
        get("/druid/v2/sql/task/enabled"),
        get("/druid/v2/datasources"),
        get("/druid/coordinator/v1/datasources?full"),
        get("/druid/indexer/v1/tasks"),
        get("/druid/indexer/v1/tasks?datasource=wiki"),
        get("/druid/indexer/v1/tasks?max=x"),
        get("/proxy/coordinator/druid/indexer/v1/runningTasks"),
        get("/favicon.png"),
        ("POST", "/druid/v2/sql".to_owned(), None),
        ("POST", "/druid/v2/sql".to_owned(), Some(("application/xml", "<x/>".to_owned()))),
        ("POST", "/druid/v2/sql".to_owned(), Some(("text/plain", "SELECT page FROM wiki LIMIT 1".to_owned()))),
        ("POST", "/druid/v2/sql".to_owned(), Some(("application/x-www-form-urlencoded", "{}".to_owned()))),
        ("POST", "/druid/v2/sql".to_owned(), Some(("application/json", "{".to_owned()))),
        post("/druid/v2/sql", &json!({"query": "SELECT 1", "context": {"__user": "x"}})),
        post("/druid/indexer/v1/taskStatus", &json!(["nope"])),
        post("/druid/indexer/v1/taskStatus", &json!("nope")),
        get("/druid/indexer/v1/task/no-such-task/status"),
        get("/druid/indexer/v1/task/.x/status"),
        get("/druid/v2/sql/statements/query-1.x"),
        ("DELETE", "/druid/v2/sql/a-name-of-my-own".to_owned(), None),
    ];
    for text in [
        "SELECT 1",
        "SELECT page FROM wiki LIMIT 1",
        "SELECT * FROM no_such_table",
        "SELECT x FROM view.v",
        "SELECT * FROM sys.tasks",
        "SELECT * FROM FROM",
        "SELECT * FROM foo.bar",
        "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
        "SET __user = 'x'; SELECT 1",
        "EXPLAIN PLAN FOR INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY ALL",
        "SELECT * FROM TABLE(APPEND('wiki', 'other'))",
    ] {
        table.push(post("/druid/v2/sql", &json!({"query": text})));
    }
    table.push(post("/druid/v2/sql/task", &sql("INSERT INTO other SELECT * FROM wiki PARTITIONED BY ALL")));
    table.push(post("/druid/v2/sql/task", &sql(&format!("SELECT x FROM {EXTERN}"))));
    table.push(post(
        "/druid/v2/sql/statements",
        &sql("REPLACE INTO wiki OVERWRITE ALL SELECT * FROM nope PARTITIONED BY ALL"),
    ));
    for task in tasks {
        for end in ["", "/status", "/reports", "/log"] {
            table.push(get(&format!("/druid/indexer/v1/task/{task}{end}")));
        }
        table.push(post(&format!("/proxy/overlord/druid/indexer/v1/task/{task}/shutdown"), &json!({})));
    }
    table.push(get(&format!("/druid/v2/sql/statements/{statement}")));
    table.push(get(&format!("/druid/v2/sql/statements/{statement}/results?page=x")));
    table.push(("DELETE", format!("/druid/v2/sql/statements/{statement}"), None));
    table
}

/// The needs of an explanation, or of a part of it, as records have them.
fn needs_of(said: &Value, wanted: &dyn Fn(&Value) -> bool) -> BTreeSet<String> {
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    let line = |need: &Value| {
        [word(&need["resource"]["type"]), word(&need["resource"]["name"]), word(&need["action"])].join("|")
    };
    said["needs"].as_array().expect("needs").iter().filter(|need| wanted(need)).map(line).collect()
}

/// The explanation, beside the record of what was done.
fn compare(asked: &Asked, user: &str, said: &Value, answer: &Answer, record: &Value) {
    let told = format!("{user}: {asked:?}\n{said}\n{record}\n{} {}", answer.status, answer.text());
    let said_of = &said["answer"];
    let lines = |wanted: &dyn Fn(&Value) -> bool| needs_of(said, wanted);
    let recorded = |key: &str| -> BTreeSet<String> {
        record[key].as_array().expect("a list").iter().map(|line| line.as_str().expect("a line").to_owned()).collect()
    };
    let mut needed: BTreeSet<String> = lines(&|_| true);
    match said_of["outcome"].as_str().expect("a word") {
        "in parts" => {
            assert_eq!(record["decision"], "allow", "{told}");
            let parts = said["parts"].as_array().expect("parts").iter().filter(|part| !part["sends"].is_null());
            needed.extend(parts.flat_map(|part| needs_of(part, &|_| true)));
        }
        "forwarded" => assert_eq!(record["decision"], "allow", "{told}"),
        "answered" => assert!(record["reason"].is_null() && answer.status < 400, "{told}"),
        "refused" => {
            assert_eq!(record["decision"], "deny", "{told}");
            assert_eq!(said_of["status"], answer.status, "{told}");
            assert_eq!(said_of["reason"], record["reason"], "{told}");
            let message = said_of["message"].as_str().expect("a message");
            let read = serde_json::to_string(message).expect("JSON");
            let text = answer.text();
            let is_silent = said_of["reason"] == "unknown_query";
            assert!(is_silent || text.contains(message) || text.contains(&read[1..read.len() - 1]), "{told}");
        }
        other => panic!("{other}: {told}"),
    }
    assert_eq!(said["row"]["name"], if said["row"].is_null() { Value::Null } else { record["row"].clone() }, "{told}");
    assert_eq!(needed, recorded("needed"), "{told}");
    assert_eq!(lines(&|need| need["missing"] == true), recorded("missing"), "{told}");
    for need in said["needs"].as_array().expect("needs") {
        assert_eq!(need["grantedBy"] == json!([]), need["missing"] == true, "{told}");
        assert!(need["why"].as_array().is_some_and(|why| !why.is_empty()), "{told}");
    }
    if !said["caller"].is_null() {
        assert_eq!(said["caller"]["subject"], record["subject"], "{told}");
        let roles: Vec<&Value> =
            said["caller"]["roles"].as_array().expect("roles").iter().map(|r| &r["role"]).collect();
        assert_eq!(json!(roles), record["roles"], "{told}");
    }
}

#[test]
fn what_is_explained_is_what_becomes_of_it() {
    let house = House::start(None, "");
    let noop = unique("noop");
    post_noop("admin", &noop, "wiki");
    let other = unique("noop");
    post_noop("admin", &other, "other");
    let text = "INSERT INTO wiki SELECT * FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY";
    let controller = submit_task(End::Gate(&house.gate), "admin", text);
    let submitted = house.gate.post("/druid/v2/sql/statements").bearer(&token("reader"));
    let statement = started(&submitted.json(&sql("SELECT page FROM wiki LIMIT 1")).send().expect(200)).expect("an id");
    await_state(&statement, &["SUCCESS", "FAILED"]);
    let table = table([&noop, &other, &controller], &statement);
    assert!(table.len() >= 60, "{}", table.len());
    let mut asked_and_done = Vec::new();
    let mut ask = |user: &'static str, token: &str, asked: &Asked| {
        let said = house.explain(&question(token, asked));
        let answer = send(&house.gate, token, asked);
        if let Some(id) = started(&answer).filter(|_| asked.0 == "POST" && asked.1.starts_with("/druid/v2/sql/")) {
            cancel(&id);
        }
        asked_and_done.push((user, asked.clone(), said, answer));
    };
    for asked in &table {
        for user in USERS {
            ask(user, &token(user), asked);
        }
    }
    for (name, authorization) in bad_credentials() {
        let Some(bad) = authorization.as_ref().and_then(|value| value.strip_prefix("Bearer ")) else { continue };
        for asked in [get("/status/health"), get("/status"), get("/nope"), get("/gate/me"), table[3].clone()] {
            ask(name, bad, &asked);
        }
    }
    for id in [&noop, &other, &controller] {
        cancel(id);
    }
    let seen = house.compare(&asked_and_done);
    for word in ["\"forwarded\"", "\"answered\"", "400", "401", "403", "404", "405", "415"] {
        assert!(seen.get(word).is_some_and(|count| *count >= 4), "{word}: {seen:?}");
    }
}

/// Every row of the catalogue, as those ask who may nothing, read, write, see the state, and do all.
#[test]
fn each_row_is_explained_as_it_is_decided() {
    let house = House::start(None, "");
    let _supervisors = SUPERVISORS.lock();
    make_known_supervisors();
    let mut asked_and_done = Vec::new();
    for row in ROWS.iter().copied() {
        for Example { target, body, .. } in examples::examples(row) {
            let asked = (row.method.as_str(), target, body.map(|body| ("application/json", body.to_string())));
            for user in ["nobody", "reader", "stater", "writer", "admin"] {
                let said = house.explain(&question(&token(user), &asked));
                let answer = send(&house.gate, &token(user), &asked);
                if let Some(id) = started(&answer).filter(|_| row.method == "POST") {
                    cancel(&id);
                }
                asked_and_done.push((user, asked.clone(), said, answer));
            }
        }
    }
    remove_thrown_away();
    let rows: BTreeSet<Option<&str>> =
        asked_and_done.iter().map(|(_, _, said, _)| said["row"]["name"].as_str()).collect();
    assert_eq!(rows.len(), ROWS.len());
    let seen = house.compare(&asked_and_done);
    for word in ["\"forwarded\"", "\"in parts\"", "403"] {
        assert!(seen.get(word).is_some_and(|count| *count >= 5), "{word}: {seen:?}");
    }
}

/// Method, target and body, byte for byte but for the gate's ids.
#[test]
fn what_would_be_sent_is_what_arrives() {
    let recorder = Recorder::start();
    let house = House::start(Some(recorder.url.clone()), "");
    let reader = token("reader");
    let envelope = json!({"query": "SELECT page FROM wiki WHERE page = 'é'", "header": true, "x": 1,
        "context": {"sqlQueryId": "mine", "timeout": 1.50}, "parameters": [{"type": "VARCHAR", "value": "v"}]});
    let mut compared = 0;
    for asked in [
        post("/druid/v2/sql", &envelope),
        post("/druid/v2", &json!({"queryType": "timeBoundary", "dataSource": "wiki", "context": {"queryId": "mine"}})),
        post("/druid/v2/sql/task", &envelope),
        ("POST", "/druid/v2/sql/statements".to_owned(), Some(("text/plain", " SELECT 1 ".to_owned()))),
        get("/proxy/coordinator/druid/indexer/v1/tasks?max=1&state=running"),
        get("/druid/v2/sql/task/enabled/"),
        get("/druid/indexer/v1/task/wiki%2D1/status"),
        post("/druid/indexer/v1/task/wiki-1/shutdown", &json!({})),
        ("DELETE", "/druid/v2/sql/mine".to_owned(), None),
        get("/"),
    ] {
        let said = house.explain(&question(&reader, &asked));
        assert_eq!(recorder.take(), Vec::<String>::new(), "nothing is sent to explain {asked:?}");
        send(&house.gate, &reader, &asked);
        let arrived = recorder.take().pop().expect("a request");
        let (head, body) = arrived.split_once("\r\n\r\n").expect("a head");
        let sends = &said["sends"];
        let line = format!(
            "{} {} HTTP/1.1",
            sends["method"].as_str().expect("a method"),
            sends["target"].as_str().expect("a target")
        );
        assert!(matches(&line, head.lines().next().expect("a line")), "{line}\n{arrived}");
        assert!(matches(sends["body"].as_str().unwrap_or_default(), body), "{sends}\n{arrived}");
        compared += 1;
    }
    assert_eq!(compared, 10);
}

/// Whether the text is what the pattern says, ids of queries in their places.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    for (at, part) in pattern.split("{query-id}").enumerate() {
        if at > 0 {
            let id =
                rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c)).len();
            if !rest.starts_with("1.") {
                return false;
            }
            rest = &rest[id..];
        }
        let Some(after) = rest.strip_prefix(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}
