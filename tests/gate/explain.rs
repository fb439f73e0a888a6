//! What `explain` says of a request is what becomes of it: asked of the admin listener, then sent, then compared with the
//! answer and its audit record; what would be sent is what a stand-in for the Router gets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};

use msq_gate::druid::ROWS;
use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::coverage::{bad_credentials, with};
use crate::examples::{self, Example, SUPERVISORS, make_known_supervisors, remove_thrown_away};
use crate::operations::{admin_on, admin_section, await_that, free_port};
use crate::recorder::Recorder;
use crate::sign_in::issued;
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

fn command(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_msq-gate")).arg("explain").args(words).output().expect("runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The command says what the listener says, and its exit code what comes of it.
#[test]
fn the_command_says_the_same() {
    let house = House::start(None, "");
    let file = |name: &str, text: &str| {
        let path = house.process.dir.join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (config, policy) = (file("x", ""), house.process.dir.join("policy.toml").display().to_string());
    let config = config.replace("/x", "/gate.toml");
    let (reader, body) =
        (file("reader.token", &format!("{}\n", token("reader"))), file("body", r#"{"query":"SELECT * FROM wiki, t"}"#));
    let noop = unique("noop");
    post_noop("admin", &noop, "wiki");
    let status = format!("GET /druid/indexer/v1/task/{noop}/status");
    let by_token = ["--token", &reader, "--config", &config];
    let by_user = ["--user", "reader", "--groups", "reader", "--config", &config];
    let by_policy = ["--user", "reader", "--groups", "reader", "--policy", &policy];
    let insert = "INSERT INTO t SELECT * FROM wiki PARTITIONED BY ALL";
    let request = |request: &'static str| ["--request", request];
    let same = |who: &[&str], asked: &[&str], question: Value, code: i32| {
        let output = command(&[who, asked, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{asked:?} {}", told(&output));
        let mut said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut expected = house.explain(&question);
        for explanation in [&mut said, &mut expected] {
            explanation["caller"]["secondsLeft"] = Value::Null;
        }
        assert_eq!(said, expected, "{asked:?}");
    };
    let user = |more: Value| {
        let mut question = json!({"user": "reader", "groups": ["reader"]});
        question.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        question
    };
    let asked = |asked: Asked| question(&token("reader"), &asked);
    same(
        &by_token,
        &["--sql", "SELECT page FROM wiki"],
        json!({"token": token("reader"), "sql": "SELECT page FROM wiki"}),
        0,
    );
    same(&by_user, &["--sql", insert], user(json!({"sql": insert})), 1);
    same(&by_token, &["--request", &status], asked(get(&status[4..])), 0);
    same(&by_user, &["--request", &status], user(json!({"method": "GET", "path": &status[4..]})), 0);
    same(&by_token, &request("GET /nope"), asked(get("/nope")), 1);
    same(
        &by_token,
        &["--request", "POST /druid/v2/sql", "--body", &body],
        asked((
            "POST",
            "/druid/v2/sql".to_owned(),
            Some(("application/json", r#"{"query":"SELECT * FROM wiki, t"}"#.to_owned())),
        )),
        1,
    );
    // Without a configuration the policy alone decides; what it cannot is told.
    same(&by_policy, &["--sql", insert], user(json!({"sql": insert})), 1);
    let open = command(&[&by_policy[..], &["--request", &status]].concat());
    assert_eq!(open.status.code(), Some(3), "{}", told(&open));
    assert!(
        told(&open).contains(&format!(
            "cannot be told: the gate would ask Druid for the datasource and type of the task [{noop}]"
        )),
        "{}",
        told(&open)
    );
    let id = command(&[&by_policy[..], &request("GET /druid/v2/sql/statements/query-1.x")].concat());
    assert_eq!(id.status.code(), Some(3), "{}", told(&id));
    // Faults.
    for words in [
        &["--user", "reader", "--sql", "SELECT 1"][..],
        &["--user", "reader", "--token", &reader, "--config", &config, "--sql", "SELECT 1"],
        &["--token", &reader, "--policy", &policy, "--sql", "SELECT 1"],
        &["--user", "reader", "--config", "/nope", "--sql", "SELECT 1"],
        &["--user", "reader", "--issuer", "nope", "--config", &config, "--sql", "SELECT 1"],
        &["--user", "reader", "--config", &config, "--request", "GET"],
        &["--user", "reader", "--config", &config, "--request", "GET status"],
        &["--token", "/nope", "--config", &config, "--request", "GET /status"],
        &["--user", "reader", "--config", &config, "--request", "POST /druid/v2/sql", "--body", "/nope"],
    ] {
        assert_eq!(command(words).status.code(), Some(2), "{words:?} {}", told(&command(words)));
    }
    cancel(&noop);
}

/// For a person: who, the row, each need with its place and what gives it, the answer.
#[test]
fn a_person_reads_why() {
    let policy = options().policy_text;
    let dir = std::env::temp_dir().join(unique("msq-gate-explain-"));
    fs::create_dir_all(&dir).expect("a folder");
    let file = dir.join("policy.toml");
    fs::write(&file, policy).expect("written");
    let sql = "INSERT INTO t\nSELECT * FROM wiki, \x1b[2Jx";
    let by = ["--user", "reader", "--groups", "reader", "--policy", &file.display().to_string()];
    let output = command(&[&by[..], &["--sql", "INSERT INTO t\nSELECT * FROM wiki PARTITIONED BY ALL"]].concat());
    let odd = command(&[&by[..], &["--sql", sql]].concat());
    fs::remove_dir_all(&dir).expect("removed");
    assert_eq!(
        told(&output),
        "\
caller     reader: subject reader of issuer dev, in reader; supposed
roles      reader by group reader
             READ DATASOURCE wiki
row        sql_task, POST /druid/v2/sql/task: what the SQL needs
statement  insert
needs      WRITE DATASOURCE t, which is MISSING
             line 1, column 13, [t]: INSERT and REPLACE write this datasource; it is not read
           READ DATASOURCE wiki, granted by reader (READ DATASOURCE wiki)
             line 2, column 15, [wiki]: a name in the place of a table is a datasource that is read
answer     403 missing_permissions: Missing permissions: WRITE DATASOURCE t
"
    );
    assert!(!told(&odd).contains('\x1b'), "{}", told(&odd));
}

#[test]
fn odd_questions_are_told() {
    let house = House::start(Some(Recorder::start().url), "");
    let ask = |body: &str| house.admin.post("/gate/explain").body("application/json", body).send();
    for (body, what) in [
        ("", "not JSON"),
        ("[]", "no JSON object"),
        (r#"{"user":"a","sql":"SELECT 1","x":1}"#, "no key [x]"),
        (r#"{"user":"a","issuer":"nope","sql":"SELECT 1"}"#, "there is no issuer [nope]; there are: dev"),
        (r#"{"user":"","sql":"SELECT 1"}"#, "a user's name has"),
        (r#"{"user":"a","method":"GET","path":"status"}"#, "a path that begins with /"),
    ] {
        let answer = ask(body).expect(400);
        assert!(answer.json()["error"].as_str().is_some_and(|told| told.contains(what)), "{}", answer.text());
    }
    ask(&format!(r#"{{"user":"a","sql":"{}"}}"#, "x".repeat(1024 * 1024))).expect(413);
    let at_the_bound = format!(r#"{{"user":"a","sql":"{}"}}"#, "x".repeat(1024 * 1024 - 21));
    assert_eq!(at_the_bound.len(), 1024 * 1024);
    assert_eq!(ask(&at_the_bound).expect(200).json()["answer"]["status"], 400);
    house.admin.post("/gate/explain").body("text/plain", r#"{"user":"a","sql":"SELECT 1"}"#).send().expect(415);
    let from_page = house.admin.post("/gate/explain").header("Origin", "http://127.0.0.1:9090");
    from_page.json(&json!({"user": "a", "sql": "SELECT 1"})).send().expect(403);
    assert_eq!(house.admin.get("/gate/explain").send().expect(405).header("Allow"), Some("POST"));
    // It is not for callers.
    let answer =
        house.gate.post("/gate/explain").bearer(&token("admin")).json(&json!({"user": "a", "sql": "SELECT 1"}));
    answer.send().expect(404);
}

/// What is explained repeats no credential, and no secret but what stands in the request that is asked about.
#[test]
fn no_canary_is_told() {
    const PLANTED: &str = "canary-planted-here";
    let recorder = Recorder::start();
    let port = free_port();
    let (router_url, more) = (recorder.url.clone(), admin_section(port));
    let (process, _gate) = own_gate(GateOptions { router_url, more, password: PLANTED.to_owned(), ..options() });
    let admin = admin_on(port);
    let token = issued(&with("note", json!(PLANTED)));
    let forged = format!("{}{}", &token[..token.len() - 8], "AAAAAAAA");
    let mut read = String::new();
    let literal = "SELECT page FROM wiki WHERE page = 'canary-literal'";
    for token in [token.as_str(), &forged, PLANTED] {
        for more in [
            json!({"sql": literal}),
            json!({"sql": "SELECT 'canary-literal"}),
            json!({"sql": "SELECT 'canary-literal' FROM FROM"}),
            json!({"sql": r#"SELECT x FROM TABLE(EXTERN('{"type":"canary-literal"}', '{}')) EXTEND (x BIGINT)"#}),
            json!({"method": "GET", "path": "/status"}),
            json!({"method": "GET", "path": "/gate/me"}),
            json!({"method": "GET", "path": "/druid/indexer/v1/task/wiki-1/status"}),
            json!({"method": "GET", "path": 1}),
        ] {
            let mut question = json!({"token": token});
            question.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let answer = admin.post("/gate/explain").json(&question).send();
            let mut said = answer.json();
            // The statement that would be sent is the caller's own.
            if let Some(sends) = said.get_mut("sends").and_then(Value::as_object_mut) {
                let body = sends.remove("body").unwrap_or_default().as_str().unwrap_or_default().to_owned();
                assert!(!body.contains(PLANTED));
            }
            read.push_str(&said.to_string());
        }
        let file = process.dir.join("asked.token");
        fs::write(&file, token).expect("written");
        let config = process.dir.join("gate.toml");
        let words = ["--token", file.to_str().expect("UTF-8"), "--config", config.to_str().expect("UTF-8")];
        for more in [
            &["--request", "GET /status"][..],
            &["--request", "GET /gate/me", "--json"],
            &["--sql", "SELECT 'canary-literal"],
        ] {
            read.push_str(&told(&command(&[&words[..], more].concat())));
        }
    }
    // It was read, by all of them.
    assert!(read.contains("\"subject\":\"reader\"") && read.contains("not a signed JWT"), "{read}");
    let signature = token.rsplit('.').next().expect("a signature");
    for canary in [PLANTED, "canary-literal", signature, &token[..token.len() - 8]] {
        assert!(!read.contains(canary), "{canary}: {read}");
    }
    let kept = [&process.audit, &process.log].map(|path| fs::read_to_string(path).expect("a file")).concat();
    for canary in [PLANTED, "canary-literal", signature] {
        assert!(!kept.contains(canary), "{canary}: {kept}");
    }
}
