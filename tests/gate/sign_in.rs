//! First sign-in: the way to the login page and back, sessions in cookies, and what other sites cannot have a browser do.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::EncodingKey;
use msq_gate_bed::GateOptions;
use serde_json::{Value, json};

use crate::client::{Answer, Request, Server};
use crate::coverage::{file, signed, with};
use crate::recorder::Recorder;
use crate::support::{BED, GATE, options, own_gate, token};

const FIRST: &str = "__Host-msq-gate-1";

/// What Chromium says when it loads a page.
const PAGE: [(&str, &str); 3] = [
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
];

const PROBE: &str = "/druid/v2/sql/task/enabled";

fn headers<'a>(mut request: Request<'a>, headers: &[(&str, &str)]) -> Request<'a> {
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
}

/// A token of this bed's issuer.
pub fn issued(claims: &Value) -> String {
    signed(claims, &EncodingKey::from_ec_pem(&file("token-key.pem")).expect("key"))
}

fn in_seconds(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + seconds
}

/// A reader's token of at least so many bytes, all in one claim.
fn long_token(bytes: usize) -> String {
    issued(&with("padding", json!("x".repeat(bytes * 3 / 4 - 200))))
}

/// Sends the form of the login page, from the gate's own origin.
fn log_in(gate: &Server, token: &str, to: &str) -> Answer {
    let body = format!("token={token}&to={to}");
    gate.post("/gate/login")
        .header("Origin", &format!("https://{}", gate.address()))
        .body("application/x-www-form-urlencoded", body)
        .send()
}

fn set_cookies(answer: &Answer) -> Vec<&str> {
    answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| &**value)
        .collect()
}

/// What a browser would send back.
fn session(answer: &Answer) -> String {
    let kept = set_cookies(answer).into_iter().filter(|cookie| !cookie.ends_with("Max-Age=0"));
    kept.map(|cookie| cookie.split(';').next().expect("a pair")).collect::<Vec<_>>().join("; ")
}

fn cookie(user: &str) -> String {
    format!("{FIRST}={}", token(user))
}

#[test]
fn a_page_load_is_sent_to_the_login_page_and_comes_back() {
    let target = "/unified-console.html?x=1&y=%20";
    let way = headers(GATE.get(target), &PAGE).send().expect(303);
    let login = way.header("Location").expect("a way").to_owned();
    assert_eq!(login, "/gate/login?to=%2Funified-console.html%3Fx%3D1%26y%3D%2520");
    assert_eq!(way.header("Cache-Control"), Some("no-store"));
    let page = headers(GATE.get(&login), &PAGE).send().expect(200);
    assert!(page.text().contains("name=\"to\" value=\"/unified-console.html?x=1&amp;y=%20\""), "{}", page.text());
    let back = log_in(&GATE, &token("reader"), "%2Funified-console.html%3Fx%3D1%26y%3D%2520").expect(303);
    assert_eq!(back.header("Location"), Some(target));
    for elsewhere in
        ["//evil.example", "/%5Cevil.example", "/%09/evil.example", "https://evil.example", "", "/gate/login"]
    {
        let back = log_in(&GATE, &token("reader"), elsewhere).expect(303);
        assert_eq!(back.header("Location"), Some("/"), "{elsewhere}");
    }
    // With a session whose token is no good any more, too.
    for bad in [format!("{FIRST}=x"), format!("{FIRST}={}", issued(&with("exp", json!(1_600_000_000))))] {
        let way = headers(GATE.get("/"), &PAGE).header("Cookie", &bad).send().expect(303);
        assert_eq!(way.header("Location"), Some("/gate/login"));
    }
}

