//! Every row of the catalogue by every kind of caller: a row without parameters here fails the test.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use msq_gate::druid::{ErrorShape, ROWS, Row, Rule};
use msq_gate::permission::{Action, ResourceType};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::examples::{self, SUPERVISORS};
use crate::support::{BED, GATE, await_state, cancel, post_noop, sql, started, submit_task, token, unique};

/// A claims set that the gate takes, for the user `reader`.
fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    json!({
        "iss": "https://issuer.example/dev", "aud": "msq-gate", "sub": "reader", "name": "reader",
        "groups": ["reader"], "iat": now, "nbf": now, "exp": now + 3600,
    })
}

pub fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

pub fn file(name: &str) -> Vec<u8> {
    std::fs::read(BED.ca.with_file_name(name)).expect(name)
}

fn header() -> Header {
    let keys: Value = serde_json::from_slice(&file("token-jwks.json")).expect("JWKS");
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = keys["keys"][0]["kid"].as_str().map(str::to_owned);
    header
}

pub fn signed(claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(&header(), claims, key).expect("signed")
}

/// A token whose signature is `none`'s.
fn unsigned(alg: &str) -> String {
    use base64::Engine;
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", encode(&json!({"alg": alg, "typ": "at+jwt"})), encode(&claims()))
}

/// Every bad kind of credentials, by name; the value of `Authorization`, or none.
pub fn bad_credentials() -> Vec<(&'static str, Option<String>)> {
    let own = EncodingKey::from_ec_pem(&file("token-key.pem")).expect("key");
    // A key of the right kind that no issuer has.
    let other = EncodingKey::from_ec_pem(&file("server-key.pem")).expect("key");
    let hmac = |secret: &[u8]| {
        let mut header = header();
        header.alg = Algorithm::HS256;
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).expect("signed")
    };
    let tokens = [
        ("expired", signed(&with("exp", json!(1_600_000_000)), &own)),
        ("not yet valid", signed(&with("nbf", json!(4_000_000_000_u64)), &own)),
        ("wrong issuer", signed(&with("iss", json!("https://issuer.example/other")), &own)),
        ("wrong audience", signed(&with("aud", json!("someone-else")), &own)),
        ("wrong key", signed(&claims(), &other)),
        ("groups of a wrong type", signed(&with("groups", json!("admin")), &own)),
        ("an id token", signed(&with("nonce", json!("n")), &own)),
        ("none", unsigned("none")),
        ("None", unsigned("None")),
        ("HMAC with the public key", hmac(&file("token-jwks.json"))),
        ("HMAC with the CA", hmac(&file("ca.pem"))),
    ];
    let good = signed(&claims(), &own);
    let mut credentials: Vec<(&str, Option<String>)> =
        tokens.into_iter().map(|(name, token)| (name, Some(format!("Bearer {token}")))).collect();
    credentials.push(("no token", None));
    credentials.push(("Basic", Some("Basic YWRtaW46YWRtaW4=".to_owned())));
    credentials.push(("cut off", Some(format!("Bearer {}", &good[..good.len() - 1]))));
    credentials.push(("empty", Some("Bearer ".to_owned())));
    credentials
}

/// Real parameters for a row, and what the stranger, the reader and the writer get there.
struct Example {
    target: String,
    body: Option<Value>,
    /// The statuses that `nobody`, `reader`, `writer` and one more user get.
    users: Vec<(&'static str, &'static [u16])>,
}

