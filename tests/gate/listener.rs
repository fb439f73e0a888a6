//! The listener: protocols, bounds, and the end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use msq_gate_bed::GateOptions;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::client::{Server, tls_config};
use crate::recorder::Recorder;
use crate::support::{BED, GATE, options, own_gate, token};

fn handshake(alpn: &[&[u8]]) -> (Option<Vec<u8>>, Option<rustls::ProtocolVersion>) {
    let tcp = TcpStream::connect(GATE.address()).expect("connects");
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    let connection = ClientConnection::new(tls_config(&BED.ca, alpn), name).expect("TLS");
    let mut stream = StreamOwned::new(connection, tcp);
    let _ = stream.write_all(b"GET /status/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let _ = stream.flush();
    let _ = stream.read(&mut [0; 1024]);
    (stream.conn.alpn_protocol().map(<[u8]>::to_vec), stream.conn.protocol_version())
}

#[test]
fn http2_and_http1_are_chosen_by_alpn() {
    assert_eq!(handshake(&[b"http/1.1"]).0.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(handshake(&[b"h2", b"http/1.1"]).0.as_deref(), Some(&b"h2"[..]));
    assert_eq!(handshake(&[]).1, Some(rustls::ProtocolVersion::TLSv1_3));
}

/// curl, as people have it: HTTP/2, HTTP/1.1, and TLS of each version.
#[test]
fn curl_is_served_over_each_protocol() {
    for (options, version) in
        [(&["--http2"][..], "2"), (&["--http1.1"], "1.1"), (&["--tls-max", "1.2"], "2"), (&["--tlsv1.3"], "2")]
    {
        let output = std::process::Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "\n%{http_version} %{http_code}", "--cacert"])
            .arg(&BED.ca)
            .args(options)
            .args(["--header", &format!("Authorization: Bearer {}", token("reader"))])
            .args(["--json", r#"{"query":"SELECT 1337"}"#])
            .arg(format!("{}/druid/v2/sql?capabilities", BED.gate))
            .output()
            .expect("curl");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text, format!("[{{\"EXPR$0\":1337}}]\n\n{version} 200"), "{options:?} {output:?}");
    }
}

#[test]
fn plain_http_is_not_served_on_a_tls_listener() {
    let plain = Server::new(&format!("http://{}", GATE.address()), &BED.ca);
    let answer = plain.try_raw(b"GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.is_err(), "{answer:?}");
}

#[test]
fn heads_are_bounded() {
    let with =
        |length: usize| format!("GET /status/health HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\n\r\n", "a".repeat(length));
    let limit =
        msq_gate::config::Limits::default().head_bytes - "host".len() - "x".len() - "x-big".len() - 2 * ": \r\n".len();
    GATE.send_raw(with(limit).as_bytes()).expect(200);
    GATE.send_raw(with(limit + 1).as_bytes()).expect(431);
    // What is far past the bound is answered by what reads it off the wire, which closes with the rest unread: the answer,
    // or the close.
    let far = GATE.try_raw(with(1_000_000).as_bytes());
    assert!(far.as_ref().map_or(true, |answer| answer.status == 431), "{far:?}");
    let many = (0..101).map(|n| format!("X-{n}: a\r\n")).collect::<String>();
    let answer = GATE.try_raw(format!("GET /status/health HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes());
    assert!(answer.as_ref().is_ok_and(|answer| answer.status == 431), "{answer:?}");
    GATE.get("/status/health").send().expect(200);
}

#[test]
fn bodies_are_bounded() {
    let limit = msq_gate::config::Limits::default().sql_body_bytes;
    let sql = |length: usize| {
        let padding = " ".repeat(length - "{\"query\":\"SELECT 1\"}".len());
        GATE.post("/druid/v2/sql")
            .bearer(&token("nobody"))
            .body("application/json", format!("{{\"query\":\"SELECT 1\"{padding}}}"))
    };
    sql(limit).send().expect(200);
    let answer = sql(limit + 1).send().expect(413).json();
    assert_eq!(answer["category"], "CAPACITY_EXCEEDED");
    // The length that is told is enough: nothing of the body need come.
    let head = format!(
        "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 99999999999\r\n\r\n{{",
        token("nobody")
    );
    GATE.send_raw(head.as_bytes()).expect(413);
}

/// A head that comes too slowly ends with the connection, within the bound.
#[test]
fn a_slow_head_is_cut_off() {
    let mut stream = GATE.connect().expect("connects");
    stream.write_all(b"GET /status/health HTTP/1.1\r\nHost: x\r\n").expect("sent");
    stream.flush().expect("sent");
    let start = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let took = start.elapsed();
    assert!(took > Duration::from_secs(20) && took < Duration::from_secs(45), "{took:?}");
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
}

/// SIGTERM: no more connections, what runs is finished, exit code 0.
#[test]
fn sigterm_finishes_what_runs() {
    let recorder = Recorder::slow(Duration::from_secs(2));
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), ..options() });
    let gate = Arc::new(gate);
    let running = std::thread::spawn({
        let gate = Arc::clone(&gate);
        move || gate.get("/druid/v2/sql/task/enabled").bearer(&token("reader")).send()
    });
    recorder.await_request();
    let stopping = std::thread::spawn(move || process.terminate());
    std::thread::sleep(Duration::from_millis(500));
    let late = gate.try_raw(b"GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(late.is_err(), "no more connections are accepted: {late:?}");
    assert_eq!(running.join().expect("answered").status, 200);
    let ended = stopping.join().expect("ended").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ended.code(), Some(0));
}

/// SIGHUP: a good policy takes force, a bad one leaves the old one in force and says where it is wrong.
#[test]
fn sighup_reloads_the_policy() {
    let (process, gate) = own_gate(options());
    let select = serde_json::json!({"query": "SELECT page FROM wiki LIMIT 1"});
    let status = || gate.post("/druid/v2/sql").bearer(&token("nobody")).json(&select).send().status;
    assert_eq!(status(), 403);
    let good = "[roles.r]\npermissions = [\"READ DATASOURCE wiki\"]\n\n[[bindings]]\nissuer = \"dev\"\ngroup = \"nobody\"\nroles = [\"r\"]\n";
    process.reload(good).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status(), 200);
    process.reload("[roles.r]\npermissions = [\"READ DATASOURC wiki\", \"\"]\n").expect_err("a bad policy");
    let log = std::fs::read_to_string(&process.log).expect("log");
    assert!(log.contains("policy not reloaded") && log.contains("policy.toml:2"), "{log}");
    assert_eq!(status(), 200, "the old one stays in force");
}
