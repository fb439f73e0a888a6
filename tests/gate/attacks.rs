//! Attacks, tried by hand first: those that got through once, and those that held and that no other test tries.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Server, Stream, read_answer};
use crate::h2::{h2_outcome, h2_request};
use crate::recorder::Recorder;
use crate::support::{GATE, await_state, cancel, gate, options, own_gate, sql, started, token, unique};
use msq_gate_bed::{GateOptions, GateProcess};

const HEALTH: &str = "GET /status/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

struct House {
    recorder: Recorder,
    gate: Server,
    process: GateProcess,
}

fn house() -> House {
    let recorder = Recorder::start();
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    House { recorder, gate, process }
}

impl House {
    /// The audit record of the request that got this answer, once it is written.
    fn record(&self, answer: &Answer) -> Value {
        let id = answer.header("X-Request-Id").expect("an id");
        let start = Instant::now();
        loop {
            let audit = std::fs::read_to_string(&self.process.audit).expect("audit");
            if let Some(line) = audit.lines().find(|line| line.contains(id) && line.ends_with('}')) {
                return serde_json::from_str(line).expect("JSON");
            }
            assert!(start.elapsed() < Duration::from_secs(10), "no record {id}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Sends these bytes and gives the status of each answer that comes until the connection ends.
fn statuses(server: &Server, bytes: &str) -> Vec<u16> {
    let mut stream = server.connect().expect("connects");
    let _ = stream.write_all(bytes.as_bytes());
    let _ = stream.flush();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let text = String::from_utf8_lossy(&all).into_owned();
    text.split("HTTP/1.").skip(1).filter_map(|answer| answer.get(2..5)?.parse().ok()).collect()
}

/// What a request's body holds is never a request, also where the row reads no body or the request was refused.
#[test]
fn an_unread_body_is_never_the_next_request() {
    let house = house();
    let inner = "GET /druid/indexer/v1/task/secret-1/status HTTP/1.1\r\nHost: x\r\n\r\n";
    let bearer = format!("Host: x\r\nAuthorization: Bearer {}", token("reader"));
    let plain = format!("Content-Length: {}\r\n\r\n{inner}", inner.len());
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    for body in [plain, chunked] {
        for (head, status) in [
            (format!("GET /druid/v2/sql/task/enabled HTTP/1.1\r\n{bearer}"), 200),
            (format!("GET /druid/indexer/v1/task/wiki-1/status HTTP/1.1\r\n{bearer}"), 200),
            (format!("POST /druid/indexer/v1/task/secret-1/shutdown HTTP/1.1\r\n{bearer}"), 403),
            (format!("POST /nope HTTP/1.1\r\n{bearer}"), 404),
            ("POST /druid/v2/sql HTTP/1.1\r\nHost: x".to_owned(), 401),
            (format!("POST /druid/v2/sql HTTP/1.1\r\n{bearer}\r\nContent-Type: application/xml"), 415),
            ("GET /status/health HTTP/1.1\r\nHost: x".to_owned(), 200),
        ] {
            let found = statuses(&house.gate, &format!("{head}\r\n{body}{HEALTH}"));
            assert!(found == [status, 200] || found == [status], "{head}: {found:?}");
        }
    }
    let arrived = house.recorder.take();
    assert!(arrived.iter().all(|request| !request.contains("secret")), "{arrived:?}");
    assert!(arrived.iter().all(|request| !request.contains("content-length: 6")), "{arrived:?}");
}

/// A body that does not come, or comes by drops, to a row that reads none: answered, and the connection closed.
#[test]
fn a_body_that_nobody_reads_holds_no_connection() {
    // The bed is up before any time is taken.
    GATE.get("/status/health").send().expect(200);
    for head in ["Content-Length: 100", "Transfer-Encoding: chunked", "Content-Length: 100\r\nExpect: 100-continue"] {
        let start = Instant::now();
        let request = format!("GET /status/health HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n");
        assert_eq!(statuses(&GATE, &request), [200], "{head}");
        assert!(start.elapsed() < Duration::from_secs(10), "{head}");
    }
}

/// With both lengths the chunks count, once, and nothing after them is read (RFC 9112, section 6.1).
#[test]
fn of_two_framings_one_is_read_and_the_connection_ends() {
    let house = house();
    let bearer = format!("Authorization: Bearer {}\r\nContent-Type: text/plain", token("reader"));
    let body = "8\r\nSELECT 1\r\n0\r\n\r\n";
    for head in ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"] {
        let bytes = format!("POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\n{bearer}\r\n{head}\r\n\r\n{body}{HEALTH}");
        assert_eq!(statuses(&house.gate, &bytes).len(), 1, "{head}: the connection ends after one answer");
        let arrived = house.recorder.take();
        assert!(arrived.len() <= 1 && arrived.iter().all(|request| request.contains("SELECT 1")), "{arrived:?}");
    }
    for coding in ["gzip, chunked", "gzip\r\nTransfer-Encoding: chunked", "chunked, chunked", ",chunked"] {
        let bytes = format!(
            "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\n{bearer}\r\nConnection: close\r\nTransfer-Encoding: {coding}\r\n\r\n{body}"
        );
        assert_eq!(statuses(&house.gate, &bytes), [400], "{coding}");
        assert_eq!(house.recorder.take(), Vec::<String>::new(), "{coding}");
    }
}

#[test]
fn no_connection_becomes_another_protocol() {
    let house = house();
    let bearer = format!("Host: x\r\nAuthorization: Bearer {}", token("admin"));
    for upgrade in
        ["h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "websocket\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13"]
    {
        let head =
            format!("GET /druid/v2/sql/task/enabled HTTP/1.1\r\n{bearer}\r\nConnection: Upgrade\r\nUpgrade: {upgrade}");
        assert_eq!(statuses(&house.gate, &format!("{head}\r\n\r\n{HEALTH}")), [200, 200], "{upgrade}");
    }
    assert_eq!(statuses(&house.gate, &format!("CONNECT 127.0.0.1:1 HTTP/1.1\r\n{bearer}\r\n\r\n{HEALTH}"))[0], 501);
    assert_eq!(statuses(&house.gate, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Vec::<u16>::new());
    assert_eq!(statuses(&house.gate, "GET /status/health\r\n\r\n"), [400]);
    assert!(house.recorder.take().iter().all(|request| !request.to_lowercase().contains("upgrade")));
}

const ANSWERED: u8 = 1;

/// What HTTP/2 can say and HTTP/1.1 cannot: lines within fields, paths that are none, two paths, lengths that lie.
#[test]
fn http2_carries_no_second_request() {
    let house = house();
    let bearer = format!("Bearer {}", token("reader"));
    let enabled = "/druid/v2/sql/task/enabled";
    let fields = |path: &'static str, more: &[(&'static str, &'static str)]| {
        let mut fields = vec![(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "x")];
        fields.push(("authorization", bearer.as_str()));
        fields.extend_from_slice(more);
        h2_request(&fields, None)
    };
    let ask = |bytes: &[u8]| (h2_outcome(&house.gate, bytes), house.recorder.take());
    let (outcome, arrived) = ask(&fields(enabled, &[]));
    assert_eq!((outcome, arrived.len()), (ANSWERED, 1));
    for path in [
        "/druid/v2/sql/task/enabled HTTP/1.1\r\nX: y",
        "/druid/v2/sql/task/enabled\r\nX: y",
        "/druid/v2\0/sql/task/enabled",
        "http://elsewhere/druid/v2/sql/task/enabled",
        "druid/v2/sql/task/enabled",
        "",
        "*",
        "//elsewhere/druid/v2/sql/task/enabled",
    ] {
        assert_eq!(ask(&fields(path, &[])).1, Vec::<String>::new(), "{path:?}");
    }
    for more in [
        ("accept", "a\r\nX-Druid-Author: root"),
        ("accept", "a\nb"),
        ("user-agent", "a\0b"),
        ("acc\r\nept", "x"),
        ("Accept", "x"),
        ("x_y", "x"),
        (":path", "/status/health"),
        (":method", "POST"),
        ("connection", "authorization"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("content-length", "5"),
        ("authorization", "Bearer x"),
    ] {
        assert_eq!(ask(&fields(enabled, &[more])).1, Vec::<String>::new(), "{more:?}");
    }
    // The authority is not asked for anything: the Router's is sent.
    for authority in ["elsewhere:99", "a:b@elsewhere"] {
        let fields = [
            (":method", "GET"),
            (":path", enabled),
            (":scheme", "http"),
            (":authority", authority),
            ("authorization", bearer.as_str()),
        ];
        let (_, arrived) = ask(&h2_request(&fields, None));
        assert!(arrived.iter().all(|request| !request.contains("elsewhere")), "{arrived:?}");
    }
    // Lengths that do not say what comes.
    let post = |length: &'static str| {
        let fields = [
            (":method", "POST"),
            (":path", "/druid/v2/sql"),
            (":scheme", "https"),
            (":authority", "x"),
            ("authorization", bearer.as_str()),
            ("content-type", "text/plain"),
            ("content-length", length),
        ];
        ask(&h2_request(&fields, Some("SELECT 1"))).1
    };
    assert_eq!(post("8").len(), 1);
    for length in ["3", "30", "+8", "8, 8", "x"] {
        assert_eq!(post(length), Vec::<String>::new(), "{length}");
    }
}

/// Nothing but the console's files is under their paths.
#[test]
fn console_paths_reach_only_files() {
    let house = house();
    let ask = |path: &str| {
        let answer = house.gate.get(path).bearer(&token("nobody")).send();
        (answer.status, house.recorder.take())
    };
    for path in [
        "/public/..%3b/status",
        "/public/..;/status",
        "/public/%2e%2e/status",
        "/public/%2e%2e%2fstatus",
        "/public/.%2e/status",
        "/public/%5c..%5cstatus",
        "/public/%c0%ae%c0%ae/status",
        "/public/%u002e/status",
        "/public/",
        "/public//status",
        "/assets/%00",
        "/unified-console.html/",
        "/unified-console.html;x",
        "/web-console/x",
        "/favicon.png/..",
    ] {
        let (status, arrived) = ask(path);
        assert!((status == 400 || status == 404) && arrived.is_empty(), "{path}: {status} {arrived:?}");
    }
    // What is decoded once stays one segment of a file's name.
    for (path, sent) in [
        ("/public/%252e%252e/status", "GET /public/%252e%252e/status "),
        ("/public/%3fx=y", "GET /public/%3Fx%3Dy "),
        ("/public/%23a", "GET /public/%23a "),
        ("/public/%ef%bc%8e%ef%bc%8e/x", "GET /public/%EF%BC%8E%EF%BC%8E/x "),
    ] {
        let (_, arrived) = ask(path);
        assert!(arrived[0].starts_with(sent), "{path}: {arrived:?}");
    }
}

/// A task whose id Druid could not have is the caller's mistake, not a look-up that failed.
#[test]
fn impossible_task_ids_are_the_callers_fault() {
    let house = house();
    for id in ["%F0%9F%98%80", "a%EE%80%80", "%EF%BF%BD", "a%C2%A0b", ".a", "a%0Ab", &"a".repeat(256)] {
        for (method, end) in [("GET", "status"), ("POST", "shutdown")] {
            let target = format!("/druid/indexer/v1/task/{id}/{end}");
            let answer = house.gate.request(method, &target).bearer(&token("admin")).send();
            assert_eq!((answer.status, house.recorder.take()), (400, vec![]), "{target}");
            assert_eq!(house.record(&answer)["fault"], "caller");
        }
    }
}

/// An id decides for itself: its spelling in another case, with blanks or signs around it, is another id or none.
#[test]
fn a_statements_id_has_one_spelling() {
    let answer = gate().ask(Some("reader"), "POST", "/druid/v2/sql/statements").json(&sql("SELECT 1")).send();
    let id = started(&answer).expect("started");
    let bare = id.strip_prefix("query-").expect("the prefix").to_owned();
    let forged = format!("{}{}", &id[..id.len() - 1], if id.ends_with('A') { "B" } else { "A" });
    for other in [
        bare,
        id.to_uppercase(),
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}-worker0_0"),
        format!("query-{id}"),
        forged,
    ] {
        for user in ["reader", "admin"] {
            for (method, end) in [("GET", ""), ("GET", "/results"), ("DELETE", "")] {
                let target = format!("/druid/v2/sql/statements/{other}{end}");
                gate().ask(Some(user), method, &target).send().expect(404);
            }
        }
    }
    for (method, end) in [("GET", ""), ("GET", "/results"), ("DELETE", "")] {
        let target = format!("/druid/v2/sql/statements/{id}{end}");
        gate().ask(Some("selr"), method, &target).send().expect(403);
    }
    gate().ask(Some("reader"), "GET", &format!("/druid/v2/sql/statements/{id}")).send().expect(200);
    cancel(&id);
}

/// A client may call its query what another calls its own, or by another's very id: it is a query of its own.
#[test]
fn a_clients_own_id_names_nobody_elses_query() {
    let house = house();
    let submit = |user: &str, id: &Value| {
        let body = json!({"query": "SELECT 1", "context": {"sqlQueryId": id}});
        house.gate.post("/druid/v2/sql").bearer(&token(user)).json(&body).send().expect(200);
        let arrived = house.recorder.take().pop().expect("arrived");
        let rest = arrived.split_once(r#""sqlQueryId":""#).expect("an id").1;
        rest.split('"').next().expect("quoted").to_owned()
    };
    let readers = submit("reader", &json!("mine"));
    assert_eq!(submit("reader", &json!("mine")), readers, "the same owner and name are the same id");
    let others = [
        submit("selr", &json!("mine")),
        submit("selr", &json!(readers)),
        submit("selr", &json!(format!("query-{readers}"))),
        submit("reader", &json!(readers)),
        submit("reader", &json!("Mine")),
        submit("reader", &json!("mine ")),
        submit("reader", &json!("")),
        submit("reader", &Value::Null),
        submit("reader", &Value::Null),
    ];
    for (index, id) in others.iter().enumerate() {
        assert!(*id != readers && !others[..index].contains(id), "{index}: {id}");
    }
    // Cancelling by the client's name sends the id of the caller's own query; another's id is not sent at all.
    let delete = |user: &str, id: &str| {
        let target = format!("/druid/v2/sql/{id}");
        let answer = house.gate.request("DELETE", &target).bearer(&token(user)).send();
        let arrived = house.recorder.take().pop().unwrap_or_default();
        (answer.status, arrived.split(' ').nth(1).unwrap_or_default().to_owned())
    };
    assert_eq!(delete("reader", "mine"), (200, format!("/druid/v2/sql/{readers}")));
    assert_eq!(delete("selr", "mine"), (200, format!("/druid/v2/sql/{}", others[0])));
    assert_eq!(delete("selr", &readers), (403, String::new()));
    assert_eq!(delete("selr", &format!("query-{readers}")), (403, String::new()));
    let next = if readers.ends_with('A') { "B" } else { "A" };
    assert_eq!(delete("reader", &format!("{}{next}", &readers[..readers.len() - 1])), (404, String::new()));
}

/// Context keys that sound like power: the stored task has the gate's id, its owner, the output datasource and Druid's own
/// task context, whatever the client asks for.
#[test]
fn context_keys_change_nothing_of_the_stored_task() {
    let context = json!({
        "taskId": "query-theirs",
        "id": "theirs",
        "dataSource": "wiki",
        "destination": {"type": "dataSource", "dataSource": "wiki"},
        "__User": "admin",
        "sqlQueryId ": "theirs",
        "SQLQueryId": "theirs",
        "subQueryId": "theirs",
        "authenticationResult": {"identity": "admin"},
        "brokerService": "druid/other",
        "engine": "native",
        "priority": 99,
        "sqlQueryId": null,
        "queryId": unique("mine"),
    });
    let body = json!({"query": "SELECT page FROM wiki LIMIT 1", "context": context});
    let answer = gate().ask(Some("selr"), "POST", "/druid/v2/sql/task").json(&body).send().expect(202);
    let id = started(&answer).expect("started");
    let payload = gate().ask(Some("selr"), "GET", &format!("/druid/indexer/v1/task/{id}")).send().expect(200).json();
    let task = &payload["payload"];
    assert_eq!((&task["id"], &task["dataSource"]), (&json!(id), &json!("__query_select")));
    assert_eq!(task["spec"]["destination"], json!({"type": "taskReport"}));
    let own = &task["context"];
    assert!(own.is_object() && !own.to_string().contains("priority\":99"), "{own}");
    let owner = &task["spec"]["query"]["context"]["__user"];
    assert!(owner.is_string() && *owner != json!("admin") && *owner != json!("selr"), "the gate's account: {owner}");
    cancel(&id);
    for key in ["druid.indexer.runner.javaOpts", "druid.indexer.fork.property.x"] {
        let body = json!({"query": "SELECT 1", "context": {key: "-Dx=y"}});
        let refused = gate().ask(Some("admin"), "POST", "/druid/v2/sql/task").json(&body).send().expect(400);
        assert!(refused.text().contains(key), "{}", refused.text());
    }
}

/// A value that is not said to be text may be text to Druid (an enum's number is a type): it names no input source.
#[test]
fn parameters_of_odd_types_fill_no_table_function() {
    let house = house();
    let statement = "SELECT x FROM TABLE(EXTERN(?, '{\"type\":\"json\"}')) EXTEND (x VARCHAR)";
    let source = r#"{"type":"inline","data":"{}"}"#;
    let submit = |parameter: Value| {
        let body = json!({"query": statement, "parameters": [parameter]});
        let answer = house.gate.post("/druid/v2/sql/task").bearer(&token("ingester")).json(&body).send();
        (answer.status, house.recorder.take().len())
    };
    assert_eq!(submit(json!({"type": "VARCHAR", "value": source})), (200, 1));
    for odd in [
        json!({"type": 12, "value": source}),
        json!({"type": "varchar", "value": source}),
        json!({"type": ["VARCHAR"], "value": source}),
        json!({"Type": "VARCHAR", "value": source}),
        json!({"type": "VARCHAR", "value": [source]}),
        json!({"type": "VARCHAR", "value": {"type": "inline"}}),
        json!({"type": "VARCHAR"}),
        json!(source),
        Value::Null,
    ] {
        assert_eq!(submit(odd.clone()), (400, 0), "{odd}");
    }
}

/// A refusal that comes before the judgement still records which statement or task was reached for.
#[test]
fn a_refused_grab_is_recorded_with_its_id() {
    let house = house();
    let submitted =
        house.gate.post("/druid/v2/sql/statements").bearer(&token("reader")).json(&sql("SELECT 1")).send().expect(200);
    let id = house.record(&submitted)["id"].as_str().expect("an id").to_owned();
    for (method, target, named, reason) in [
        ("GET", format!("/druid/v2/sql/statements/{id}"), id.as_str(), "missing_permissions"),
        ("GET", format!("/druid/v2/sql/statements/{id}/results"), &id, "missing_permissions"),
        ("DELETE", format!("/druid/v2/sql/{id}"), &id, "missing_permissions"),
        ("GET", "/druid/v2/sql/statements/nope".to_owned(), "nope", "unknown_statement"),
        ("GET", "/druid/indexer/v1/task/no%20pe/log".to_owned(), "no pe", "unknown_task"),
    ] {
        let answer = house.gate.request(method, &target).bearer(&token("selr")).send();
        let record = house.record(&answer);
        assert_eq!((&record["id"], &record["reason"]), (&json!(named), &json!(reason)), "{target}");
        assert_eq!((&record["subject"], &record["decision"]), (&json!("selr"), &json!("deny")));
    }
    // Nothing that is no id comes into a record.
    let answer = house.gate.get("/druid/indexer/v1/task/a%0Ab/status").bearer(&token("selr")).send();
    assert_eq!(house.record(&answer)["id"], Value::Null);
}

/// Names without end: refused before they fill the audit log and the answer.
#[test]
fn a_statement_of_many_names_makes_no_large_record() {
    let house = house();
    let names: Vec<String> = (0..100_000).map(|n| format!("t{n}")).collect();
    let body = json!({"query": format!("SELECT 1 FROM {}", names.join(","))});
    let answer = house.gate.post("/druid/v2/sql").bearer(&token("nobody")).json(&body).send().expect(400);
    assert_eq!(answer.json()["context"]["reason"], "too_many_resources");
    assert!(house.record(&answer).to_string().len() < 2_000);
}

/// A client that leaves while it sends a body, and one that pipelines and leaves: a record each, and none invented.
#[test]
fn who_leaves_early_is_recorded_once() {
    let house = house();
    let head = format!(
        "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nSELECT",
        token("reader")
    );
    let mut stream: Box<dyn Stream> = house.gate.connect().expect("connects");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.flush().expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    let mut stream = house.gate.connect().expect("connects");
    stream.write_all(HEALTH.replace("Connection: close\r\n", "").as_bytes()).expect("sent");
    stream.write_all(b"GET /half HTTP/1.1\r\nHo").expect("sent");
    stream.flush().expect("sent");
    assert_eq!(read_answer(stream.as_mut()).expect("an answer").status, 200);
    drop(stream);
    std::thread::sleep(Duration::from_millis(700));
    let audit = std::fs::read_to_string(&house.process.audit).expect("audit");
    let of = |row: &str| -> Vec<Value> {
        let records = audit.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        records.filter(|record| record["row"] == row).collect()
    };
    let sql = of("sql");
    assert_eq!(sql.len(), 1, "{sql:?}");
    assert_eq!((&sql[0]["decision"], &sql[0]["reason"]), (&json!("deny"), &json!("body_broken")));
    assert_eq!(house.recorder.take(), Vec::<String>::new());
    assert!(!audit.contains("half"));
}

/// A failed query's message comes back to its own task, for who may see it, and the lists go on.
#[test]
fn a_failed_query_with_foreign_letters_leaves_the_lists_whole() {
    let text = format!(
        "SELECT TIME_FLOOR(__time, CASE WHEN CHAR_LENGTH(page) > 1000 THEN page ELSE '' END || 'a{}') FROM wiki",
        "\u{1f600}".repeat(9)
    );
    let body = json!({"query": text, "context": {"maxNumTasks": 2, "sqlQueryId": unique("emoji")}});
    let answer = gate().ask(Some("reader"), "POST", "/druid/v2/sql/task").json(&body).send().expect(202);
    let id = started(&answer).expect("started");
    await_state(&id, &["FAILED"]);
    let list = gate().ask(Some("selr"), "GET", "/druid/indexer/v1/tasks?state=complete").send().expect(200);
    assert!(list.whole && list.json().as_array().expect("a list").iter().any(|task| task["id"] == json!(id)));
    let target = format!("/druid/indexer/v1/task/{id}/status");
    gate().ask(Some("selr"), "GET", &target).send().expect(200);
    gate().ask(Some("reader"), "GET", &target).send().expect(403);
}
