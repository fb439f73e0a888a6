//! HTTP/2 by hand: frames that no well-behaved client sends, and the bounds that meet them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::cases::{Case, House, PROBE, Records, Seen, run};
use crate::client::{Server, tls_config};
use crate::support::BED;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

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

/// A part of what the gate is told, so that the cases are over soon.
const LIMITS: &str = "idle_seconds = 2\nstreams = 5\npending_resets = 5\nresets_per_second = 30\n\
                      requests_per_caller = 1000\nrouter_response_seconds = 6";

/// A client that reads nothing is left within this time; the buffers between must fill first, which a busy machine does slowly.
const HELD_BOUND: Duration = Duration::from_secs(120);

/// The first frame that says how it ends, in words; settings and pings are acknowledged meanwhile.
fn ends(stream: &mut Connection) -> String {
    let code = |payload: &[u8], at: usize| payload.get(at + 3).copied().unwrap_or_default();
    while let Some((head, payload)) = read_frame(stream) {
        let (kind, flags) = (head[3], head[4]);
        match kind {
            // With the end of the stream; its window is large enough for that.
            HEADERS | DATA if flags & END_STREAM != 0 => return "answered".to_owned(),
            RST_STREAM => return format!("reset {}", code(&payload, 0)),
            // Without an error it is only the announcement of an end.
            GOAWAY if code(&payload, 4) != 0 => return format!("goaway {}", code(&payload, 4)),
            SETTINGS | PING if flags & ACK == 0 => {
                let payload = if kind == PING { payload } else { Vec::new() };
                let _ = stream.write_all(&frame(kind, ACK, 0, &payload)).and_then(|()| stream.flush());
            }
            _ => {}
        }
    }
    "closed".to_owned()
}

/// A connection that says hello, then this.
fn say(house: &House, bytes: &[u8]) -> (SocketAddr, Connection) {
    let mut stream = connect(&house.gate);
    let hello = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let _ = stream.write_all(&[&hello, bytes].concat()).and_then(|()| stream.flush());
    (stream.sock.local_addr().expect("an address"), stream)
}

fn seen((peer, mut stream): (SocketAddr, Connection)) -> Seen {
    let ends = ends(&mut stream);
    // As a client does that is told off.
    stream.conn.send_close_notify();
    let _ = stream.flush();
    Seen { peer, ends, answer: None }
}

/// Reads to the end, whatever comes.
fn seen_to_the_end((peer, mut stream): (SocketAddr, Connection)) -> Seen {
    let (kinds, _) = to_the_end(&mut stream);
    let ends = if kinds.contains(&DATA) { "data, then closed" } else { "closed" };
    Seen { peer, ends: ends.to_owned(), answer: None }
}

/// The fields of a good request to a Router that does this.
fn fields<'a>(bearer: &'a str, mode: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "x"),
        (":path", PROBE),
        ("authorization", bearer),
        ("user-agent", mode),
    ]
}

fn head(house: &House, stream: u32, mode: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let bearer = format!("Bearer {}", house.reader);
    let mut fields = fields(&bearer, mode);
    fields.extend(more);
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields))
}

fn case(name: &str, ends: &'static str, records: Records, act: impl Fn(&House) -> Seen + 'static) -> Case {
    Case::new(format!("HTTP/2: {name}"), ends, records, 15, act)
}

/// A field of initial window size nought: nothing of any answer may be sent (section 6.5.2).
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// What the h2 crate meets by itself: the connection's end, or one stream's.
fn refused_cases() -> Vec<Case> {
    vec![
        case("a name in capitals", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &head(house, 1, "well", &[("X-Capital", "x")])))
        }),
        case("a field of the connection's", "reset 1", &["connection streams_refused"], |house| {
            seen(say(house, &head(house, 1, "well", &[("connection", "close")])))
        }),
        case("a length that lies", "reset 1", &["connection streams_refused"], |house| {
            seen(say(house, &head(house, 1, "well", &[("content-length", "5")])))
        }),
        case("fields past the bound", "answered", &["connection streams_refused"], |house| {
            let part = block(&[("x-long", &"a".repeat(12_000))]);
            let mut bytes = frame(HEADERS, END_STREAM, 1, &block(&fields("Bearer x", "well")));
            bytes.extend([0, 0, END_HEADERS].into_iter().flat_map(|flags| frame(CONTINUATION, flags, 1, &part)));
            seen(say(house, &bytes))
        }),
        case("more streams than may be at a time", "reset 7", &["*", "connection streams_refused"], |house| {
            let heads: Vec<u8> = (1..12).step_by(2).flat_map(|stream| head(house, stream, "never", &[])).collect();
            seen(say(house, &heads))
        }),
        case("a host that is not the authority", "answered", &["400 several_hosts complete"], |house| {
            seen(say(house, &head(house, 1, "well", &[("host", "y")])))
        }),
        case("the authority as host too", "answered", &["200 - complete"], |house| {
            seen(say(house, &head(house, 1, "well", &[("host", "x")])))
        }),
        case("no preface", "closed", &["connection malformed_frames"], |house| {
            let mut stream = connect(&house.gate);
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").and_then(|()| stream.flush());
            seen((stream.sock.local_addr().expect("an address"), stream))
        }),
        case("data without a stream", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &frame(DATA, 0, 0, b"x")))
        }),
        case("a stream of the server's", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &head(house, 2, "well", &[])))
        }),
        case("a reset of no stream", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &frame(RST_STREAM, 0, 9, &[0, 0, 0, 8])))
        }),
        case("a frame past the size", "goaway 6", &["connection malformed_frames"], |house| {
            seen(say(house, &frame(DATA, 0, 1, &[0; 20_000])))
        }),
        case("settings of an odd length", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &frame(SETTINGS, 0, 0, &[0; 5])))
        }),
        case("fields that cannot be decoded", "goaway 1", &["connection malformed_frames"], |house| {
            seen(say(house, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 20])))
        }),
        case("a window past its bound", "goaway 3", &["connection malformed_frames"], |house| {
            let most = [0x7f, 0xff, 0xff, 0xff];
            seen(say(house, &[frame(WINDOW_UPDATE, 0, 0, &most), frame(WINDOW_UPDATE, 0, 0, &most)].concat()))
        }),
        case("fields without end", "goaway 11", &["connection flood"], |house| {
            let part = block(&[("x-part", &"a".repeat(10_000))]);
            let mut bytes = frame(HEADERS, END_STREAM, 1, &part);
            for _ in 0..200 {
                bytes.extend(frame(CONTINUATION, 0, 1, &part));
            }
            seen(say(house, &bytes))
        }),
    ]
}

