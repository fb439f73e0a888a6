//! Exactly one record for each request, whichever way it ended.

use std::time::{Duration, Instant};

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::Value;

use crate::client::{Answer, Server};
use crate::recorder::Recorder;
use crate::support::{await_state, options, own_gate, sql, started, token};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}

fn audit_of(process: &GateProcess) -> String {
    std::fs::read_to_string(&process.audit).expect("audit")
}

#[test]
fn each_request_has_one_record() {
    let recorder = Recorder::start();
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let reader = token("reader");
    let sql = |text: &str| serde_json::json!({"query": text, "context": {"note": "canary-literal"}});
    let requests = [
        gate.get("/status/health").bytes(),
        gate.get("/status").bytes(),
        gate.get("/status").bearer(&format!("{reader}x")).bytes(),
        gate.get("/status")
            .header("Authorization", "Basic Y2FuYXJ5LXBhc3N3b3Jk")
            .header("Cookie", "s=canary-cookie")
            .bytes(),
        gate.get("/status").bearer(&reader).header("X-Secret", "canary-password").bytes(),
        gate.get("/nope/canary-literal").bearer(&reader).bytes(),
        gate.get("/druid//x").bearer(&reader).bytes(),
        gate.request("PUT", "/status").bearer(&reader).bytes(),
        gate.post("/druid/v2/sql/task")
            .bearer(&reader)
            .json(&sql("SELECT page FROM wiki WHERE page = 'canary-literal'"))
            .bytes(),
        gate.post("/druid/v2/sql/task")
            .bearer(&reader)
            .json(&sql("SELECT x FROM secret WHERE page = 'canary-literal'"))
            .bytes(),
        gate.post("/druid/v2/sql/task").bearer(&reader).json(&sql("SELECT 'canary-literal' FROM FROM")).bytes(),
        gate.post("/druid/v2/sql/task")
            .bearer(&reader)
            .json(&sql(
                r#"SELECT x FROM TABLE(EXTERN('{"type":"canary-extern"}', '{"type":"json"}')) EXTEND (x BIGINT)"#,
            ))
            .bytes(),
        gate.post("/druid/v2/sql/task").bearer(&reader).body("application/json", "{\"query\": canary-literal").bytes(),
        gate.get("/druid/indexer/v1/task/wiki-1/status").bearer(&reader).bytes(),
        gate.get("/druid/indexer/v1/task/secret-1/status").bearer(&reader).bytes(),
        gate.get("/druid/indexer/v1/task/unknown/status").bearer(&reader).bytes(),
        gate.get("/druid/indexer/v1/tasks").bearer(&reader).bytes(),
    ];
    let mut ids = Vec::new();
    for request in &requests {
        let answer = gate.send_raw(request);
        ids.push((answer.header("X-Request-Id").expect("an id").to_owned(), answer.status));
    }
    let start = Instant::now();
    let missing = |audit: &str| ids.iter().any(|(id, _)| !audit.contains(id.as_str()));
    while missing(&audit_of(&process)) && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let audit = audit_of(&process);
    let records = lines(&audit);
    // The gate's own health was asked while it started.
    let of = |id: &str| records.iter().filter(|record| record["request_id"] == id).collect::<Vec<_>>();
    for (id, status) in &ids {
        let found = of(id);
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0]["status"], *status);
        assert_eq!(found[0]["end"], "complete", "{}", found[0]);
        assert!(found[0]["time"].is_string() && found[0]["duration_ms"].is_u64());
    }
    // All others are of the gate's health, which was asked while it started.
    let others = records.iter().filter(|record| !ids.iter().any(|(id, _)| record["request_id"] == *id));
    assert!(others.into_iter().all(|record| record["row"] == "status_health"));

    let submitted = of(&ids[8].0)[0];
    assert_eq!(submitted["subject"], "reader");
    assert_eq!(submitted["issuer"], "dev");
    assert_eq!(submitted["roles"], serde_json::json!(["reader"]));
    assert_eq!(submitted["row"], "sql_task");
    assert_eq!(submitted["statement"], "select");
    assert_eq!(submitted["needed"], serde_json::json!(["DATASOURCE|wiki|READ"]));
    assert_eq!(submitted["decision"], "allow");
    assert!(submitted["id"].as_str().expect("an id").starts_with("query-1."));
    let denied = of(&ids[9].0)[0];
    assert_eq!(denied["missing"], serde_json::json!(["DATASOURCE|secret|READ"]));
    assert_eq!((&denied["decision"], &denied["reason"]), (&"deny".into(), &"missing_permissions".into()));
}

