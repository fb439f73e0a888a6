//! Whose a query is: told by its id alone, to every gate that has the key, also while the key is replaced.

use std::path::{Path, PathBuf};

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::Server;
use crate::recorder::Recorder;
use crate::support::{options, own_gate, token};

const LIST: &str = "/druid/v2/sql/queries";

fn key_file(name: &str, letter: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    // 32 bytes in base64.
    std::fs::write(&path, letter.repeat(42) + "A=\n").expect("written");
    path
}

/// A gate before this stand-in, with the first key, that recognizes ids of the others too.
fn with_keys(recorder: &Recorder, keys: &[&PathBuf]) -> (GateProcess, Server) {
    let id_keys = keys.iter().map(|path| (*path).clone()).collect();
    own_gate(GateOptions { router_url: recorder.url.clone(), id_keys, ..options() })
}

/// Submits a statement, and gives the id that Druid sees.
fn submitted(gate: &Server, recorder: &Recorder, user: &str, target: &str) -> String {
    gate.post(target).bearer(&token(user)).json(&json!({"query": "SELECT 1"})).send().expect(200);
    let arrived = recorder.take();
    let (_, body) = arrived.last().and_then(|request| request.split_once("\r\n\r\n")).expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    body["context"]["sqlQueryId"].as_str().expect("an id").to_owned()
}

#[test]
fn running_queries_are_listed_to_their_owners_and_a_key_is_replaced_meanwhile() {
    let recorder = Recorder::start();
    let (old, new) = (key_file("id-key-old", "a"), key_file("id-key-new", "b"));
    let (_first, before) = with_keys(&recorder, &[&old, &new]);
    let (_second, during) = with_keys(&recorder, &[&new, &old]);
    let (_third, after) = with_keys(&recorder, &[&new]);
    let readers = [
        submitted(&before, &recorder, "reader", "/druid/v2/sql"),
        submitted(&during, &recorder, "reader", "/druid/v2/sql"),
    ];
    let writers = submitted(&before, &recorder, "writer", "/druid/v2/sql");
    let forged = readers[0].replace(&readers[0][readers[0].len() - 4..], "AAAA");
    let ids = [readers[0].as_str(), writers.as_str(), "chosen-before-the-gate", forged.as_str(), readers[1].as_str()];
    let running = ids.map(|id| {
        json!({"engine": "native", "sqlQueryId": id, "sql": "SELECT 1", "authenticator": "basic", "identity": "gate"})
    });
    recorder.answers(LIST, &json!({"queries": running}));

    let listed = |gate: &Server, user: &str| {
        let answer = gate.get(LIST).bearer(&token(user)).send().expect(200).json();
        let items = answer["queries"].as_array().expect("an array").clone();
        let shows_who = items.iter().any(|item| item.get("identity").is_some() || item.get("authenticator").is_some());
        let ids: Vec<String> =
            items.iter().map(|item| item["sqlQueryId"].as_str().expect("an id").to_owned()).collect();
        (ids, shows_who)
    };
    for gate in [&before, &during] {
        assert_eq!(listed(gate, "reader"), (readers.to_vec(), false));
        assert_eq!(listed(gate, "writer"), (vec![writers.clone()], false));
        assert_eq!(listed(gate, "nobody"), (Vec::new(), false));
        assert_eq!(listed(gate, "stater"), (ids.map(str::to_owned).to_vec(), true));
    }
    assert_eq!(listed(&after, "reader"), (vec![readers[1].clone()], false));

    recorder.take();
    for id in &readers {
        let statement = format!("/druid/v2/sql/statements/query-{id}");
        let query = format!("/druid/v2/sql/{id}");
        for gate in [&before, &during] {
            gate.get(&statement).bearer(&token("reader")).send().expect(200);
            gate.request("DELETE", &query).bearer(&token("reader")).send().expect(200);
            let arrived = recorder.take();
            assert!(arrived[0].starts_with(&format!("GET {statement} ")), "{arrived:?}");
            assert!(arrived[1].starts_with(&format!("DELETE {query} ")), "{arrived:?}");
            for other in ["writer", "nobody"] {
                gate.get(&statement).bearer(&token(other)).send().expect(403);
                gate.request("DELETE", &query).bearer(&token(other)).send().expect(403);
            }
        }
    }
    after.get(&format!("/druid/v2/sql/statements/query-{}", readers[0])).bearer(&token("reader")).send().expect(404);
    assert_eq!(recorder.take(), Vec::<String>::new());
}

/// Druid since 28: READ on the state to see another's statement, WRITE to cancel it.
#[test]
fn statements_are_for_their_submitters_and_for_the_state() {
    let recorder = Recorder::start();
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let id = submitted(&gate, &recorder, "reader", "/druid/v2/sql/statements");
    let statement = format!("/druid/v2/sql/statements/query-{id}");
    let results = format!("{statement}/results");
    let (directly, odd) = ("/druid/v2/sql/statements/query-before-the-gate", "/druid/v2/sql/statements/nobodys");
    for (user, method, target, status) in [
        ("reader", "GET", &*statement, 200),
        ("reader", "GET", &*results, 200),
        ("reader", "DELETE", &*statement, 200),
        ("writer", "GET", &*statement, 403),
        ("writer", "DELETE", &*statement, 403),
        ("stater", "GET", &*statement, 200),
        ("stater", "GET", &*results, 200),
        ("stater", "DELETE", &*statement, 403),
        ("admin", "DELETE", &*statement, 200),
        // What no gate signed is there for the state alone.
        ("stater", "GET", directly, 200),
        ("stater", "DELETE", directly, 404),
        ("reader", "GET", directly, 404),
        ("stater", "GET", odd, 200),
        ("reader", "GET", odd, 404),
    ] {
        let answer = gate.request(method, target).bearer(&token(user)).send();
        assert_eq!(answer.status, status, "{method} {target} as {user}: {}", answer.text());
        let arrived = recorder.take();
        assert_eq!(arrived.len(), usize::from(status == 200), "{method} {target} as {user}");
        assert!(arrived.iter().all(|request| request.starts_with(&format!("{method} {target} "))), "{arrived:?}");
        if status == 403 {
            let action = if method == "GET" { "READ" } else { "WRITE" };
            assert!(answer.text().contains(&format!("{action} STATE STATE")), "{}", answer.text());
        }
    }
    let environment = vec![("MSQ_GATE__POLICY__STATEMENTS_BY_STATE".to_owned(), "false".to_owned())];
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), environment, ..options() });
    for (user, target, status) in [
        ("reader", &*statement, 200),
        ("stater", &*statement, 403),
        ("admin", &*statement, 403),
        ("admin", directly, 404),
    ] {
        gate.get(target).bearer(&token(user)).send().expect(status);
    }
}
