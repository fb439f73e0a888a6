//! A query that runs: watched and cancelled by others, as the rule says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::support::{End, await_state, gate, listing_gate, submit_task};

/// A server that begins to answer and never ends; what reads from it runs until it is cancelled.
fn slow_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/rows.json", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || trickle(stream));
        }
    });
    url
}

fn trickle(mut stream: TcpStream) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    let mut alive = stream.write_all(head.as_bytes()).is_ok();
    while alive {
        alive = stream.write_all(b"{\"p\":\"x\"}\n").is_ok();
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn extern_http(url: &str) -> String {
    format!(r#"TABLE(EXTERN('{{"type":"http","uris":["{url}"]}}', '{{"type":"json"}}')) EXTEND (p VARCHAR)"#)
}

/// Submitted by one, watched and cancelled by a second, refused to a third. `url` is what the statement reads.
fn watched_and_cancelled(url: &str, statement: &str, submitter: &str, watcher: &str, stranger: &str) {
    let (_process, listing) = listing_gate(&[url]);
    let id = submit_task(End::Gate(&listing), submitter, statement);
    await_state(&id, &["RUNNING"]);
    let path = |call: &str| format!("/druid/indexer/v1/task/{id}{call}");
    for call in ["", "/status"] {
        let seen = gate().ask(Some(watcher), "GET", &path(call)).send().expect(200).json();
        assert_eq!(seen["task"], id.as_str());
        gate().ask(Some(stranger), "GET", &path(call)).send().expect(403);
    }
    for call in ["/reports", "/log"] {
        gate().ask(Some(stranger), "GET", &path(call)).send().expect(403);
        // A task that runs has a report soon, and a log where logs are kept: 404 until then, never 403.
        assert_ne!(gate().ask(Some(watcher), "GET", &path(call)).send().status, 403);
    }
    gate().ask(Some(stranger), "POST", &path("/shutdown")).json(&json!({})).send().expect(403);
    assert_eq!(await_state(&id, &["RUNNING", "FAILED", "SUCCESS"]), "RUNNING", "a refused cancel cancels nothing");
    gate().ask(Some(watcher), "POST", &path("/shutdown")).json(&json!({})).send().expect(200);
    await_state(&id, &["FAILED"]);
}

#[test]
fn an_insert_is_watched_and_cancelled_by_who_may_read_its_output() {
    let url = slow_server();
    let rows = extern_http(&url);
    let statement =
        format!("INSERT INTO wiki SELECT TIMESTAMP '1990-01-01' AS __time, p AS page FROM {rows} PARTITIONED BY DAY");
    watched_and_cancelled(&url, &statement, "ingester", "reader", "writer");
}

#[test]
fn a_select_is_watched_and_cancelled_by_who_may_read_the_stub() {
    let url = slow_server();
    let statement = format!("SELECT p FROM {}", extern_http(&url));
    watched_and_cancelled(&url, &statement, "ingester", "selr", "reader");
}

/// Statements belong to who submitted them, whatever the others may read. The bed's Druid knows the gate alone, so that the
/// gate's rule is all there is, and it is that of Druid since 28.
#[test]
fn a_statement_is_its_submitters() {
    let select = crate::support::sql("SELECT page FROM wiki LIMIT 2");
    let answer = gate().ask(Some("reader"), "POST", "/druid/v2/sql/statements").json(&select).send().expect(200).json();
    let id = answer["queryId"].as_str().expect("an id").to_owned();
    await_state(&id, &["SUCCESS"]);
    let path = format!("/druid/v2/sql/statements/{id}");
    let results = format!("{path}/results");
    assert_eq!(gate().ask(Some("reader"), "GET", &path).send().expect(200).json()["queryId"], id.as_str());
    let rows = gate().ask(Some("reader"), "GET", &results).send().expect(200).text();
    assert_eq!(rows.lines().filter(|line| line.contains("page")).count(), 2, "{rows}");
    for other in ["nobody", "selr", "writer"] {
        for target in [&path, &results] {
            let refused = gate().ask(Some(other), "GET", target).send().expect(403).json();
            assert_eq!(refused["errorCode"], "forbidden");
        }
        gate().ask(Some(other), "DELETE", &path).send().expect(403);
    }
    assert_eq!(gate().ask(Some("stater"), "GET", &path).send().expect(200).json()["queryId"], id.as_str());
    gate().ask(Some("stater"), "DELETE", &path).send().expect(403);
    let forged = path.replace(&id[id.len() - 4..], "AAAA");
    for unknown in [forged.as_str(), "/druid/v2/sql/statements/query-nope", "/druid/v2/sql/statements/nope"] {
        assert_eq!(gate().ask(Some("reader"), "GET", unknown).send().expect(404).json()["errorCode"], "notFound");
    }
    let deleted = gate().ask(Some("reader"), "DELETE", &path).send();
    assert!(deleted.status == 200 || deleted.status == 202, "{}", deleted.status);
}

/// The console chooses an id, runs its query under it and cancels by it.
#[test]
fn a_native_query_is_cancelled_by_the_id_that_its_client_chose() {
    let id = crate::support::unique("console");
    // Rows enough that the count does not end by itself.
    let joins: String = (0..10).map(|n| format!(" CROSS JOIN (SELECT 1 AS k{n} FROM wiki) AS w{n}")).collect();
    let body = json!({"query": format!("SELECT COUNT(*) FROM wiki{joins}"), "context": {"sqlQueryId": id}});
    let running = std::thread::spawn({
        let body = body.clone();
        move || gate().ask(Some("reader"), "POST", "/druid/v2/sql").json(&body).send()
    });
    let path = format!("/druid/v2/sql/{id}");
    let mut cancelled = 404;
    for _ in 0..100 {
        // Another's client id of the same spelling names another query.
        assert_eq!(gate().ask(Some("selr"), "DELETE", &path).send().status, 404);
        cancelled = gate().ask(Some("reader"), "DELETE", &path).send().status;
        if cancelled != 404 || running.is_finished() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(cancelled, 202);
    let answer = running.join().expect("answered");
    assert!(answer.status >= 400, "{} {}", answer.status, answer.text());
}

#[test]
fn a_native_query_answers_under_the_clients_own_id() {
    let body = json!({"query": "SELECT 1", "context": {"sqlQueryId": "my-own-id"}});
    let answer = gate().ask(Some("nobody"), "POST", "/druid/v2/sql").json(&body).send().expect(200);
    assert_eq!(answer.header("X-Druid-SQL-Query-Id"), Some("my-own-id"));
    let unnamed = gate().ask(Some("nobody"), "POST", "/druid/v2/sql").json(&json!({"query": "SELECT 1"})).send();
    assert!(unnamed.header("X-Druid-SQL-Query-Id").expect("an id").starts_with("1."));
}

/// The same client id is the same upstream id, so a retried INSERT is refused as a repeat.
#[test]
fn a_repeated_insert_is_refused_by_druid_as_a_repeat() {
    let text = "INSERT INTO wiki SELECT * FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY";
    let body = json!({"query": text, "context": {"sqlQueryId": crate::support::unique("retry")}});
    let ask = |user: &str| gate().ask(Some(user), "POST", "/druid/v2/sql/task").json(&body).send();
    let first = ask("admin").expect(202).json();
    let again = ask("admin");
    assert!(again.status >= 400 && again.text().contains("already exists"), "{}", again.text());
    // Another caller's id of the same spelling is another id.
    let select = json!({"query": "SELECT 1", "context": body["context"]});
    let other = gate().ask(Some("nobody"), "POST", "/druid/v2/sql/task").json(&select).send().expect(202).json();
    assert_ne!(first["taskId"], other["taskId"]);
}
