//! Doors that are not the front door: refused, or decided as the front door is; what arrives upstream is drawn anew.

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Server};
use crate::recorder::Recorder;
use crate::support::{End, gate, options, own_gate, token};

/// A gate in front of the recorder.
struct House {
    recorder: Recorder,
    gate: Server,
    _process: GateProcess,
}

fn house() -> House {
    let recorder = Recorder::start();
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    House { recorder, gate, _process: process }
}

/// What arrived: the request line, and the body.
fn line_and_body(request: &str) -> (&str, &str) {
    let line = request.lines().next().unwrap_or_default();
    (line.strip_suffix(" HTTP/1.1").unwrap_or(line), request.split_once("\r\n\r\n").map_or("", |(_, body)| body))
}

impl House {
    /// Sends and gives the answer with the one request that arrived, if one did.
    fn send(&self, bytes: &[u8]) -> (Answer, Option<String>) {
        let answer = self.gate.send_raw(bytes);
        let mut arrived = self.recorder.take();
        assert!(arrived.len() <= 1, "{arrived:?}");
        (answer, arrived.pop())
    }

    fn ask(&self, user: &str, method: &str, target: &str, body: Option<(&str, &str)>) -> (Answer, Option<String>) {
        let mut request = self.gate.request(method, target).bearer(&token(user));
        if let Some((media_type, body)) = body {
            request = request.body(media_type, body);
        }
        self.send(&request.bytes())
    }
}