/// Submits to the real Druid until the record says something else of the second reading than that nobody waited for it,
/// as on a busy machine it may.
fn second_reading_of(process: &GateProcess, gate: &Server, path: &str, statement: &str) -> (Answer, Value) {
    for _ in 0..10 {
        let answer = gate.post(path).bearer(&token("admin")).json(&sql(statement)).send();
        if let Some(id) = started(&answer) {
            await_state(&id, &["SUCCESS", "FAILED"]);
        }
        let id = answer.header("X-Request-Id").expect("an id").to_owned();
        let start = Instant::now();
        let record = loop {
            let records = lines(&audit_of(process));
            match records.into_iter().find(|record| record["request_id"] == id.as_str()) {
                Some(record) => break record,
                None => assert!(start.elapsed() < Duration::from_secs(10), "no record of {statement}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        if record["second_reading"] != "not_waited" {
            return (answer, record);
        }
    }
    panic!("nobody ever waited for the second reading of {statement}");
}

#[test]
fn ordinary_statements_are_read_twice_and_the_readings_agree() {
    let always = "[sql]\nsecond_reading = \"always\"\n".to_owned();
    let (process, gate) = own_gate(GateOptions { more: always, ..options() });
    for (path, statement) in [
        (
            "/druid/v2/sql",
            "SELECT page, COUNT(*) AS edits FROM wiki WHERE added > 10 GROUP BY 1 ORDER BY 2 DESC LIMIT 2",
        ),
        ("/druid/v2/sql/task", "WITH w AS (SELECT page FROM wiki) SELECT w.page FROM w LIMIT 1"),
        (
            "/druid/v2/sql/task",
            "INSERT INTO wiki SELECT __time, page FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY CLUSTERED BY page",
        ),
        (
            "/druid/v2/sql/task",
            "REPLACE INTO wiki OVERWRITE WHERE __time >= TIMESTAMP '1990-01-01' AND __time < TIMESTAMP '1990-01-02' \
             SELECT TIMESTAMP '1990-01-01' AS __time, 'x' AS page PARTITIONED BY DAY",
        ),
    ] {
        let (answer, record) = second_reading_of(&process, &gate, path, statement);
        assert!(answer.status == 200 || answer.status == 202, "{statement}: {}", answer.text());
        assert_eq!(
            (&record["second_reading"], &record["decision"]),
            (&"agreed".into(), &"allow".into()),
            "{statement}"
        );
        assert_eq!(record["sql_sha256"], Value::Null);
    }
    let odd = "SELECT 1 FROM (SELECT page FORMAT JSON FROM wiki)";
    let (_, record) = second_reading_of(&process, &gate, "/druid/v2/sql", odd);
    assert_eq!((&record["second_reading"], &record["decision"]), (&"not_parsed".into(), &"allow".into()));
}

/// A client that leaves before its answer has a record too.
#[test]
fn a_client_that_leaves_is_recorded() {
    let recorder = Recorder::slow(Duration::from_secs(3));
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    {
        let mut stream = gate.connect().expect("connects");
        let request = gate.get("/druid/v2/sql/task/enabled").bearer(&token("reader")).bytes();
        std::io::Write::write_all(&mut stream, &request).expect("sent");
        std::io::Write::flush(&mut stream).expect("sent");
        recorder.await_request();
    }
    let start = Instant::now();
    let left = || lines(&audit_of(&process)).into_iter().find(|record| record["row"] == "sql_task_enabled");
    while left().is_none() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let record = left().expect("a record");
    assert_eq!(record["end"], "client_left");
    assert_eq!(record["status"], Value::Null);
}
