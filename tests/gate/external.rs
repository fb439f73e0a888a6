//! What EXTERN may read, and what context keys need: settings of `[sql]`, with a real Druid behind.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::support::{End, await_state, gate, listing_gate, options, own_gate, sql, started};

const SQL_ROWS: [&str; 3] = ["/druid/v2/sql/task", "/druid/v2/sql/statements", "/druid/v2/sql"];

/// A web server of one row, which counts how often it was asked.
struct Rows {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Rows {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (port, asked) = (listener.local_addr().expect("bound").port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"p\":\"x\"}\n");
            }
        });
        Self { port, asked }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn reading(source: &Value) -> String {
    format!("SELECT p FROM TABLE(EXTERN('{source}', '{{\"type\":\"json\"}}')) EXTEND (p VARCHAR)")
}

fn reading_urls(urls: &[String]) -> String {
    reading(&json!({"type": "http", "uris": urls}))
}

fn submit(end: End<'_>, user: &str, row: &str, text: &str) -> Answer {
    end.ask(Some(user), "POST", row).json(&sql(text)).send()
}

/// Submits, and waits for the end of the task.
fn run(end: End<'_>, user: &str, text: &str) -> String {
    let answer = submit(end, user, SQL_ROWS[0], text).expect(202);
    await_state(&started(&answer).expect("an id"), &["SUCCESS", "FAILED"])
}

/// The reason of a 400.
fn reason(answer: &Answer) -> String {
    let body = answer.json();
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    error["context"]["reason"].as_str().unwrap_or_default().to_owned()
}

/// The permissions that a 403 names.
fn missing(answer: Answer) -> Vec<String> {
    let body = answer.expect(403).json();
    let line = |item: &Value| {
        let word = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        format!("{} {} {}", word("/action"), word("/resource/type"), word("/resource/name"))
    };
    body["missingPermissions"].as_array().expect("a list").iter().map(line).collect()
}

/// A gate with these settings and, beside the bed's policy, these permissions for `nobody`.
fn gate_with(section: &str, permissions: &[&str]) -> (GateProcess, Server) {
    let base = options();
    let role = format!(
        "\n[roles.of-nobody]\npermissions = {}\n[[bindings]]\nissuer = \"dev\"\ngroup = \"nobody\"\nroles = [\"of-nobody\"]\n",
        json!(permissions)
    );
    let policy_text = if permissions.is_empty() { base.policy_text.clone() } else { base.policy_text.clone() + &role };
    own_gate(GateOptions { more: format!("[sql]\n{section}"), policy_text, ..base })
}

#[test]
fn what_is_listed_is_read_and_another_port_is_not() {
    let (listed, other) = (Rows::start(), Rows::start());
    let (_process, server) = listing_gate(&[&listed.url("127.0.0.1", "/public/")]);
    let end = End::Gate(&server);
    assert_eq!(run(end, "ingester", &reading_urls(&[listed.url("127.0.0.1", "/public/rows.json")])), "SUCCESS");
    let asked = listed.asked();
    assert!(asked > 0);
    for refused in [
        other.url("127.0.0.1", "/public/rows.json"),
        listed.url("127.0.0.1", "/publicity/rows.json"),
        listed.url("127.0.0.1", "/rows.json"),
        listed.url("localhost", "/public/rows.json"),
    ] {
        for row in SQL_ROWS {
            let both = [listed.url("127.0.0.1", "/public/rows.json"), refused.clone()];
            let answer = submit(end, "ingester", row, &reading_urls(&both)).expect(400);
            assert_eq!(reason(&answer), "external_not_listed", "{row} {refused}");
            let text = answer.text();
            assert!(text.contains("item 2 of [uris]") && text.contains("external_destinations"), "{text}");
        }
    }
    assert_eq!((listed.asked(), other.asked()), (asked, 0));
}