fn example(row: &Row) -> Example {
    let plain = |users: Vec<(&'static str, &'static [u16])>| Example { target: row.path.to_owned(), body: None, users };
    let anyone = |target: &str| Example {
        target: target.to_owned(),
        body: None,
        users: vec![("nobody", &[200, 302]), ("reader", &[200, 302]), ("writer", &[200, 302])],
    };
    let by_read = vec![("nobody", &[403][..]), ("reader", &[200, 202]), ("writer", &[403])];
    let of_task = |id: String, users| Example { target: row.path.replace("{id}", &id), body: None, users };
    let select = || sql("SELECT page FROM wiki LIMIT 1");
    match row.name {
        "status_health" => plain(vec![("nobody", &[200]), ("reader", &[200]), ("writer", &[200])]),
        "sql" | "sql_task" | "statement_submit" => Example { body: Some(select()), ..plain(by_read) },
        "console_root" => anyone(row.path),
        "console_public" => anyone("/public/web-console-24.0.1.js"),
        "console_assets" => anyone("/assets/druid.png"),
        "statement_status" | "statement_results" | "statement_cancel" => {
            let answer = GATE.post("/druid/v2/sql/statements").bearer(&token("reader")).json(&select()).send();
            let id = started(&answer.expect(200)).expect("an id");
            await_state(&id, &["SUCCESS"]);
            of_task(id, by_read)
        }
        "sql_queries" => {
            let own = ("nobody", LET_PASS);
            plain(vec![own, ("reader", LET_PASS), ("stater", LET_PASS)])
        }
        "sql_cancel" => {
            let query = json!({"query": "SELECT 1"});
            let answer = GATE.post("/druid/v2/sql").bearer(&token("reader")).json(&query).send().expect(200);
            let id = answer.header("X-Druid-SQL-Query-Id").expect("an id").to_owned();
            // It has ended: Druid says 404 to its owner. A running one is cancelled in `lifecycle`.
            of_task(id, vec![("nobody", &[403]), ("reader", &[404]), ("writer", &[403])])
        }
        "query_cancel" => {
            let answer = GATE.post("/druid/v2").bearer(&token("reader")).json(&time_boundary()).send().expect(200);
            let id = answer.header("X-Druid-Query-Id").expect("an id").to_owned();
            of_task(id, vec![("nobody", &[403]), ("reader", &[202]), ("writer", &[403]), ("admin", &[202])])
        }
        "task_payload" | "task_status" | "task_reports" | "task_log" => {
            let text = "INSERT INTO wiki SELECT * FROM wiki WHERE page = 'no such page' PARTITIONED BY DAY";
            let id = submit_task(crate::support::gate(), "admin", text);
            await_state(&id, &["FAILED", "SUCCESS"]);
            // Whether a report or a log is kept is not the gate's to say.
            let users = vec![("nobody", &[403][..]), ("reader", &[200, 404]), ("writer", &[403])];
            of_task(id, if row.name == "task_status" || row.name == "task_payload" { by_read } else { users })
        }
        "task_cancel" => {
            let id = unique("noop");
            post_noop("admin", &id, "wiki");
            Example {
                body: Some(json!({})),
                ..of_task(id, vec![("nobody", &[403]), ("reader", &[403]), ("writer", &[200])])
            }
        }
        _ => by_rule(row),
    }
}

fn time_boundary() -> Value {
    json!({"queryType": "timeBoundary", "dataSource": "wiki"})
}

/// What is not 401 or 403 is Druid's own business with a request that was let pass.
const LET_PASS: &[u16] = &[200, 201, 202, 204, 400, 404, 405, 409, 415, 500];
const DENIED: &[u16] = &[403];