const SELECT: Option<(&str, &str)> = Some(("application/json", r#"{"query":"SELECT page FROM wiki"}"#));

/// Paths under which a real Router, or one of the servers behind it, may find `POST /druid/v2/sql/task`.
const ODD_SUBMIT_PATHS: [(&str, u16); 33] = [
    ("/druid/v2/sql;x/task", 400),
    ("/druid/v2/sql/task;x", 400),
    ("/druid/v2/sql/task;x=%2e%2e", 400),
    ("/druid/v2;x/sql/task", 400),
    ("/druid;x/v2/sql/task", 400),
    ("/druid/v2/sql/task;", 400),
    ("/druid/v2/sql/task%3Bx", 400),
    ("/druid/v2/sql//task", 400),
    ("//druid/v2/sql/task", 400),
    ("/druid/v2/sql/task//", 400),
    ("/druid/v2/sql/../sql/task", 400),
    ("/druid/v2/sql/%2e%2e/sql/task", 400),
    ("/druid/v2/sql/%2E./sql/task", 400),
    ("/druid/v2/sql/./task", 400),
    ("/druid/v2/sql/..;/sql/task", 400),
    ("/public/../druid/v2/sql/task", 400),
    ("/druid/v2/sql%2ftask", 400),
    ("/druid/v2/sql%2Ftask", 400),
    ("/druid/v2/sql%5ctask", 400),
    ("/druid/v2/sql\\task", 400),
    ("/druid/v2/sql/task%00", 400),
    ("/druid/v2/sql/task%0a", 400),
    ("/druid/v2/sql/task%E9", 400),
    ("/druid/v2/sql/%74ask", 404),
    ("/druid/v2/sql/t%61sk/", 404),
    ("/druid/v2/%73ql/task", 404),
    ("/Druid/v2/sql/task", 404),
    ("/druid/V2/sql/task", 404),
    ("/proxy/overlord/druid/v2/sql/task", 404),
    ("/proxy/coordinator/druid/v2/sql/task", 404),
    ("/druid/v2/sql/task/x", 404),
    ("/druid/v2/sql/taskx", 405),
    ("/druid/v2/sql/task%20", 405),
];

#[test]
fn odd_paths_never_arrive() {
    let house = house();
    for (path, status) in ODD_SUBMIT_PATHS {
        let (answer, arrived) = house.ask("reader", "POST", path, SELECT);
        assert_eq!((answer.status, arrived), (status, None), "{path}: {}", answer.text());
    }
    for target in ["http://elsewhere/druid/v2/sql/task", "*", "druid/v2/sql/task", "/druid/v2/sql/task#x?y"] {
        let (answer, arrived) = house.ask("nobody", "POST", target, SELECT);
        assert!(answer.status == 400 || answer.status == 403 || answer.status == 405, "{target}: {}", answer.status);
        assert_eq!(arrived, None, "{target}");
    }
    // The plain form, by who may.
    let (answer, arrived) = house.ask("reader", "POST", "/druid/v2/sql/task", SELECT);
    assert_eq!(answer.status, 200);
    assert_eq!(line_and_body(&arrived.expect("arrived")).0, "POST /druid/v2/sql/task");
}

/// Spellings that the gate reads: the same decision as the front door, and the front door's bytes upstream.
#[test]
fn other_spellings_are_decided_as_the_front_door() {
    let house = house();
    for (method, front, spellings) in [
        ("POST", "/druid/v2/sql/task", &["/druid/v2/sql/task/"][..]),
        (
            "GET",
            "/druid/indexer/v1/task/wiki-1/status",
            &[
                "/druid/indexer/v1/task/wiki-1/status/",
                "/druid/indexer/v1/task/%77iki-1/status",
                "/druid/indexer/v1/task/wiki%2d1/status",
                "/proxy/overlord/druid/indexer/v1/task/wiki-1/status",
                "/proxy/coordinator/druid/indexer/v1/task/wiki-1/status",
                "/proxy/overlord/druid/indexer/v1/task/%77iki-1/status/",
            ],
        ),
        (
            "POST",
            "/druid/indexer/v1/task/wiki-1/shutdown",
            &["/proxy/overlord/druid/indexer/v1/task/%77iki-1/shutdown/"],
        ),
        ("GET", "/druid/indexer/v1/tasks?datasource=wiki", &["/druid/indexer/v1/tasks?d%61tasource=%77iki"]),
        (
            "GET",
            "/druid/coordinator/v1/datasources/wiki/intervals/2016-06-27T00%3A00%3A00.000Z_2016-06-28",
            &[
                "/druid/coordinator/v1/datasources/%77iki/intervals/2016-06-27T00:00:00.000Z_2016-06-28",
                "/proxy/coordinator/druid/coordinator/v1/datasources/wiki/intervals/2016-06-27T00:00:00.000Z%5F2016-06-28/",
            ],
        ),
        (
            "GET",
            "/druid/coordinator/v1/metadata/datasources/wiki/segments/wiki_x%2By%20%C3%A9",
            &["/druid/coordinator/v1/metadata/datasources/wik%69/segments/wiki_x+y%20%c3%a9"],
        ),
        ("GET", "/druid/coordinator/v1/rules/wiki?full=", &["/druid/coordinator/v1/rules/%77iki?f%75ll"]),
    ] {
        let body = if front.ends_with("sql/task") { SELECT } else { None };
        for spelling in std::iter::once(&front).chain(spellings) {
            let (refused, arrived) = house.ask("nobody", method, spelling, body);
            assert_eq!((refused.status, arrived), (403, None), "{spelling}: {}", refused.text());
            let (allowed, arrived) = house.ask("reader", method, spelling, body);
            assert_eq!(allowed.status, 200, "{spelling}: {}", allowed.text());
            let arrived = arrived.expect("arrived");
            assert_eq!(line_and_body(&arrived).0, format!("{method} {front}"), "{spelling}");
        }
    }
}

#[test]
fn odd_task_paths_never_arrive() {
    let house = house();
    for (path, status) in [
        ("/druid/indexer/v1/task;a=b/wiki-1/status", 400),
        ("/druid/indexer/v1/task/wiki-1;x/status", 400),
        ("/druid/indexer;x/v1/task/wiki-1/status", 400),
        ("/druid/indexer/v1//task/wiki-1/status", 400),
        ("/druid/indexer/v1/task/x%2f..%2fwiki-1/status", 400),
        ("/druid/indexer/v1/task/%2e%2e/task/wiki-1/status", 400),
        ("/druid/indexer/v1/task/./wiki-1/status", 400),
        ("/druid/indexer/v1/t%61sk/wiki-1/status", 404),
        ("/proxy/OVERLORD/druid/indexer/v1/task/wiki-1/status", 404),
        ("/proxy/Coordinator/druid/indexer/v1/task/wiki-1/status", 404),
        ("/PROXY/overlord/druid/indexer/v1/task/wiki-1/status", 404),
        ("/proxy/overlord;x/druid/indexer/v1/task/wiki-1/status", 400),
        ("/proxy;x/overlord/druid/indexer/v1/task/wiki-1/status", 400),
        ("/proxy/overlordX/druid/indexer/v1/task/wiki-1/status", 404),
        ("/proxy/overlord%2fdruid/indexer/v1/task/wiki-1/status", 400),
        ("/proxy/overlord/proxy/overlord/druid/indexer/v1/task/wiki-1/status", 404),
        ("/proxy/overlord/status/properties", 403),
        ("/proxy/overlord/status/%70roperties", 404),
        ("/proxy/coordinator/druid-ext/basic-security/authentication/db/basic/users", 404),
        ("/druid-internal/v1/httpRemoteTaskRunner/knownTasks", 404),
        ("/druid/indexer/v1/task/.wiki/status", 400),
        ("/druid/indexer/v1/task/wiki-1/status?x=1", 400),
        ("/druid/indexer/v1/tasks?datasource=wiki&datasource=secret", 400),
        ("/druid/indexer/v1/tasks?datasource=wiki&d%61tasource=secret", 400),
        ("/druid/indexer/v1/tasks?datasource=wiki;datasource=secret", 403),
        ("/druid/indexer/v1/tasks?datasource=", 403),
        ("/druid/indexer/v1/tasks?datasource=secret", 403),
        ("/druid/indexer/v1/tasks?_method=POST", 400),
        ("/druid/indexer/v1/supervisor/%68istory", 404),
        ("/druid/coordinator/v1/rules/%68istory", 404),
        ("/druid/coordinator/v1/metadata/bootstrapSegments", 404),
        ("/druid/indexer/v1/task/secret-1/status", 403),
    ] {
        let (answer, arrived) = house.ask("reader", "GET", path, None);
        assert_eq!((answer.status, arrived), (status, None), "{path}: {}", answer.text());
    }
    let (answer, arrived) = house.ask("reader", "GET", "/druid/indexer/v1/task/wiki-1/status", None);
    assert_eq!((answer.status, arrived.is_some()), (200, true));
}

#[test]
fn other_methods_never_arrive() {
    let house = house();
    for method in ["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "PROPFIND", "get", "CONNECT"] {
        for path in ["/druid/v2/sql/task", "/druid/indexer/v1/tasks"] {
            let (answer, arrived) = house.ask("admin", method, path, None);
            let refused = matches!(answer.status, 400 | 405 | 501);
            assert!(refused && arrived.is_none(), "{method} {path}: {}", answer.status);
        }
    }
    for header in ["X-HTTP-Method-Override", "X-Method-Override"] {
        let request =
            house.gate.get("/druid/indexer/v1/task/wiki-1/status").bearer(&token("reader")).header(header, "POST");
        let (answer, arrived) = house.send(&request.bytes());
        assert_eq!(answer.status, 200);
        assert!(arrived.expect("arrived").starts_with("GET /druid/indexer/v1/task/wiki-1/status "));
    }
}

/// Bodies that two readers might read as two requests.
#[test]
fn odd_bodies_never_arrive() {
    let house = house();
    let json = "application/json";
    for (media_type, body, status) in [
        (json, r#"{"query":"SELECT page FROM wiki","query":"SELECT x FROM secret"}"#, 400),
        (json, r#"{"query":"SELECT page FROM wiki","qu\u0065ry":"SELECT x FROM secret"}"#, 400),
        (json, r#"{"query":"SELECT 1"}{"query":"SELECT x FROM secret"}"#, 400),
        (json, r#"{"query":"SELECT 1"} x"#, 400),
        (json, "\u{feff}{\"query\":\"SELECT 1\"}", 400),
        (json, r#"{"query":1}"#, 400),
        (json, r#"{"query":null}"#, 400),
        (json, "", 400),
        (json, "null", 400),
        (json, r#"[{"query":"SELECT 1"}]"#, 400),
        (json, r#"{'query':'SELECT 1'}"#, 400),
        (json, r#"{"query":"SELECT 1","context":{"__user":"admin"}}"#, 400),
        (json, r#"{"query":"SELECT 1","context":{"sqlQueryId":"a","sqlQueryId":"b"}}"#, 400),
        (json, r#"{"query":"SET sqlQueryId = 'x'; SELECT 1"}"#, 400),
        (json, r#"{"query":"SET queryId = 'x'; SELECT 1"}"#, 400),
        (json, r#"{"query":"SET __user = 'x'; SELECT 1"}"#, 400),
        (json, r#"{"query":"SELECT 1; SELECT x FROM secret"}"#, 400),
        (json, r#"{"query":"SELECT x FROM secret"}"#, 403),
        ("application/json;charset=utf-16", r#"{"query":"SELECT 1"}"#, 415),
        ("application/x-jackson-smile", ":)\n", 415),
        ("application/xml", "<query/>", 415),
        ("text/plain", "SELECT x FROM secret", 403),
        ("text/plain", r#"{"query":"SELECT 1"}"#, 400),
        ("application/x-www-form-urlencoded", "SELECT+x+FROM+%73ecret", 403),
        ("application/x-www-form-urlencoded", r#"{"query":"SELECT 1"}"#, 415),
        ("application/x-www-form-urlencoded", "query=SELECT+1", 400),
    ] {
        for path in ["/druid/v2/sql", "/druid/v2/sql/task", "/druid/v2/sql/statements"] {
            let (answer, arrived) = house.ask("reader", "POST", path, Some((media_type, body)));
            assert_eq!((answer.status, arrived), (status, None), "{path} {media_type} {body}: {}", answer.text());
        }
    }
    let form_of_json = house.ask("reader", "POST", "/druid/v2/sql", Some(("application/x-www-form-urlencoded", "{}")));
    assert!(form_of_json.0.text().contains("application/json"), "{}", form_of_json.0.text());
    for (name, value, status) in [
        ("Content-Encoding", "deflate", 415),
        ("Content-Encoding", "gzip, gzip", 415),
        ("Content-Encoding", "gzip", 400),
        ("Content-Type", "text/plain", 400),
    ] {
        let request = house.gate.post("/druid/v2/sql").bearer(&token("reader")).header(name, value);
        let (answer, arrived) = house.send(&request.body(json, r#"{"query":"SELECT 1"}"#).bytes());
        assert_eq!((answer.status, arrived), (status, None), "{name}: {value}");
    }
}

/// Bytes that Jackson would read by guessing their encoding.
#[test]
fn bodies_in_other_encodings_never_arrive() {
    let house = house();
    let text = r#"{"query":"SELECT page FROM wiki"}"#;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let overlong = [br#"{"query":"SELECT "#.as_slice(), b"\xc1\x81", br#" FROM wiki"}"#].concat();
    let surrogate = br#"{"query":"SELECT '\ud800' FROM wiki"}"#.to_vec();
    for body in [utf16, utf32, overlong, surrogate] {
        let request = house.gate.post("/druid/v2/sql").bearer(&token("reader")).body("application/json", body);
        let (answer, arrived) = house.send(&request.bytes());
        assert_eq!((answer.status, arrived), (400, None), "{}", answer.text());
    }
}

/// A body where none is judged: nothing of it is sent, and it is not read as the next request either.
#[test]
fn a_body_where_none_is_judged_is_not_sent() {
    let house = house();
    let inner = "POST /druid/v2/sql/task HTTP/1.1\r\nHost: x\r\n\r\n";
    for (method, target) in
        [("GET", "/druid/indexer/v1/task/wiki-1/status"), ("POST", "/druid/indexer/v1/task/wiki-1/shutdown")]
    {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", token("reader"));
        let sized = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{inner}", inner.len());
        let chunked = format!(
            "{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{inner}\r\n0\r\n\r\n",
            inner.len()
        );
        for bytes in [sized, chunked] {
            let (answer, arrived) = house.send(bytes.as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.text());
            let arrived = arrived.expect("arrived");
            assert_eq!(line_and_body(&arrived), (format!("{method} {target}").as_str(), ""));
        }
    }
}

/// A gzip body is inflated within the bound of a plain one, and sent on as it is judged: plain.
#[test]
fn gzip_bodies_are_inflated_within_bounds() {
    use std::io::Write;
    let house = house();
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let send = |body: Vec<u8>| {
        let request = house.gate.post("/druid/v2/sql").bearer(&token("reader")).header("Content-Encoding", "gzip");
        house.send(&request.body("application/json", body).bytes())
    };
    let (answer, arrived) = send(gzip(br#"{"query":"SELECT page FROM wiki"}"#));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let arrived = arrived.expect("arrived");
    assert!(line_and_body(&arrived).1.starts_with(r#"{"query":"SELECT page FROM wiki","#), "{arrived}");
    assert!(!arrived.contains("content-encoding"));
    let (answer, arrived) = send(gzip(br#"{"query":"SELECT x FROM secret"}"#));
    assert_eq!((answer.status, arrived), (403, None));
    let bomb = gzip(&vec![b' '; 100_000_000]);
    assert!(bomb.len() < 200_000);
    let (answer, arrived) = send(bomb);
    assert_eq!((answer.status, arrived), (413, None));
    let two = [gzip(br#"{"query":"SELECT 1"}"#), gzip(br#"{"query":"SELECT x FROM secret"}"#)].concat();
    assert_eq!(send(two).0.status, 400);
}

/// What arrives is the gate's own rendering of what was judged.
#[test]
fn what_was_judged_is_what_is_sent() {
    let house = house();
    let body = r#"{ "x":[1], "query":"SELECT page FROM wiki -- é \n", "resultFormat":"array", "header":true,
        "context":{"timeout":1.50,"sqlQueryId":"mine","a":{"b":[1e400]}}, "parameters":[] }"#;
    let sent = |media_type: &str, body: &str| -> Value {
        let (answer, arrived) = house.ask("reader", "POST", "/druid/v2/sql", Some((media_type, body)));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let arrived = arrived.expect("arrived");
        let (line, body) = line_and_body(&arrived);
        assert_eq!(line, "POST /druid/v2/sql");
        assert!(arrived.contains("content-type: application/json\r\n"));
        let id = body.split_once(r#""sqlQueryId":""#).expect("an id").1.split('"').next().expect("quoted").to_owned();
        assert!(id.starts_with("1.") && id.len() < 120);
        let body = body.replace(&id, "ID");
        if media_type == "application/json" {
            // Numbers keep their text, and nothing that Druid does not know goes with it.
            let expected = r#"{"query":"SELECT page FROM wiki -- é \n","resultFormat":"array","header":true,"context":{"timeout":1.50,"a":{"b":[1e400]},"sqlQueryId":"ID","queryId":"ID"}}"#;
            assert_eq!(body, expected);
            return Value::Null;
        }
        serde_json::from_str(&body).expect("JSON")
    };
    sent("application/json", body);
    let rendered = json!({"query": "SELECT page FROM wiki", "context": {"sqlQueryId": "ID", "queryId": "ID"}});
    assert_eq!(sent("text/plain", " SELECT page FROM wiki\n"), rendered);
    assert_eq!(sent("application/x-www-form-urlencoded", "SELECT+page+FROM%20wiki"), rendered);
    assert_eq!(sent("application/*", r#"{"query":"SELECT page FROM wiki"}"#), rendered);
}

#[test]
fn headers_go_by_an_allow_list_both_ways() {
    let house = house();
    let request = house
        .gate
        .get("/druid/indexer/v1/task/wiki-1")
        .bearer(&token("reader"))
        .header("Cookie", "session=secret-cookie")
        .header("X-Druid-Author", "root")
        .header("X-Druid-Comment", "why")
        .header("X-Forwarded-For", "10.0.0.1")
        .header("Forwarded", "for=10.0.0.1")
        .header("request", "SELECT x FROM secret")
        .header("Accept", "application/json")
        .header("Accept-Encoding", "gzip")
        .header("X-Hop", "1")
        .header("TE", "trailers")
        .header("Upgrade", "h2c");
    let (answer, arrived) = house.send(&request.bytes());
    assert_eq!(answer.status, 200);
    let arrived = arrived.expect("arrived");
    let mut names: Vec<&str> =
        arrived.lines().skip(1).take_while(|line| !line.is_empty()).filter_map(|line| line.split(':').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "authorization", "host", "x-druid-author", "x-druid-comment"]);
    assert!(arrived.contains("authorization: Basic "), "the gate's own account");
    // Who it was is the gate's to say, why the caller's.
    assert!(arrived.contains("x-druid-author: reader\r\n") && arrived.contains("x-druid-comment: why\r\n"));
    assert!(!arrived.contains("secret-cookie") && !arrived.contains(&token("reader")));
    for name in ["Set-Cookie", "WWW-Authenticate", "X-Hop"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
}

/// What is filtered must come whole and unencoded, and is no longer what Druid measured and named.
#[test]
fn a_filtered_list_is_asked_for_whole_and_answered_as_its_own() {
    let house = house();
    for (path, filtered) in [("/druid/indexer/v1/tasks", true), ("/druid/v2/sql/task/enabled", false)] {
        let request = house.gate.get(path).bearer(&token("reader"));
        let request =
            request.header("Accept-Encoding", "gzip").header("Range", "bytes=0-1").header("If-None-Match", "x");
        let (answer, arrived) = house.send(&request.bytes());
        assert_eq!(answer.status, 200);
        let arrived = arrived.expect("arrived");
        for name in ["accept-encoding: ", "range: ", "if-none-match: "] {
            assert_eq!(arrived.contains(name), !filtered, "{path}: {name}");
        }
        for name in ["Content-Length", "ETag"] {
            assert_eq!(answer.header(name).is_some(), !filtered, "{path}: {name}");
        }
        assert_eq!(answer.header("Content-Encoding"), None);
    }
}

#[test]
fn a_connection_header_cannot_take_the_gates_credentials_away() {
    let house = house();
    let bytes = format!(
        "GET /druid/indexer/v1/task/wiki-1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Connection: close, authorization, x-druid-author\r\n\r\n",
        token("reader")
    );
    let (answer, arrived) = house.send(bytes.as_bytes());
    assert_eq!(answer.status, 200);
    assert!(arrived.expect("arrived").contains("authorization: Basic "));
}

/// Heads that two servers might read as two requests.
#[test]
fn smuggled_requests_never_arrive() {
    let house = house();
    let bearer = format!("Authorization: Bearer {}", token("reader"));
    let body = r#"{"query":"SELECT page FROM wiki"}"#;
    for (name, head, body) in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 33".to_owned(), body.to_owned()),
        ("odd TE", "Transfer-Encoding: xchunked".to_owned(), body.to_owned()),
        ("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(), body.to_owned()),
        ("signed length", "Content-Length: +33".to_owned(), body.to_owned()),
        ("folded", "X-A: a\r\n b".to_owned(), body.to_owned()),
        ("space before colon", "Content-Length : 33".to_owned(), body.to_owned()),
        ("two hosts", format!("Host: y\r\nContent-Length: {}", body.len()), body.to_owned()),
        ("underscore", format!("Content_Length: 0\r\nContent-Length: {}", body.len()), body.to_owned()),
        ("two authorizations", format!("{bearer}\r\nContent-Length: {}", body.len()), body.to_owned()),
    ] {
        let bytes = format!(
            "POST /druid/v2/sql/task HTTP/1.1\r\nHost: x\r\n{bearer}\r\nContent-Type: application/json\r\n{head}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        let status = house.gate.try_raw(bytes.as_bytes()).map_or(0, |answer| answer.status);
        assert!(status == 0 || (400..500).contains(&status), "{name}: {status}");
        assert_eq!(house.recorder.take(), Vec::<String>::new(), "{name}");
    }
}

/// On the real Router: the doors that stand open there are shut here, and the front door is open.
#[test]
fn doors_that_are_open_on_the_router_are_shut_at_the_gate() {
    let body = json!({"query": "SELECT page FROM wiki LIMIT 1"});
    let submit = |end: End<'_>, user: &str, path: &str| {
        let answer = end.ask(Some(user), "POST", path).json(&body).send();
        if let Some(id) = crate::support::started(&answer) {
            crate::support::cancel(&id);
        }
        answer.status
    };
    for path in ["/druid/v2/sql;x/task", "/druid/v2/sql/task;x"] {
        assert_eq!(submit(End::Direct, "reader", path), 202, "{path}: open on a real Router");
        assert_eq!(submit(gate(), "reader", path), 400, "{path}");
        assert_eq!(submit(gate(), "nobody", path), 400, "{path}");
    }
    assert_eq!(submit(gate(), "reader", "/druid/v2/sql/task/"), 202);
    assert_eq!(submit(gate(), "nobody", "/druid/v2/sql/task/"), 403);
    assert_eq!(submit(gate(), "reader", "/druid/v2/sql/task"), 202);
    let twice = r#"{"query":"SELECT 1","query":"SELECT page FROM wiki LIMIT 1"}"#;
    let direct = End::Direct.ask(Some("nobody"), "POST", "/druid/v2/sql").body("application/json", twice).send();
    assert_eq!(direct.status, 403, "Druid runs the last of two keys");
    let through = gate().ask(Some("nobody"), "POST", "/druid/v2/sql").body("application/json", twice).send();
    assert_eq!(through.status, 400);
    for media_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let answer = gate().ask(Some("reader"), "POST", "/druid/v2/sql").body(media_type, "SELECT 1").send();
        assert_eq!(answer.expect(200).json()[0]["EXPR$0"], 1);
    }
}
