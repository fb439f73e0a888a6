//! Who may submit what: every user by every statement by each endpoint, beside what Druid says to the same user.

use crate::client::Answer;
use msq_gate_bed::GateOptions;

use crate::support::{End, await_state, gate, options, own_gate, sql, started};

/// The statements. Those that write choose a time in which wiki has no rows, or write none.
const STATEMENTS: [(&str, &str); 6] = [
    ("SELECT wiki", "SELECT page FROM wiki LIMIT 1"),
    (
        "INSERT wiki reading wiki",
        "INSERT INTO wiki SELECT __time, page FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY",
    ),
    (
        "REPLACE wiki from constants",
        "REPLACE INTO wiki OVERWRITE WHERE __time >= TIMESTAMP '1990-01-01' AND __time < TIMESTAMP '1990-01-02' \
         SELECT TIMESTAMP '1990-01-01' AS __time, 'x' AS page PARTITIONED BY DAY",
    ),
    (
        "SELECT EXTERN",
        r#"SELECT x FROM TABLE(EXTERN('{"type":"inline","data":"{\"x\":1}"}', '{"type":"json"}')) EXTEND (x BIGINT)"#,
    ),
    (
        "INSERT wiki from EXTERN",
        r#"INSERT INTO wiki SELECT TIMESTAMP '1990-01-01' AS __time, p AS page FROM TABLE(EXTERN('{"type":"inline","data":"{\"p\":\"x\"}"}', '{"type":"json"}')) EXTEND (p VARCHAR) WHERE p = 'no such page' PARTITIONED BY DAY"#,
    ),
    ("SELECT 1", "SELECT 1"),
];

/// `(user, what each statement gives)`: druid-27's own table, seen again by the direct half of this test.
const MAY: [(Option<&str>, [u16; 6]); 5] = [
    (None, [401; 6]),
    (Some("nobody"), [403, 403, 403, 403, 403, 200]),
    (Some("reader"), [200, 403, 403, 403, 403, 200]),
    (Some("writer"), [403, 403, 200, 403, 403, 200]),
    (Some("ingester"), [403, 403, 200, 200, 200, 200]),
];

/// Success is 202 on `/sql/task` and 200 elsewhere; in the table it is 200.
fn class(answer: &Answer) -> u16 {
    if answer.status == 202 { 200 } else { answer.status }
}

fn submit(end: End<'_>, user: Option<&str>, path: &str, statement: &str) -> Answer {
    let answer = end.ask(user, "POST", path).json(&sql(statement)).send();
    // One at a time, and each to its end: controllers that fill all task slots would wait for their workers forever.
    if let Some(id) = started(&answer) {
        await_state(&id, &["SUCCESS", "FAILED"]);
    }
    answer
}