/// A row of which the rule says everything.
fn by_rule(row: &Row) -> Example {
    let examples::Example { target, body, .. } = examples::examples(row).swap_remove(0);
    let allowed: &[&str] = match row.rule {
        Rule::AnyIdentity | Rule::FilteredList | Rule::EachSupervisor(_) => &["nobody", "reader", "writer"],
        Rule::Holds(Action::Read, ResourceType::State, _) => &["stater", "admin"],
        Rule::Holds(..) => &["admin"],
        Rule::Datasource([Action::Read]) if target.contains("wiki") => &["reader", "admin"],
        Rule::Datasource([Action::Write]) if target.contains("wiki") => &["writer", "admin"],
        Rule::Datasource(_) => &["admin"],
        Rule::CatalogTable(Action::Read) | Rule::Supervisor(Action::Read) | Rule::ReadTask => &["reader", "admin"],
        Rule::CatalogTable(Action::Write) | Rule::Supervisor(Action::Write) => &["writer", "admin"],
        Rule::SubmitQuery | Rule::Avatica => &["reader", "admin"],
        Rule::SubmitTask | Rule::SubmitSupervisor => &["writer", "admin"],
        Rule::QueryCandidates | Rule::Sample => &["admin"],
        Rule::Open | Rule::SubmitSql(_) | Rule::OwnQuery | Rule::OwnStatement | Rule::OwnQueries | Rule::CancelTask => {
            panic!("the row {} has no parameters here: no caller has tried it", row.name)
        }
    };
    // The catalog answers names to who may read them all.
    let allowed = if row.name == "catalog_schemas" { &["admin"] } else { allowed };
    // Who is allowed may use up what is asked for: those come last.
    let users = ["nobody", "reader", "stater", "writer", "admin"];
    let statuses = |user: &&'static str| if allowed.contains(user) { LET_PASS } else { DENIED };
    let asked = users.iter().filter(|user| allowed.len() < 3 || allowed.contains(user));
    Example { target, body, users: asked.map(|user| (*user, statuses(user))).collect() }
}

fn ask(row: &Row, example: &Example, authorization: Option<&str>) -> Answer {
    let mut request = GATE.request(row.method.as_str(), &example.target);
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    if let Some(body) = &example.body {
        request = request.json(body);
    }
    let answer = request.send();
    if let Some(id) = started(&answer).filter(|_| row.name.contains("sql") || row.name == "statement_submit") {
        cancel(&id);
    }
    answer
}

/// The status; of Avatica, which tells all that goes wrong as 500, by its code.
fn told_by(row: &Row, answer: &Answer) -> u16 {
    let is_denied = row.errors == ErrorShape::Avatica && answer.status == 500 && answer.json()["errorCode"] == 2;
    if is_denied { 403 } else { answer.status }
}

#[test]
fn every_row_is_allowed_to_some_and_denied_to_others() {
    let bad = bad_credentials();
    let _supervisors = SUPERVISORS.lock();
    examples::make_known_supervisors();
    for row in ROWS.iter().copied() {
        let example = example(row);
        let open = row.name == "status_health";
        for (name, authorization) in &bad {
            let answer = ask(row, &example, authorization.as_deref());
            assert_eq!(answer.status, if open { 200 } else { 401 }, "{} with {name}: {}", row.name, answer.text());
            assert_eq!(answer.header("WWW-Authenticate").is_some(), !open, "{} with {name}", row.name);
        }
        let mut allowed = false;
        let mut denied = false;
        for (user, statuses) in &example.users {
            let answer = ask(row, &example, Some(&format!("Bearer {}", token(user))));
            let status = told_by(row, &answer);
            assert!(statuses.contains(&status), "{} as {user}: {}", row.name, answer.text());
            allowed |= status != 403;
            denied |= status == 403;
        }
        let for_all = matches!(
            row.rule,
            Rule::Open | Rule::AnyIdentity | Rule::FilteredList | Rule::OwnQueries | Rule::EachSupervisor(_)
        );
        let denies = !for_all || row.name == "catalog_schemas";
        assert!(allowed && denied == denies, "{}: allowed {allowed}, denied {denied}", row.name);
    }
    examples::remove_thrown_away();
}

/// The gate's own page that takes an identity.
#[test]
fn who_one_is_is_told_to_everybody_who_is_somebody() {
    for (name, authorization) in bad_credentials() {
        let mut request = GATE.get("/gate/me");
        if let Some(value) = &authorization {
            request = request.header("Authorization", value);
        }
        let answer = request.send();
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        assert!(answer.header("WWW-Authenticate").is_some(), "{name}");
    }
    for user in ["nobody", "reader", "writer", "admin"] {
        let me = GATE.get("/gate/me").bearer(&token(user)).send().expect(200).json();
        assert_eq!(me["subject"], user);
        assert_eq!(me["roles"].as_array().map(Vec::is_empty), Some(user == "nobody"), "{me}");
    }
}
