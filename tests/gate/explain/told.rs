//! How explanations are asked for, and what they tell: the command, the listener, and no secrets.

use std::fs;
use std::process::{Command, Output};

use msq_gate_bed::GateOptions;
use serde_json::{Value, json};

use super::{Asked, House, get, question};
use crate::coverage::with;
use crate::operations::{admin_on, admin_section, free_port};
use crate::recorder::Recorder;
use crate::sign_in::issued;
use crate::support::{cancel, options, own_gate, post_noop, token, unique};

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