fn both_ends_agree(gate: End<'_>, path: &str) {
    let mut differences = Vec::new();
    for (user, row) in MAY {
        for ((name, statement), expected) in STATEMENTS.iter().zip(row) {
            let direct = submit(End::Direct, user, path, statement);
            let through = submit(gate, user, path, statement);
            if class(&direct) != expected || class(&through) != expected {
                let who = user.unwrap_or("no credentials");
                differences.push(format!(
                    "{path} {who}: {name}: expected {expected}, Druid {} {}, the gate {} {}",
                    direct.status,
                    direct.text(),
                    through.status,
                    through.text()
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn sql_task_is_decided_as_druid_decides() {
    both_ends_agree(gate(), "/druid/v2/sql/task");
}

#[test]
fn sql_statements_are_decided_as_druid_decides() {
    both_ends_agree(gate(), "/druid/v2/sql/statements");
}

/// On the native engine INSERT and REPLACE are 400 for everyone at Druid; the gate judges first, and says 403 to who
/// lacks a permission: an intended difference.
#[test]
fn native_sql_is_decided_as_druid_decides() {
    native_sql(gate());
}

fn native_sql(gate: End<'_>) {
    for (user, row) in MAY {
        for ((name, statement), may) in STATEMENTS.iter().zip(row) {
            let direct = submit(End::Direct, user, "/druid/v2/sql", statement).status;
            let through = submit(gate, user, "/druid/v2/sql", statement).status;
            let writes = name.starts_with("INSERT") || name.starts_with("REPLACE");
            // What MSQ alone can do is 400 at the native engine, for who may do it.
            let msq_only = writes || *name == "SELECT EXTERN";
            let at_gate = if msq_only && may == 200 { 400 } else { may };
            let at_druid = if writes && user.is_some() { 400 } else { at_gate };
            assert_eq!((direct, through), (at_druid, at_gate), "{user:?}: {name}");
        }
    }
}

#[test]
fn a_403_names_every_missing_permission_in_the_shape_of_its_api() {
    let statement = STATEMENTS[4].1;
    let expected = "Missing permissions: WRITE DATASOURCE wiki, READ EXTERNAL EXTERNAL";
    let list = serde_json::json!([
        {"resource": {"type": "DATASOURCE", "name": "wiki"}, "action": "WRITE"},
        {"resource": {"type": "EXTERNAL", "name": "EXTERNAL"}, "action": "READ"},
    ]);

    let task = submit(gate(), Some("nobody"), "/druid/v2/sql/task", statement).expect(403).json();
    assert_eq!(task["taskId"], "forbidden");
    assert_eq!(task["state"], "FAILED");
    assert_eq!(task["error"]["error"], "druidException");
    assert_eq!(task["error"]["category"], "FORBIDDEN");
    assert_eq!(task["error"]["errorMessage"], expected);
    assert_eq!(task["missingPermissions"], list);

    let statements = submit(gate(), Some("nobody"), "/druid/v2/sql/statements", statement).expect(403).json();
    assert_eq!(statements["error"], "druidException");
    assert_eq!(statements["errorCode"], "forbidden");
    assert_eq!(statements["errorMessage"], expected);
    assert_eq!(statements["missingPermissions"], list);

    let native = submit(gate(), Some("nobody"), "/druid/v2/sql", statement).expect(403).json();
    assert_eq!(native["Access-Check-Result"], expected);
    assert_eq!(native["missingPermissions"], list);

    // Druid's own keys are all there, so that a client that reads Druid's body reads the gate's.
    for (path, ours) in
        [("/druid/v2/sql/task", &task), ("/druid/v2/sql/statements", &statements), ("/druid/v2/sql", &native)]
    {
        let direct = submit(End::Direct, Some("nobody"), path, STATEMENTS[0].1).expect(403).json();
        for key in direct.as_object().expect("an object").keys() {
            assert!(ours.get(key).is_some(), "{path}: {key}");
        }
    }
}

#[test]
fn a_401_is_druids_own_with_a_challenge() {
    let direct = submit(End::Direct, None, "/druid/v2/sql/task", "SELECT 1").expect(401).json();
    let through = submit(gate(), None, "/druid/v2/sql/task", "SELECT 1").expect(401);
    assert_eq!(through.header("WWW-Authenticate"), Some(r#"Bearer realm="druid""#));
    assert_eq!(through.json()["error"], direct["error"]);
    for key in direct.as_object().expect("an object").keys() {
        assert!(through.json().get(key).is_some(), "{key}");
    }
    let bad = End::Gate(&crate::support::GATE).ask(None, "GET", "/status").bearer("a.b.c").send().expect(401);
    assert!(bad.header("WWW-Authenticate").expect("challenge").contains(r#"error="invalid_token""#));
}

/// With Druid's own rule for cancelling, the one difference left is INSERT and REPLACE at the native engine.
#[test]
fn with_druids_rule_for_cancelling_little_differs() {
    let (_process, server) = own_gate(GateOptions { task_cancel: "WRITE".to_owned(), ..options() });
    let gate = End::Gate(&server);
    native_sql(gate);
    crate::tasks::both_ends_agree(gate, &[]);
}
