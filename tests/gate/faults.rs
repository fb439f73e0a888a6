//! What goes wrong behind the gate and before it: a status or a close within a time, one record, and the next request
//! is served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::Value;

use crate::client::{Answer, Server};
use crate::standin::StandIn;
use crate::support::{options, own_gate, token};

const PROBE: &str = "/druid/v2/sql/task/enabled";
const LIST: &str = "/druid/indexer/v1/tasks";

/// A gate with short waits and narrow bounds in front of a Router that misbehaves.
fn house(limits: &str) -> (StandIn, GateProcess, Server) {
    let standin = StandIn::start();
    let more = format!("[limits]\n{limits}\n");
    let (process, gate) = own_gate(GateOptions { router_url: standin.url.clone(), more, ..options() });
    (standin, process, gate)
}

fn records(audit: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(audit).expect("audit");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The one record of this answer.
fn record_of(audit: &Path, answer: &Answer) -> Value {
    let id = answer.header("X-Request-Id").expect("an id").to_owned();
    let start = Instant::now();
    loop {
        let mut found: Vec<Value> = records(audit).into_iter().filter(|record| record["request_id"] == *id).collect();
        assert!(found.len() <= 1, "{found:?}");
        if let Some(record) = found.pop() {
            return record;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "no record of {id}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The reasons of connections that ended before there was a request.
fn connections(audit: &Path, wanted: &str) -> usize {
    records(audit).iter().filter(|record| record["connection"] == wanted).count()
}

pub fn await_connection(audit: &Path, wanted: &str) {
    let start = Instant::now();
    while connections(audit, wanted) == 0 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "no connection record {wanted}: {:?}",
            records(audit).last()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// (what the Router does, the path, the status, the reason in the record; `whole` is whether the body comes whole)
const ROUTER_FAULTS: [(&str, &str, u16, Option<&str>, bool); 33] = [
    ("closes", PROBE, 502, Some("router_unreachable"), true),
    ("half-head", PROBE, 502, Some("router_unreachable"), true),
    ("garbage", PROBE, 502, Some("router_unreachable"), true),
    ("two-lengths", PROBE, 502, Some("router_unreachable"), true),
    ("never", PROBE, 504, Some("router_slow"), true),
    ("cut-length", PROBE, 200, None, false),
    ("cut-chunked", PROBE, 200, None, false),
    ("bad-chunk", PROBE, 200, None, false),
    ("silent", PROBE, 200, None, false),
    ("trailers", PROBE, 200, None, true),
    ("informational", PROBE, 200, None, true),
    ("leader", PROBE, 503, Some("no_leader"), true),
    ("moved", PROBE, 502, Some("router_redirect"), true),
    ("found", PROBE, 502, Some("router_redirect"), true),
    ("permanent", PROBE, 502, Some("router_redirect"), true),
    ("account", PROBE, 502, Some("own_account_refused"), true),
    ("error", PROBE, 500, None, true),
    ("forbidden", PROBE, 403, None, true),
    ("unavailable", PROBE, 503, None, true),
    ("no-content", PROBE, 204, None, true),
    ("list-gzip", LIST, 502, Some("unreadable_answer"), true),
    ("list-html", LIST, 502, Some("unreadable_answer"), true),
    ("list-object", LIST, 200, None, false),
    ("list-nameless", LIST, 200, None, false),
    ("list-twice", LIST, 200, None, false),
    ("list-cut", LIST, 200, None, false),
    ("list-more", LIST, 200, None, false),
    ("list-long", LIST, 200, None, false),
    ("task-other", "/druid/indexer/v1/task/task-other", 503, Some("lookup_unreadable"), true),
    ("task-null", "/druid/indexer/v1/task/task-null", 503, Some("lookup_unreadable"), true),
    ("task error", "/druid/indexer/v1/task/error", 503, Some("lookup_unreadable"), true),
    ("task closes", "/druid/indexer/v1/task/closes", 503, Some("lookup_unreachable"), true),
    ("task leader", "/druid/indexer/v1/task/leader", 503, Some("lookup_unreadable"), true),
];

/// The last record of a request tells of an answer that Druid broke off; its connection may have one of its own.
fn await_broken(audit: &Path) {
    let start = Instant::now();
    let last = || records(audit).into_iter().rfind(|record| record.get("connection").is_none());
    while last().is_none_or(|record| record["end"] != "broken_upstream") {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", records(audit).last());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn faults_of_the_router_are_told_and_recorded() {
    let (_standin, process, gate) = house("router_response_seconds = 2\nrouter_idle_seconds = 2");
    let reader = token("reader");
    for (mode, path, status, reason, whole) in ROUTER_FAULTS {
        let start = Instant::now();
        let mode_of_task = path.starts_with("/druid/indexer/v1/task/");
        let request = gate.get(path).bearer(&reader).header("User-Agent", if mode_of_task { "well" } else { mode });
        let answer = gate.try_raw(&request.bytes());
        let took = start.elapsed();
        // What breaks before its first bytes have left is a close without an answer.
        let Ok(answer) = answer else {
            assert!(!whole, "{mode}");
            await_broken(&process.audit);
            continue;
        };
        assert_eq!((answer.status, answer.whole), (status, whole), "{mode}: {}", answer.text());
        assert!(took < Duration::from_secs(8), "{mode}: {took:?}");
        let record = record_of(&process.audit, &answer);
        assert_eq!(record["reason"], reason.map_or(Value::Null, Value::from), "{mode}");
        assert_eq!(record["end"], if whole { "complete" } else { "broken_upstream" }, "{mode}");
        for name in ["Location", "WWW-Authenticate", "Trailer", "Set-Cookie"] {
            assert_eq!(answer.header(name), None, "{mode}: {name}");
        }
        assert!(!answer.text().contains("secret") && !answer.text().contains("internal"), "{mode}: {}", answer.text());
        if let (Some(_), true) = (reason, status >= 500) {
            let id = answer.header("X-Request-Id").expect("an id");
            assert!(answer.text().contains(id), "{mode}: the body tells the request id: {}", answer.text());
        }
        if mode == "leader" {
            assert_eq!(answer.header("Retry-After"), Some("1"));
        }
        gate.get(PROBE).bearer(&reader).send().expect(200);
    }
}

#[test]
fn a_router_that_is_down_is_502_until_it_is_there() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", gone.local_addr().expect("bound"));
    drop(gone);
    let (process, gate) = own_gate(GateOptions { router_url: url, ..options() });
    let answer = gate.get(PROBE).bearer(&token("reader")).send().expect(502);
    assert_eq!(record_of(&process.audit, &answer)["reason"], "router_unreachable");
    let lookup = gate.get("/druid/indexer/v1/task/x/status").bearer(&token("reader")).send().expect(503);
    assert_eq!(lookup.header("Retry-After"), Some("1"));
    gate.get("/status/health").send().expect(200);
}

/// Of several Routers another one is tried where nothing was sent, or where the request is safe; never otherwise.
#[test]
fn requests_are_repeated_only_where_that_is_safe() {
    let (first, second) = (StandIn::start(), StandIn::start());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let down = format!("http://{}", gone.local_addr().expect("bound"));
    drop(gone);
    let two = |a: &str, b: &str| {
        let router_url = format!("{a} {b}");
        own_gate(GateOptions { router_url, ..options() })
    };
    let reader = token("reader");
    let body = serde_json::json!({"query": "SELECT 1"});
    {
        let (_process, gate) = two(&down, &first.url);
        for _ in 0..3 {
            gate.get(PROBE).bearer(&reader).send().expect(200);
            gate.post("/druid/v2/sql").bearer(&reader).json(&body).send().expect(200);
        }
        assert_eq!(first.take().len(), 6);
    }
    let (_process, gate) = two(&first.url, &second.url);
    let count = || first.take().len() + second.take().len();
    gate.get(PROBE).bearer(&reader).header("User-Agent", "closes").send().expect(502);
    assert!(count() >= 2, "a safe request was tried at both");
    gate.post("/druid/v2/sql").bearer(&reader).header("User-Agent", "closes").json(&body).send().expect(502);
    assert_eq!(count(), 1, "a submission was sent once");
}

#[test]
fn limits_on_clients_hold_and_are_recorded() {
    let limits = "connections_per_peer = 12\nrequests_per_caller = 2\nrequests = 4\nhead_seconds = 2\nbody_seconds = 2\n\
                  idle_seconds = 2\nsql_body_bytes = 1000\nrouter_response_seconds = 6";
    let (_standin, process, gate) = house(limits);
    let audit = &process.audit;
    let reader = token("reader");
    let alive = || {
        gate.get(PROBE).bearer(&reader).send().expect(200);
    };
    let sql = |body: &str| gate.post("/druid/v2/sql").bearer(&reader).body("application/json", body).send();

    // The body: too long by its length, too long in chunks, too slow, cut off.
    let answer = sql(&format!(r#"{{"query":"SELECT 1{}"}}"#, " ".repeat(1000))).expect(413);
    assert_eq!(record_of(audit, &answer)["reason"], "body_too_large");
    let head = format!(
        "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {reader}\r\nContent-Type: application/json\r\n"
    );
    let chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n", " ".repeat(2000));
    let answer = gate.send_raw(chunks.as_bytes()).expect(413);
    assert_eq!(record_of(audit, &answer)["reason"], "body_too_large");
    let start = Instant::now();
    let answer = gate.send_raw(format!("{head}Content-Length: 50\r\n\r\n{{").as_bytes()).expect(408);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(answer.json()["category"], "TIMEOUT");
    assert_eq!(record_of(audit, &answer)["reason"], "body_slow");
    alive();

    // The head: too slow, too long, malformed, a target too long, not TLS at all.
    let start = Instant::now();
    let mut stream = gate.connect().expect("connects");
    let _ = stream.write_all(b"GET /status/health HTTP/1.1\r\n");
    let _ = stream.flush();
    let _ = stream.read_to_end(&mut Vec::new());
    assert!(start.elapsed() < Duration::from_secs(5));
    await_connection(audit, "head_slow");
    for (bytes, status, reason) in [
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(300_000)), 431, "head_too_large"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)), 414, ""),
        ("GARBAGE\r\n\r\n".to_owned(), 400, "malformed_head"),
        ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_owned(), 400, "malformed_head"),
    ] {
        let answer = gate.try_raw(bytes.as_bytes()).map_or(0, |answer| answer.status);
        assert!(answer == status || answer == 431 || answer == 0, "{reason}: {answer}");
        if !reason.is_empty() {
            await_connection(audit, reason);
        }
    }
    let mut plain = TcpStream::connect(gate.address()).expect("connects");
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    let _ = plain.read_to_end(&mut Vec::new());
    await_connection(audit, "tls_failed");
    alive();

    // A client that takes nothing of an endless answer is left.
    let mut greedy = gate.connect().expect("connects");
    greedy.write_all(&gate.get(PROBE).bearer(&reader).header("User-Agent", "endless").bytes()).expect("sent");
    greedy.flush().expect("sent");
    let left = || {
        records(audit).iter().any(|record| record["end"] == "client_left" && record["bytes"].as_u64() > Some(100_000))
    };
    let start = Instant::now();
    while !left() {
        assert!(start.elapsed() < Duration::from_secs(15), "the client is still waited for");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(greedy);
    alive();

    // Requests under way: of one caller, then of all.
    let slow = |user: &str| {
        let request = gate.get(PROBE).bearer(&token(user)).header("User-Agent", "never").bytes();
        let gate = gate.clone();
        std::thread::spawn(move || gate.send_raw(&request).status)
    };
    let mut running = vec![slow("reader"), slow("reader")];
    std::thread::sleep(Duration::from_millis(700));
    let answer = gate.get(PROBE).bearer(&reader).send().expect(429);
    assert_eq!(answer.header("Retry-After"), Some("1"));
    assert_eq!(record_of(audit, &answer)["reason"], "too_many_of_caller");
    gate.get(PROBE).bearer(&token("writer")).send().expect(200);
    running.extend([slow("writer"), slow("writer")]);
    std::thread::sleep(Duration::from_millis(700));
    let answer = gate.get(PROBE).bearer(&token("nobody")).send().expect(503);
    assert_eq!(record_of(audit, &answer)["reason"], "too_many_requests");
    gate.get("/status/health").send().expect(200);
    for request in running {
        assert_eq!(request.join().expect("answered"), 504);
    }
    alive();

    // Connections of one address.
    let held: Vec<_> = (0..12).map(|_| gate.connect()).collect();
    let refused = gate.try_raw(&gate.get("/status/health").bytes());
    assert!(refused.is_err(), "{refused:?}");
    await_connection(audit, "too_many_connections_of_peer");
    drop(held);
    std::thread::sleep(Duration::from_millis(500));
    alive();
}