/// What takes time or many frames.
fn flood_cases() -> Vec<Case> {
    vec![
        // CVE-2023-44487.
        case("streams reset before they are served", "closed", &["*", "connection flood"], |house| {
            let reset =
                |stream| [head(house, stream, "well", &[]), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
            seen_to_the_end(say(house, &(1..2001).step_by(2).flat_map(reset).collect::<Vec<u8>>()))
        }),
        case("a few streams reset before they are served", "goaway 11", &["*", "connection flood"], |house| {
            let reset =
                |stream| [head(house, stream, "well", &[]), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
            seen(say(house, &(1..40).step_by(2).flat_map(reset).collect::<Vec<u8>>()))
        }),
        case("streams reset while they are served", "closed", &["*", "connection too_many_resets"], |house| {
            let (peer, mut stream) = say(house, &[]);
            for id in (1..1000).step_by(2) {
                let before = house.standin.count();
                if stream.write_all(&head(house, id, "never", &[])).and_then(|()| stream.flush()).is_err() {
                    break;
                }
                // It is at the Router when it is reset; once the gate has had enough, none is any more.
                if !house.standin.has_count(before + 1) {
                    break;
                }
                let _ = stream.write_all(&frame(RST_STREAM, 0, id, &[0, 0, 0, 8])).and_then(|()| stream.flush());
            }
            seen_to_the_end((peer, stream))
        }),
        case("no window for an answer", "closed", &["200 - not_taken"], |house| {
            let bytes = [frame(SETTINGS, 0, 0, &NO_WINDOW), head(house, 1, "endless", &[])].concat();
            seen_to_the_end(say(house, &bytes))
        }),
        case("no window for a 401", "closed", &["401 no_credentials complete"], |house| {
            let refused = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields("", "well")[..4]));
            seen_to_the_end(say(house, &[frame(SETTINGS, 0, 0, &NO_WINDOW), refused].concat()))
        }),
        case("nothing asked", "closed", &["connection no_request"], |house| seen_to_the_end(say(house, &[]))),
        case("nothing said", "closed", &["connection no_request"], |house| {
            let mut stream = connect(&house.gate);
            let _ = stream.flush().and_then(|()| stream.read_to_end(&mut Vec::new()));
            let peer = stream.sock.local_addr().expect("an address");
            Seen { peer, ends: "closed".to_owned(), answer: None }
        }),
        case("a client that leaves before its answer", "left", &["- - client_left"], |house| {
            let before = house.standin.count();
            let (peer, stream) = say(house, &head(house, 1, "never", &[]));
            house.standin.await_count(before + 1);
            drop(stream);
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("an answer that breaks off", "reset 2", &["200 - broken_upstream"], |house| {
            seen(say(house, &head(house, 1, "cut-length", &[])))
        }),
    ]
}

pub fn http2_cases() -> Vec<Case> {
    [refused_cases(), flood_cases()].into_iter().flatten().collect()
}

#[test]
fn http2_is_bounded() {
    let house = House::start(LIMITS);
    run(&house, &http2_cases());
    // HTTP/1.1: requests without end, and no answer read.
    let mut unread = house.gate.connect().expect("connects");
    let requests = "GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let start = Instant::now();
    while unread.write_all(requests.as_bytes()).is_ok() {
        assert!(start.elapsed() < HELD_BOUND, "the connection is held");
    }
    house.alive();
}

/// Those of the Router, of clients on HTTP/1.1 and of clients on HTTP/2.
#[test]
fn the_cases_are_many_and_each_has_a_name_of_its_own() {
    let all = [crate::faults::router_cases(), crate::clients::client_cases(), http2_cases()];
    let mut names: Vec<String> = all.into_iter().flatten().map(|case| case.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count >= 100, "{count}");
}
