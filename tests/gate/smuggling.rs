//! A corpus of HTTP/1.1 that two servers might read as different requests, sent as it stands: what is answered, and what
//! arrives upstream.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use msq_gate_bed::GateOptions;
use serde_json::Value;

use crate::client::Server;
use crate::recorder::Recorder;
use crate::support::{GATE, options, own_gate, token};

const CORPUS: &str = include_str!("../corpus/smuggling.txt");

/// The corpus has at least so many cases.
const LEAST: usize = 80;

/// All of them take some ten seconds; past this one hangs.
const BOUND: Duration = Duration::from_secs(60);

/// One case, as the top of the corpus tells.
#[derive(Default)]
struct Case {
    name: &'static str,
    bytes: String,
    /// Statuses with whether each may be missing.
    answers: Vec<(u16, bool)>,
    /// Requests with whether each may be missing.
    upstream: Vec<(&'static str, bool)>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("== ") {
            assert!(cases.iter().all(|case| case.name != name), "two cases {name}");
            cases.push(Case { name, ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a name first");
        if let Some(answers) = line.strip_prefix("= ") {
            let answers = answers.split(' ').filter(|word| *word != "close");
            let parsed = answers.map(|word| {
                let status = word.strip_suffix('?').unwrap_or(word);
                (status.parse().expect("a status"), word.ends_with('?'))
            });
            case.answers = parsed.collect();
        } else if let Some(request) = line.strip_prefix("> ") {
            case.upstream.push((request.strip_suffix(" ?").unwrap_or(request), request.ends_with(" ?")));
        } else {
            assert_eq!(line.trim_end(), line, "blanks that nobody sees: {}", case.name);
            case.bytes.push_str(line);
        }
    }
    cases
}

/// The macros of the corpus, of a user with this token.
fn macros(token: &str) -> Vec<(&'static str, String)> {
    let head = format!("Host: gate\r\nAuthorization: Bearer {token}\r\n");
    let text = format!("{head}Content-Type: text/plain\r\n");
    let task = |id: &str| format!("GET /druid/indexer/v1/task/{id} HTTP/1.1\r\n{head}");
    vec![
        ("token", token.to_owned()),
        ("sql", format!("POST /druid/v2/sql HTTP/1.1\r\n{text}")),
        ("enabled", format!("GET /druid/v2/sql/task/enabled HTTP/1.1\r\n{head}")),
        ("close", "Connection: close\r\n\r\n".to_owned()),
        ("chunks", "8\r\nSELECT 1\r\n0\r\n\r\n".to_owned()),
        ("inner", format!("{}\r\n", task("wiki-inner"))),
        ("next", format!("{}Connection: close\r\n\r\n", task("wiki-next"))),
        ("head", head),
        ("text", text),
    ]
}

/// The bytes that this text of the corpus stands for.
fn bytes_of(text: &str, macros: &[(&str, String)]) -> Vec<u8> {
    let value = |name: &str| &macros.iter().find(|(known, _)| *known == name).expect("a known macro").1;
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(sign) = rest.chars().next() {
        rest = &rest[sign.len_utf8()..];
        match sign {
            '{' => {
                let (name, after) = rest.split_once('}').expect("an end of the macro");
                rest = after;
                bytes.extend(match name.split_once(':') {
                    Some(("len", of)) => value(of).len().to_string().into_bytes(),
                    Some(("hex", of)) => format!("{:x}", value(of).len()).into_bytes(),
                    _ => value(name).clone().into_bytes(),
                });
            }
            '\\' => {
                let code = rest.chars().next().expect("an escape");
                rest = &rest[1..];
                bytes.push(match code {
                    'r' => b'\r',
                    'n' => b'\n',
                    't' => b'\t',
                    '0' => 0,
                    '\\' => b'\\',
                    'x' => {
                        let (digits, after) = rest.split_at(2);
                        rest = after;
                        u8::from_str_radix(digits, 16).expect("two digits")
                    }
                    other => panic!("no escape: {other}"),
                });
            }
            sign => bytes.extend(sign.to_string().bytes()),
        }
    }
    bytes
}

/// Sends these bytes and reads the connection to its end: the status of each answer. What comes must be answers.
fn statuses(server: &Server, bytes: &[u8]) -> Vec<u16> {
    let mut stream = server.connect().expect("connects");
    let _ = stream.write_all(bytes);
    let _ = stream.flush();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let (mut statuses, mut rest) = (Vec::new(), all.as_slice());
    while !rest.is_empty() {
        let text = String::from_utf8_lossy(rest).into_owned();
        assert!(rest.starts_with(b"HTTP/1."), "no answer: {text}");
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
        let head = String::from_utf8_lossy(&rest[..end]).to_lowercase();
        let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
        statuses.push(status);
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        // The stand-in gives the length of every answer, and so does the gate of its own; one to HEAD has no body.
        let length = if bytes.starts_with(b"HEAD") && statuses.len() == 1 { 0 } else { length.unwrap_or(0) };
        assert!(rest.len() >= end + length, "cut off: {text}");
        rest = &rest[end + length..];
    }
    statuses
}

/// A request that arrived, as the corpus tells it.
fn told(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").expect("a whole head");
    let (line, fields) = head.split_once("\r\n").expect("a line");
    let mut told = line.strip_suffix(" HTTP/1.1").expect("HTTP/1.1").to_owned();
    // Drawn anew: no framing but one length, no name but the gate's.
    let count = |name: &str| fields.lines().filter(|field| field.to_lowercase().starts_with(name)).count();
    assert!(count("content-length:") <= 1 && count("host:") == 1 && count("authorization:") == 1, "{head}");
    for name in ["transfer-encoding", "expect", "upgrade", "http2-settings", "te:", "trailer", "connection", "x-a"] {
        assert_eq!(count(name), 0, "{name}: {head}");
    }
    assert!(!head.contains("Bearer") && !head.contains("root") && !head.contains("elsewhere"), "{head}");
    if !body.is_empty() {
        let body: Value = serde_json::from_str(body).expect("the gate's own rendering");
        write!(told, " | {}", body["query"].as_str().expect("SQL")).expect("in memory");
    }
    told
}

/// Whether what was found is what was expected, of which some may be missing.
fn agrees<T, U: PartialEq<T>>(found: &[T], expected: &[(U, bool)]) -> bool {
    match (found, expected) {
        ([], rest) => rest.iter().all(|(_, may_miss)| *may_miss),
        (_, []) => false,
        ([first, others @ ..], [(wanted, may_miss), rest @ ..]) => {
            (wanted == first && agrees(others, rest)) || (*may_miss && agrees(found, rest))
        }
    }
}

#[test]
fn each_request_of_the_corpus_is_answered_and_arrives_as_it_says() {
    let recorder = Recorder::start();
    let more = "[limits]\nhead_seconds = 2\nbody_seconds = 2\n".to_owned();
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, ..options() });
    let (cases, macros) = (cases(), macros(&token("reader")));
    assert!(cases.len() >= LEAST, "{}", cases.len());
    let (start, mut wrong) = (Instant::now(), String::new());
    for case in &cases {
        let statuses = statuses(&gate, &bytes_of(&case.bytes, &macros));
        let arrived: Vec<String> = recorder.take().iter().map(|request| told(request)).collect();
        if !agrees(&statuses, &case.answers) || !agrees(&arrived, &case.upstream) {
            writeln!(wrong, "{}: answered {statuses:?}, arrived {arrived:?}", case.name).expect("in memory");
        }
    }
    assert!(wrong.is_empty(), "not as the corpus says:\n{wrong}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

/// The same to a real Router, for cases whose answers do not depend on the stand-in.
#[test]
fn a_real_router_gets_nothing_of_what_is_refused() {
    let macros = macros(&token("reader"));
    let (mut count, start) = (0, Instant::now());
    // Those that are refused before anything is sent, with one answer or none; a slow body would wait for its time.
    let refused = |case: &&Case| case.upstream.is_empty() && case.answers.iter().all(|(status, _)| *status != 408);
    for case in cases().iter().filter(refused) {
        let statuses = statuses(&GATE, &bytes_of(&case.bytes, &macros));
        assert!(agrees(&statuses, &case.answers), "{}: {statuses:?}", case.name);
        count += 1;
    }
    assert!(count >= LEAST, "{count}");
    // And one that is allowed, with a whole one after it: both are answered, in their order.
    let pair = "{sql}Transfer-Encoding: chunked\\r\\n\\r\\n{chunks}{enabled}{close}";
    let mut stream = GATE.connect().expect("connects");
    stream.write_all(&bytes_of(pair, &macros)).and_then(|()| stream.flush()).expect("sent");
    let mut answers = Vec::new();
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8_lossy(&answers).into_owned();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}
