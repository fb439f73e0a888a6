//! HTTP/2 by hand: frames that no well-behaved client sends, and the bounds that meet them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use msq_gate_bed::GateOptions;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::client::{Server, tls_config};
use crate::faults::await_connection;
use crate::standin::StandIn;
use crate::support::{BED, options, own_gate, token};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Fields, literal and not indexed (RFC 7541, section 6.2.2), so that any bytes go.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // An integer with a prefix of 7 bits (section 5.1).
            if text.len() < 127 {
                block.push(text.len() as u8);
            } else {
                block.push(127);
                let mut rest = text.len() - 127;
                while rest >= 128 {
                    block.push((rest % 128) as u8 | 128);
                    rest /= 128;
                }
                block.push(rest as u8);
            }
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The bytes of a connection with one request.
pub fn h2_request(fields: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    let flags = if body.is_some() { END_HEADERS } else { END_HEADERS | END_STREAM };
    bytes.extend(frame(HEADERS, flags, 1, &block(fields)));
    if let Some(body) = body {
        bytes.extend(frame(DATA, END_STREAM, 1, body.as_bytes()));
    }
    bytes
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Server) -> Connection {
    let tcp = TcpStream::connect(server.address()).expect("connects");
    tcp.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    let tls = ClientConnection::new(tls_config(&BED.ca, &[b"h2"]), name).expect("TLS");
    StreamOwned::new(tls, tcp)
}

/// The next frame: its head and payload; none where the connection ends.
fn read_frame(stream: &mut Connection) -> Option<([u8; 9], Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).ok()?;
    Some((head, payload))
}

/// Its type, stream and payload.
fn next(stream: &mut Connection) -> Option<(u8, u32, Vec<u8>)> {
    let (head, payload) = read_frame(stream)?;
    Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

/// Its type, flags and payload.
fn next_with_flags(stream: &mut Connection) -> Option<(u8, u8, Vec<u8>)> {
    read_frame(stream).map(|(head, payload)| (head[3], head[4], payload))
}

/// The first frame about the request that comes back: its headers (1), a reset (3) or the connection's end (7, or 0).
pub fn h2_outcome(server: &Server, bytes: &[u8]) -> u8 {
    let mut stream = connect(server);
    stream.write_all(bytes).expect("sent");
    loop {
        match next(&mut stream) {
            None => return 0,
            Some((kind @ (HEADERS | RST_STREAM | GOAWAY), _, _)) => return kind,
            Some(_) => {}
        }
    }
}

/// Reads to the end of the connection; the types of what came, and how long it took.
fn to_the_end(stream: &mut Connection) -> (Vec<u8>, Duration) {
    let start = Instant::now();
    let mut kinds = Vec::new();
    while let Some((kind, flags, payload)) = next_with_flags(stream) {
        kinds.push(kind);
        // Settings and pings are acknowledged.
        if flags & ACK == 0 && (kind == SETTINGS || kind == PING) {
            let payload = if kind == PING { payload } else { Vec::new() };
            let _ = stream.write_all(&frame(kind, ACK, 0, &payload)).and_then(|()| stream.flush());
        }
    }
    (kinds, start.elapsed())
}

#[test]
fn http2_is_bounded() {
    let standin = StandIn::start();
    let more = "[limits]\nidle_seconds = 3\nstreams = 5\npending_resets = 5\n".to_owned();
    let (process, gate) = own_gate(GateOptions { router_url: standin.url.clone(), more, ..options() });
    let bearer = format!("Bearer {}", token("reader"));
    let fields = |mode| {
        [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "x"),
            (":path", "/druid/v2/sql/task/enabled"),
            ("authorization", bearer.as_str()),
            ("user-agent", mode),
        ]
    };
    let alive = || assert_eq!(h2_outcome(&gate, &h2_request(&fields("well"), None)), HEADERS);
    alive();

    // A stream that takes nothing of an endless answer, on a connection that is alive: the window is shut (6.5.2).
    let mut shut = connect(&gate);
    shut.write_all(PREFACE).expect("sent");
    shut.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).expect("sent");
    shut.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields("endless")))).expect("sent");
    let (kinds, took) = to_the_end(&mut shut);
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&DATA), "{kinds:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    await_connection(&process.audit, "answer_not_taken");
    alive();

    // A connection on which nothing is asked, one on which nothing is said at all, and one that leaves no window for its
    // 401: none needs credentials, and each answers every ping.
    let shut = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let refused = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields("well")[..4]));
    for bytes in [[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(), Vec::new(), [PREFACE, &shut, &refused].concat()] {
        let mut idle = connect(&gate);
        idle.write_all(&bytes).expect("sent");
        let _ = idle.flush();
        let (_, took) = to_the_end(&mut idle);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
    alive();

    // HTTP/1.1: requests without end, and no answer read.
    let mut unread = gate.connect().expect("connects");
    let requests = "GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let start = Instant::now();
    while unread.write_all(requests.as_bytes()).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(30), "the connection is held");
    }
    alive();

    // More streams than are served at a time: the sixth is refused, the others are not.
    let mut many = connect(&gate);
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for stream in (1..12).step_by(2) {
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields("never"))));
    }
    many.write_all(&bytes).expect("sent");
    let refused = std::iter::from_fn(|| next(&mut many)).find(|(kind, _, _)| matches!(*kind, RST_STREAM | GOAWAY));
    let (kind, stream, payload) = refused.expect("a refusal");
    // REFUSED_STREAM (7).
    assert_eq!((kind, stream, payload.as_slice()), (RST_STREAM, 11, &[0, 0, 0, 7][..]));
    drop(many);

    // Streams opened and reset at once, over and over (CVE-2023-44487).
    let mut flood = connect(&gate);
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    for stream in (1..2001).step_by(2) {
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields("well"))));
        bytes.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    let _ = flood.write_all(&bytes);
    let (kinds, took) = to_the_end(&mut flood);
    assert!(kinds.contains(&GOAWAY) || kinds.is_empty(), "{kinds:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    await_connection(&process.audit, "flood");
    alive();
}