#[test]
fn programs_are_told_and_never_sent_elsewhere() {
    let xhr =
        [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"), ("Accept", "application/json, text/plain, */*")];
    let told = [
        headers(GATE.get(PROBE), &xhr).send(),
        GATE.get(PROBE).send(),
        headers(GATE.get(PROBE), &xhr).header("Cookie", &format!("{FIRST}=x")).send(),
        headers(GATE.post("/druid/v2/sql"), &PAGE).json(&json!({"query": "SELECT 1"})).send(),
        headers(GATE.get(PROBE), &PAGE).bearer("x").send(),
        headers(GATE.get(PROBE), &PAGE)
            .header("Authorization", "Basic eDp5")
            .header("Cookie", &cookie("reader"))
            .send(),
    ];
    for answer in told {
        let body = answer.expect(401).json();
        assert_eq!(body["error"], "Unauthorized request");
        assert_eq!((&body["errorClass"], &body["host"]), (&Value::Null, &Value::Null));
        assert!(body["errorMessage"].is_string());
    }
    let expired = format!("{FIRST}={}", issued(&with("exp", json!(1_600_000_000))));
    let answer = headers(GATE.get(PROBE), &xhr).header("Cookie", &expired).send().expect(401);
    assert_eq!(answer.json()["errorMessage"], "the token has expired");
}

#[test]
fn a_session_is_worth_what_its_token_is() {
    let begun = log_in(&GATE, &token("reader"), "").expect(303);
    let cookies = set_cookies(&begun);
    assert_eq!(cookies.len(), 4);
    assert!(
        cookies[0]
            .starts_with(&format!("{FIRST}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=", token("reader")))
    );
    let session = session(&begun);
    assert_eq!(session, cookie("reader"));
    GATE.get(PROBE).header("Cookie", &format!("theme=dark; {session}")).send().expect(200);
    GATE.get("/status").header("Cookie", &session).send().expect(403);
    GATE.get("/status").header("Cookie", &cookie("stater")).send().expect(200);
    let insert = json!({"query": "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY"});
    let refused = GATE
        .post("/druid/v2/sql/task")
        .header("Cookie", &session)
        .header("Origin", &BED.gate)
        .json(&insert)
        .send()
        .expect(403);
    assert_eq!(refused.json()["error"]["errorMessage"], "Missing permissions: WRITE DATASOURCE wiki");
    // What is copied along with a token does no harm.
    log_in(&GATE, &format!("+Bearer+{}%0D%0A", token("reader")), "").expect(303);
}

#[test]
fn a_session_does_not_outlive_its_token() {
    let begun = log_in(&GATE, &issued(&with("exp", json!(in_seconds(100)))), "").expect(303);
    let life: u64 = set_cookies(&begun)[0].rsplit('=').next().expect("a life").parse().expect("a number");
    assert!((80..=100).contains(&life), "{life}");
    // A leeway lets a token be used a little longer, and not a session begin.
    let page = log_in(&GATE, &issued(&with("exp", json!(in_seconds(0) - 5))), "").expect(401);
    assert!(page.text().contains("Not signed in: the token has expired."), "{}", page.text());
}

#[test]
fn a_token_that_is_not_accepted_is_told_on_the_page_and_not_repeated() {
    let good = token("reader");
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    for (pasted, why) in [
        (forged.as_str(), "the token&#39;s signature is not valid"),
        ("canary-token", "the token is not a signed JWT"),
        ("", "There is no token"),
        (&issued(&with("aud", json!("someone-else"))), "not meant for this audience"),
    ] {
        let page = log_in(&GATE, pasted, "/x").expect(401);
        assert!(page.text().contains(why), "{}", page.text());
        assert!(pasted.is_empty() || !page.text().contains(pasted), "{}", page.text());
        assert!(page.text().contains("name=\"to\" value=\"/x\""));
        assert!(set_cookies(&page).is_empty());
    }
}

#[test]
fn a_long_token_is_split_and_one_too_long_is_refused_with_its_size() {
    let long = long_token(13_000);
    assert!((12_001..=16_000).contains(&long.len()), "{}", long.len());
    let begun = log_in(&GATE, &long, "").expect(303);
    assert!(set_cookies(&begun).iter().all(|cookie| cookie.len() <= 4096 && !cookie.ends_with("Max-Age=0")));
    let session = session(&begun);
    assert_eq!(session.matches("__Host-msq-gate-").count(), 4);
    GATE.get(PROBE).header("Cookie", &session).send().expect(200);
    // Parts in any order; none left out, none twice, none of another token.
    let parts: Vec<&str> = session.split("; ").collect();
    let ask = |parts: &[&str]| GATE.get(PROBE).header("Cookie", &parts.join("; ")).send().status;
    assert_eq!(ask(&[parts[3], parts[1], parts[0], parts[2]]), 200);
    assert_eq!(ask(&[parts[0], parts[1], parts[3]]), 401);
    assert_eq!(ask(&[parts[0], parts[1], parts[2]]), 401);
    assert_eq!(ask(&[parts[1], parts[2], parts[3]]), 401);
    assert_eq!(ask(&[parts[0], parts[1], parts[2], parts[3], parts[3]]), 401);
    assert_eq!(ask(&[&cookie("reader"), parts[1]]), 401);
    assert_eq!(ask(&[&cookie("reader"), &cookie("reader")]), 401);
    // A short token after a long one leaves nothing of it.
    let cleared = log_in(&GATE, &token("reader"), "").expect(303);
    let gone = set_cookies(&cleared).into_iter().filter(|cookie| cookie.contains("=; ") && cookie.ends_with("=0"));
    assert_eq!(gone.count(), 3);

    let too_long = long_token(17_000);
    let page = log_in(&GATE, &too_long, "").expect(413);
    assert!(page.text().contains(&format!("The token has {} bytes", too_long.len())), "{}", page.text());
    log_in(&GATE, &"x".repeat(70_000), "").expect(413);
}

/// Every unsafe method by cookie, and every form of the gate's own.
#[test]
fn what_changes_anything_must_come_from_the_gates_own_origin() {
    let own = BED.gate.as_str();
    let elsewhere = own.replace("127.0.0.1", "localhost");
    let cases: [(&[(&str, &str)], bool); 13] = [
        (&[("Origin", own)], true),
        (&[("Origin", own), ("Sec-Fetch-Site", "same-origin")], true),
        (&[("Sec-Fetch-Site", "same-origin")], true),
        (&[], false),
        (&[("Sec-Fetch-Site", "same-site")], false),
        (&[("Sec-Fetch-Site", "cross-site")], false),
        (&[("Sec-Fetch-Site", "none")], false),
        (&[("Origin", "null")], false),
        (&[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")], false),
        (&[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")], false),
        (&[("Origin", &elsewhere)], false),
        (&[("Origin", own), ("Origin", own)], false),
        (&[("Referer", own)], false),
    ];
    let session = cookie("reader");
    let select = json!({"query": "SELECT 1"});
    for (sent, accepted) in cases {
        let ask = |method: &'static str, target: &'static str| headers(GATE.request(method, target), sent);
        let submitted = ask("POST", "/druid/v2/sql").header("Cookie", &session).json(&select).send();
        assert_eq!(submitted.status, if accepted { 200 } else { 403 }, "{sent:?} {}", submitted.text());
        if !accepted {
            let said = submitted.json()["errorMessage"].as_str().expect("a message").to_owned();
            assert!(said.contains("must come from a page of the gate itself"), "{said}");
        }
        let cancelled = ask("DELETE", "/druid/v2/sql/no-such-query").header("Cookie", &session).send();
        assert_eq!(cancelled.status, if accepted { 404 } else { 403 }, "{sent:?}");
        let form = "application/x-www-form-urlencoded";
        let begun = ask("POST", "/gate/login").body(form, format!("token={}", token("reader"))).send();
        assert_eq!((begun.status, set_cookies(&begun).len()), if accepted { (303, 4) } else { (403, 0) }, "{sent:?}");
        let ended = ask("POST", "/gate/logout").header("Cookie", &session).body(form, "").send();
        assert_eq!((ended.status, set_cookies(&ended).len()), if accepted { (303, 4) } else { (403, 0) }, "{sent:?}");
        // A token in a header is not sent by a browser on its own.
        ask("POST", "/druid/v2/sql").bearer(&token("reader")).json(&select).send().expect(200);
        // What changes nothing needs no proof.
        ask("GET", PROBE).header("Cookie", &session).send().expect(200);
    }
}

#[test]
fn an_authorization_header_wins_over_a_cookie() {
    let admin = cookie("stater");
    GATE.get("/status").header("Cookie", &admin).send().expect(200);
    GATE.get("/status").header("Cookie", &admin).bearer(&token("reader")).send().expect(403);
    GATE.get("/status").header("Cookie", &admin).bearer("x").send().expect(401);
    GATE.get("/status").header("Cookie", &admin).header("Authorization", "").send().expect(401);
    GATE.get("/status").header("Cookie", &cookie("reader")).bearer(&token("stater")).send().expect(200);
    GATE.get("/status").header("Cookie", &format!("{FIRST}=x")).bearer(&token("stater")).send().expect(200);
}

#[test]
fn signing_out_is_a_form_and_clears_every_cookie() {
    let refused = headers(GATE.get("/gate/logout"), &PAGE).header("Cookie", &cookie("reader")).send().expect(405);
    assert_eq!(refused.header("Allow"), Some("POST"));
    assert!(set_cookies(&refused).is_empty());
    assert_eq!(GATE.request("PUT", "/gate/login").send().expect(405).header("Allow"), Some("GET, POST"));
    let page = GATE.get("/gate/login").header("Cookie", &cookie("reader")).send().expect(200).text();
    assert!(page.contains("You are signed in as <strong>reader</strong>"), "{page}");
    assert!(page.contains("<form method=\"post\" action=\"/gate/logout\">"), "{page}");
    let ended =
        GATE.post("/gate/logout").header("Origin", &BED.gate).header("Cookie", &cookie("reader")).send().expect(303);
    assert_eq!(ended.header("Location"), Some("/gate/login"));
    assert_eq!(set_cookies(&ended).iter().filter(|cookie| cookie.ends_with("Max-Age=0")).count(), 4);
}

#[test]
fn the_pages_are_closed_and_have_one_spelling() {
    let me = GATE.get("/gate/me").bearer(&token("reader")).header("Accept", "text/html").send().expect(200);
    for page in [GATE.get("/gate/login").send().expect(200), log_in(&GATE, "x", "").expect(401), me] {
        let policy = page.header("Content-Security-Policy").expect("a policy");
        for word in
            ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "'sha256-"]
        {
            assert!(policy.contains(word), "{policy}");
        }
        assert_eq!(page.header("Cache-Control"), Some("no-store"));
        assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(page.header("Referrer-Policy"), Some("same-origin"));
        assert!(!page.text().contains("<script"));
    }
    for odd in
        ["/gate/login/", "/gate/Login", "/gate/%6cogin", "/gate", "/gate/", "/gate/x", "/gate/login;x", "//gate/login"]
    {
        let answer = GATE.get(odd).send();
        assert_eq!(answer.status, 401, "{odd}");
    }
    let json = GATE.post("/gate/login").header("Origin", &BED.gate).json(&json!({"token": "x"})).send().expect(400);
    assert!(json.text().contains("this is no form"), "{}", json.text());
}

/// HTTP/2 sends each cookie in a header of its own.
#[test]
fn cookies_come_in_crumbs_on_http2() {
    let long = long_token(9_000);
    let session = session(&log_in(&GATE, &long, "").expect(303));
    let ask = |crumbs: &[&str]| {
        let mut curl = std::process::Command::new("curl");
        curl.args([
            "--silent",
            "--http2",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_version} %{http_code}",
            "--cacert",
        ]);
        curl.arg(&BED.ca).arg(format!("{}{PROBE}", BED.gate));
        for crumb in crumbs {
            curl.args(["--header", &format!("Cookie: {crumb}")]);
        }
        String::from_utf8_lossy(&curl.output().expect("curl").stdout).into_owned()
    };
    let crumbs: Vec<&str> = session.split("; ").collect();
    assert_eq!(crumbs.len(), 3);
    assert_eq!(ask(&["a=b", crumbs[2], crumbs[0], crumbs[1]]), "2 200");
    assert_eq!(ask(&[crumbs[0], crumbs[1], crumbs[2], crumbs[0]]), "2 401");
    assert_eq!(ask(&[&session, crumbs[1]]), "2 401");
}

#[test]
fn nothing_of_a_session_is_logged_or_sent_to_druid() {
    let recorder = Recorder::start();
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let session = session(&log_in(&gate, &token("reader"), "%2Fcanary-path").expect(303));
    log_in(&gate, "canary-token", "").expect(401);
    gate.get(PROBE).header("Cookie", &session).send().expect(200);
    gate.get(PROBE).header("Cookie", &format!("{session}; {session}")).send().expect(401);
    gate.post("/druid/v2/sql").header("Cookie", &session).json(&json!({"query": "SELECT 1"})).send().expect(403);
    let arrived = recorder.take();
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    assert!(!arrived[0].to_ascii_lowercase().contains("cookie"), "{}", arrived[0]);
    drop(gate);
    let (audit, log) = (process.audit.clone(), process.log.clone());
    process.terminate().expect("ends");
    let [audit, log] = [audit, log].map(|path| std::fs::read_to_string(path).expect("a log"));
    // The search finds what is there.
    for there in [
        "gate_login",
        "\"reason\":\"malformed_token\"",
        "\"reason\":\"malformed_session\"",
        "\"reason\":\"cross_origin\"",
    ] {
        assert!(audit.contains(there), "{there} {audit}");
    }
    let signature = session.rsplit('.').next().expect("a signature");
    for secret in [signature, "canary-token", "canary-path", "__Host-"] {
        assert!(!audit.contains(secret) && !log.contains(secret), "{secret}");
    }
}

/// Who one is, with roles and for how long: as JSON and as a page, by a header and by a cookie, for oneself alone.
#[test]
fn one_sees_who_one_is() {
    let token = issued(&with("exp", json!(in_seconds(7_260))));
    for answer in [
        GATE.get("/gate/me").bearer(&token).send(),
        GATE.get("/gate/me").header("Cookie", &format!("{FIRST}={token}")).header("Accept", "application/json").send(),
    ] {
        let answer = answer.expect(200);
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let mut me = answer.json();
        let left = me["secondsLeft"].take().as_u64().expect("seconds");
        assert!((7_200..=7_260).contains(&left), "{left}");
        assert!(me["expires"].take().as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z')));
        let role = json!({"role": "reader", "by": [{"group": "reader", "claim": "/groups"}],
            "grants": ["READ DATASOURCE wiki"]});
        let expected = json!({"issuer": "dev", "subject": "reader", "name": "reader", "groups": ["reader"],
            "roles": [role], "proved": true, "expires": null, "secondsLeft": null});
        assert_eq!(me, expected);
    }
    let page = headers(GATE.get("/gate/me"), &PAGE).header("Cookie", &format!("{FIRST}={token}")).send().expect(200);
    for there in [
        "<h1>reader</h1>",
        "in <code>reader</code>.",
        "<h3>reader</h3>\n<p class=\"by\">by group <code>reader</code> (claim <code>/groups</code>)</p>",
        "<li><code>READ DATASOURCE wiki</code></li>",
        "Your token expires in 2 h ",
        "<form method=\"post\" action=\"/gate/logout\">",
    ] {
        assert!(page.text().contains(there), "{there}: {}", page.text());
    }
    let nobody = issued(&with("groups", json!(["<i>"])));
    let page = headers(GATE.get("/gate/me"), &PAGE).header("Cookie", &format!("{FIRST}={nobody}")).send().expect(200);
    assert!(page.text().contains("The policy gives you none") && page.text().contains("&lt;i&gt;"), "{}", page.text());
}

#[test]
fn who_one_is_takes_an_identity_and_has_one_record() {
    let recorder = Recorder::start();
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let way = headers(gate.get("/gate/me"), &PAGE).send().expect(303);
    assert_eq!(way.header("Location"), Some("/gate/login?to=%2Fgate%2Fme"));
    let back = log_in(&gate, &token("reader"), "%2Fgate%2Fme").expect(303);
    assert_eq!(back.header("Location"), Some("/gate/me"));
    gate.get("/gate/me").send().expect(401);
    gate.get("/gate/me").bearer("x").send().expect(401);
    let other = gate.request("DELETE", "/gate/me").bearer(&token("reader")).send().expect(405);
    assert_eq!(other.header("Allow"), Some("GET"));
    for odd in ["/gate/me/", "/gate/Me", "/gate/%6de"] {
        let status = gate.get(odd).bearer(&token("reader")).send().status;
        assert!(matches!(status, 400 | 404), "{odd}: {status}");
    }
    gate.get("/gate/me").bearer(&token("reader")).send().expect(200);
    assert_eq!(recorder.take(), Vec::<String>::new());
    drop(gate);
    let audit = process.audit.clone();
    process.terminate().expect("ends");
    let audit = std::fs::read_to_string(audit).expect("audit");
    let records: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of_me: Vec<&Value> = records.iter().filter(|record| record["row"] == "gate_me").collect();
    let told: Vec<Value> =
        of_me.iter().map(|r| json!([r["decision"], r["status"], r["subject"], r["roles"]])).collect();
    let reader = |decision: &str, status: u16| json!([decision, status, "reader", ["reader"]]);
    assert_eq!(told, [reader("deny", 405), reader("allow", 200)]);
    assert_eq!(records.len(), 10, "{audit}");
}

#[test]
fn without_an_origin_nobody_signs_in() {
    let recorder = Recorder::start();
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), sign_in: false, ..options() });
    let page = headers(gate.get("/gate/login"), &PAGE).send().expect(404);
    assert!(page.text().contains("[server] origin"), "{}", page.text());
    log_in(&gate, &token("reader"), "").expect(404);
    headers(gate.get("/"), &PAGE).send().expect(401);
    gate.get(PROBE).header("Cookie", &cookie("reader")).send().expect(401);
    gate.get(PROBE).bearer(&token("reader")).send().expect(200);
}