/// Druid itself reaches this machine by each of these spellings; through the gate none does.
#[test]
fn inner_addresses_are_refused_that_druid_would_connect_to() {
    let rows = Rows::start();
    let hosts = ["127.0.0.1", "2130706433", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0", "LOCALHOST", "user@127.0.0.1"];
    let urls: Vec<String> = hosts.iter().map(|host| rows.url(host, "/rows.json")).collect();
    assert_eq!(run(End::Direct, "ingester", &reading_urls(&urls)), "SUCCESS");
    let asked = rows.asked();
    assert!(asked >= hosts.len(), "{asked}");
    for url in urls {
        for row in SQL_ROWS {
            let answer = submit(gate(), "ingester", row, &reading_urls(std::slice::from_ref(&url))).expect(400);
            assert!(["external_inner_address", "external_odd_place"].contains(&reason(&answer).as_str()), "{url}");
        }
    }
    assert_eq!(rows.asked(), asked);
    // Where, and by which setting it would be allowed.
    let text = submit(gate(), "ingester", SQL_ROWS[0], &reading_urls(&[rows.url("127.0.0.1", "/")])).text();
    assert!(text.contains("(line [1], column [28])"), "{text}");
    assert!(text.contains("[sql] external_destinations"), "{text}");
}

#[test]
fn by_type_a_role_reads_the_types_that_it_holds() {
    let rows = Rows::start();
    let section = format!("external = \"by-type\"\nexternal_destinations = [\"{}\"]\n", rows.url("127.0.0.1", "/"));
    let (_process, server) = gate_with(&section, &["READ EXTERNAL http"]);
    let end = End::Gate(&server);
    let http = json!({"type": "http", "uris": [rows.url("127.0.0.1", "/rows.json")]});
    let inline = json!({"type": "inline", "data": "{}"});
    let both = json!({"type": "combining", "delegates": [http, inline]});
    assert_eq!(run(end, "nobody", &reading(&http)), "SUCCESS");
    assert!(rows.asked() > 0);
    for row in SQL_ROWS {
        assert_eq!(missing(submit(end, "nobody", row, &reading(&inline))), ["READ EXTERNAL inline"]);
        assert_eq!(missing(submit(end, "nobody", row, &reading(&both))), ["READ EXTERNAL inline"]);
        // What is enough where types do not matter is not here.
        assert_eq!(missing(submit(end, "ingester", row, &reading(&http))), ["READ EXTERNAL http"]);
    }
    let export = "INSERT INTO EXTERN(s3(bucket => 'b', prefix => 'p')) AS CSV SELECT 1 AS x";
    assert_eq!(missing(submit(end, "nobody", SQL_ROWS[0], export)), ["WRITE EXTERNAL s3"]);
    assert_eq!(missing(submit(gate(), "nobody", SQL_ROWS[0], export)), ["WRITE EXTERNAL s3"]);
}

#[test]
fn a_druid_source_needs_read_on_its_datasource_where_it_is_taken_at_all() {
    let source = json!({"type": "druid", "dataSource": "wiki", "interval": "1990-01-01/1990-01-02"});
    let nested = json!({"type": "combining", "delegates": [{"type": "inline", "data": "{}"}, source]});
    let (_process, server) = gate_with("external_druid = \"require-read\"\n", &["READ EXTERNAL EXTERNAL"]);
    for row in SQL_ROWS {
        for statement in [reading(&source), reading(&nested)] {
            assert_eq!(missing(submit(End::Gate(&server), "nobody", row, &statement)), ["READ DATASOURCE wiki"]);
            assert_eq!(reason(&submit(gate(), "admin", row, &statement).expect(400)), "external_druid");
            // Who holds both is not refused by the gate, whatever Druid makes of it.
            assert!(!reason(&submit(End::Gate(&server), "admin", row, &statement)).starts_with("external"));
        }
    }
}

/// As Druid with `druid.auth.authorizeQueryContextParams`, which the bed's does not have: `AuthConfig.contextKeysToAuthorize`.
#[test]
fn context_keys_need_write_where_they_are_authorized() {
    let section = "query_context = \"authorize\"\nquery_context_free = [\"executionMode\"]\n";
    let (_process, server) = gate_with(section, &["WRITE QUERY_CONTEXT maxNumTasks", "READ DATASOURCE wiki"]);
    let ask = |user: &str, row: &str, text: &str, context: Value| {
        let body = json!({"query": text, "context": context});
        End::Gate(&server).ask(Some(user), "POST", row).json(&body).send()
    };
    let held = json!({"executionMode": "async", "maxNumTasks": 2});
    let other = json!({"executionMode": "async", "maxNumTasks": 2, "timeout": 1000, "useCache": null});
    for row in SQL_ROWS {
        let id = crate::support::unique("free");
        let free = json!({"executionMode": "async", "sqlQueryId": id, "queryId": "x", "sqlStringifyArrays": true});
        assert!(ask("nobody", row, "SELECT 1", free).status < 300, "{row}");
        assert!(ask("nobody", row, "SELECT page FROM wiki LIMIT 1", held.clone()).status < 300, "{row}");
        let timeout = ["WRITE QUERY_CONTEXT timeout", "WRITE QUERY_CONTEXT useCache"];
        assert_eq!(missing(ask("nobody", row, "SELECT 1", other.clone())), timeout);
        let set = "SET maxNumTasks = 2; SET timeout = 1000; SET useCache = FALSE; SELECT 1";
        assert_eq!(missing(ask("nobody", row, set, json!({}))), timeout);
        assert!(ask("admin", row, "SELECT 1", other.clone()).status < 300, "{row}");
        let (end, plain) = (End::Gate(&server), set.replace("SET maxNumTasks = 2;", ""));
        assert_eq!(missing(end.ask(Some("nobody"), "POST", row).body("text/plain", plain).send()), timeout);
        // More than can be told.
        let many: Value = (0..1001).map(|n| (format!("k{n}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(reason(&ask("nobody", row, "SELECT 1", many).expect(400)), "too_many_context_keys");
    }
    // Elsewhere no key needs anything.
    assert!(
        gate()
            .ask(Some("nobody"), "POST", SQL_ROWS[2])
            .json(&json!({"query": "SELECT 1", "context": other}))
            .send()
            .status
            < 300
    );
}
