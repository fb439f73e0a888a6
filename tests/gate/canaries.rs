//! No secret comes to light: canaries are planted wherever callers, issuers and the operator have secrets, and searched for
//! in the audit records, the log, the metrics, and in answers to others.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Request, Server};
use crate::coverage::with;
use crate::operations::{admin_on, admin_section, await_that, free_port};
use crate::recorder::Recorder;
use crate::sign_in::issued;
use crate::support::{options, own_gate, token};

/// What a place of secrets is called; its canary has this in it.
const PLACES: [&str; 13] = [
    "literal",
    "comment",
    "identifier",
    "extern",
    "parameter",
    "context",
    "password",
    "cookie",
    "header",
    "query",
    "path",
    "token",
    "account",
];

fn canary(place: &str) -> String {
    assert!(PLACES.contains(&place), "{place}");
    format!("canary-{place}-here")
}

struct House {
    process: GateProcess,
    gate: Server,
    admin: Server,
    recorder: Recorder,
}

impl House {
    fn start() -> Self {
        let (recorder, port) = (Recorder::start(), free_port());
        let more = format!("basic_password = true\n{}", admin_section(port));
        let password = canary("account");
        let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, password, ..options() });
        Self { process, gate, admin: admin_on(port), recorder }
    }

    /// Everything that the gate has told of itself.
    fn told(&self) -> String {
        let read = |path| fs::read_to_string(path).expect("a file");
        let metrics = self.admin.get("/metrics").send().expect(200).text();
        let ready = self.admin.get("/readyz?verbose").send().text();
        [read(&self.process.audit), read(&self.process.log), metrics, ready].concat()
    }

    fn await_records(&self, answers: &[Answer]) {
        let ids: Vec<&str> = answers.iter().map(|answer| answer.header("X-Request-Id").expect("an id")).collect();
        await_that("the records", || {
            let audit = fs::read_to_string(&self.process.audit).expect("audit");
            ids.iter().all(|id| audit.contains(id))
        });
    }
}

/// The canaries that stand in a text, in clear or in what carries secrets: base64 at each of its three places in a group.
fn found(text: &str) -> Vec<&'static str> {
    let encoded = |canary: &str, shift: usize| {
        let whole = STANDARD.encode("x".repeat(shift) + canary);
        // The first and the last group hold bits of neighbors.
        whole[4..whole.len() - 4].to_owned()
    };
    let is_in = |place: &&str| {
        let canary = canary(place);
        text.contains(&canary) || (0..3).any(|shift| text.contains(&encoded(&canary, shift)))
    };
    PLACES.into_iter().filter(is_in).collect()
}

/// A token with a canary in its claims, and in its signature one that nobody could have made.
fn token_with_canary() -> String {
    issued(&with("note", json!(canary("token"))))
}

fn sql(gate: &Server, token: &str, path: &'static str, statement: &str) -> Answer {
    let context = json!({"note": canary("context"), "canary-context-here": 1, "sqlQueryId": canary("context")});
    let parameters = json!([{"type": "VARCHAR", "value": canary("parameter")}]);
    let body = json!({"query": statement, "context": context, "parameters": parameters});
    gate.post(path).bearer(token).json(&body).send()
}

/// Requests with secrets in all places: such as succeed, are denied, are refused, and such as nobody can read.
fn plant(house: &House) -> Vec<Answer> {
    let (gate, token) = (&house.gate, token_with_canary());
    let extern_of = |user: &str| {
        format!(
            r#"TABLE(EXTERN('{{"type":"http","uris":["https://{user}h/{0}"],"httpAuthenticationPassword":"{0}"}}', '{{"type":"json"}}')) EXTEND (x BIGINT)"#,
            canary("extern")
        )
    };
    // One that is read, and one that is refused for the user in its place.
    let (in_extern, odd_extern) = (extern_of(""), extern_of(&format!("u:{}@", canary("extern"))));
    let (literal, comment, identifier) = (canary("literal"), canary("comment"), canary("identifier"));
    let statements = [
        format!("SELECT page FROM wiki WHERE page = '{literal}' /* {comment} */ AND page <> ?"),
        format!("SELECT page AS \"{identifier}\" FROM wiki -- {comment}\nWHERE page = U&'{literal}'"),
        format!("SELECT '{literal}' FROM secret"),
        format!("INSERT INTO wiki SELECT x FROM {in_extern} PARTITIONED BY ALL"),
        format!("SELECT x FROM {in_extern} WHERE x = '{literal}'"),
        format!("SELECT x FROM {odd_extern}"),
        format!("SELECT '{literal}' FROM FROM"),
        format!("SELECT '{literal}"),
        format!("SET a = '{literal}'; SELECT 1"),
        format!("EXPLAIN PLAN FOR SELECT '{literal}' FROM wiki"),
    ];
    let mut answers = Vec::new();
    for statement in &statements {
        for path in ["/druid/v2/sql", "/druid/v2/sql/task", "/druid/v2/sql/statements"] {
            answers.push(sql(gate, &token, path, statement));
        }
    }
    // One who may read from outside.
    answers.push(sql(gate, &crate::support::token("admin"), "/druid/v2/sql/task", &statements[4]));
    let plain = |request: Request<'_>| request.send();
    let forged = format!("{}{}", &token[..token.len() - 8], "AAAAAAAA");
    let session = format!("__Host-msq-gate-1={token}; other={}", canary("cookie"));
    let basic = |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let form = |token: &str| format!("token={token}&to=/?{}", canary("query"));
    let probe = "/druid/v2/sql/task/enabled";
    answers.extend([
        plain(gate.post("/druid/v2/sql").bearer(&token).body("application/json", "{\"query\": canary-literal-here")),
        plain(gate.post("/druid/v2/sql").bearer(&token).body("text/plain", format!("SELECT '{literal}' FROM x"))),
        plain(
            gate.post("/druid/v2/sql").bearer(&token).body("application/x-www-form-urlencoded", "{canary-literal-here"),
        ),
        plain(gate.get("/status").bearer(&forged)),
        plain(gate.get("/status").bearer(&canary("token"))),
        plain(gate.get("/status").bearer(&issued(&with("exp", json!(1_600_000_000))))),
        plain(gate.get("/status").header("Authorization", &basic("reader", &canary("password")))),
        plain(gate.get("/status").header("Authorization", &basic(&canary("password"), &token))),
        plain(gate.get(probe).header("Authorization", &basic("reader", &token))),
        plain(gate.get(probe).header("Authorization", &canary("header"))),
        plain(gate.get(probe).header("Cookie", &session)),
        plain(gate.get(probe).header("Cookie", &format!("__Host-msq-gate-1={}", canary("cookie")))),
        plain(gate.get(probe).bearer(&token).header("X-Secret", &canary("header")).header("Cookie", &canary("cookie"))),
        plain(gate.get(probe).bearer(&token).header("User-Agent", &canary("header"))),
        plain(gate.get(&format!("/status?{}=1", canary("query"))).bearer(&token)),
        plain(gate.get(&format!("/druid/indexer/v1/tasks?state={}", canary("query"))).bearer(&token)),
        plain(gate.get(&format!("/{}/x", canary("path"))).bearer(&token)),
        plain(gate.get(&format!("/{}//x", canary("path"))).bearer(&token)),
        plain(gate.request(&canary("header"), "/status").bearer(&token)),
    ]);
    let origin = format!("https://{}", gate.address());
    for pasted in [&token, &forged, &canary("token")] {
        let request = gate.post("/gate/login").header("Origin", &origin);
        answers.push(request.body("application/x-www-form-urlencoded", form(pasted)).send());
    }
    answers
}

#[test]
fn no_canary_is_found_where_the_gate_tells_of_itself() {
    let house = House::start();
    let answers = plant(&house);
    house.await_records(&answers);
    let statuses: std::collections::BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
    for status in [200, 303, 400, 401, 403, 404, 405] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
    // They were there: Druid got those that are meant for it, and nothing of the caller's credentials.
    let arrived = house.recorder.take().concat();
    let mut arrived = found(&arrived);
    arrived.sort_unstable();
    let expected = ["account", "comment", "context", "extern", "header", "identifier", "literal", "parameter", "query"];
    assert_eq!(arrived, expected);
    // What callers read names no secret of the operator's, nor repeats a credential.
    let read: String = answers.iter().map(Answer::text).collect();
    for place in ["account", "password", "cookie", "token", "header", "extern", "literal", "parameter"] {
        assert!(!found(&read).contains(&place), "{place} in an answer");
    }
    let told = house.told();
    assert_eq!(found(&told), Vec::<&str>::new());
    let signature = |token: &str| token.rsplit('.').next().expect("a signature").to_owned();
    assert!(!told.contains(&signature(&token("reader"))));
}

/// The search finds a canary in each of the places where it looks, planted where it may stand: in the id of a task, which is
/// recorded, and in the name of an issuer, which metrics have.
#[test]
fn the_search_finds_what_is_planted() {
    for place in PLACES {
        assert_eq!(found(&format!("x{}y", canary(place))), [place]);
        for shift in 0..3 {
            let header = STANDARD.encode(format!("{}{}", "u".repeat(shift), canary(place)));
            assert_eq!(found(&format!("Authorization: Basic {header}")), [place], "{shift}");
        }
    }
    let house = House::start();
    let id = format!("wiki-{}", canary("path"));
    let answer = house.gate.get(&format!("/druid/indexer/v1/task/{id}/status")).bearer(&token("reader")).send();
    house.await_records(&[answer]);
    assert_eq!(found(&house.told()), ["path"]);

    let name = canary("token");
    let more = format!(
        "\n[[issuers]]\nname = \"{name}\"\nissuer = \"https://127.0.0.1:1\"\naudiences = [\"x\"]\ndiscovery = true\n\
         startup = \"serve-unready\"\ntyp = \"at+jwt\"\n"
    );
    let port = free_port();
    let (process, _) = own_gate(GateOptions { more: more + &admin_section(port), ..options() });
    let metrics = || admin_on(port).get("/metrics").send().expect(200).text();
    await_that("the metric", || metrics().contains(&format!("msq_gate_jwks_keys{{issuer=\"{name}\"}} 0")));
    let log = || fs::read_to_string(&process.log).expect("a log");
    await_that("the log", || log().contains("keys cannot be fetched"));
    assert_eq!((found(&metrics()), found(&log())), (vec!["token"], vec!["token"]));
    let line = log().lines().find(|line| line.contains(&name)).map(serde_json::from_str::<Value>).expect("a line");
    assert_eq!(line.expect("JSON")["issuer"], *name);
}
