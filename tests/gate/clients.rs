//! What goes wrong in front of the gate, on HTTP/1.1: clients that are slow, wrong, greedy, or gone.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::cases::{Case, House, PROBE, Records, Seen, run};
use crate::client::read_answer;
use crate::support::token;

/// Low, so that what is past them is small, and over soon.
const LIMITS: &str = "connections_per_peer = 12\nrequests_per_caller = 2\nrequests = 4\nhandshake_seconds = 3\n\
                      head_seconds = 3\nbody_seconds = 3\nidle_seconds = 2\nsql_body_bytes = 1000\n\
                      task_ids_body_bytes = 500\njson_body_bytes = 600\n\
                      form_body_bytes = 2000\nrouter_response_seconds = 5";

/// Requests as text: `{reader}` is a token, `{sql}` the head of a SQL request but for its framing, and what stands between
/// `{many` and `}`, a number and a character, is that character so often.
const TEXTS: [(&str, &str, &str, &[&str]); 37] = [
    // The head: refused by what reads it off the wire, which leaves no request behind.
    ("no HTTP at all", "GARBAGE\r\n\r\n", "400", &["connection malformed_head"]),
    ("a version that is not spoken", "GET / HTTP/3.0\r\n\r\n", "400", &["connection malformed_head"]),
    ("a length that is none", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400", &["connection malformed_head"]),
    ("a length below nought", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400", &["connection malformed_head"]),
    (
        "two lengths",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "400",
        &["connection malformed_head"],
    ),
    ("a folded field", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "400", &["connection malformed_head"]),
    ("a NUL in a field", "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", "400", &["connection malformed_head"]),
    ("a space before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n", "400", &["connection malformed_head"]),
    ("a head far too long", "GET / HTTP/1.1\r\nX: {many 66000 a}\r\n\r\n", "431", &["connection head_too_large"]),
    ("too many fields", "GET / HTTP/1.1\r\n{many 101 X: y\r\n}\r\n", "431", &["connection head_too_large"]),
    ("a target far too long", "GET /{many 65536 a}", "431", &["connection head_too_large"]),
    // The head: refused by the gate.
    (
        "a head too long",
        "GET / HTTP/1.1\r\nHost: x\r\nX: {many 33000 a}\r\n\r\n",
        "431",
        &["431 head_too_large complete"],
    ),
    ("an absolute target", "GET http://x/status HTTP/1.1\r\nHost: x\r\n\r\n", "400", &["400 absolute_target complete"]),
    ("two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400", &["400 several_hosts complete"]),
    ("no host", "GET / HTTP/1.1\r\n\r\n", "400", &["400 no_host complete"]),
    ("a host that is none", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400", &["400 bad_host complete"]),
    ("an underscore", "GET / HTTP/1.1\r\nHost: x\r\nX_Y: z\r\n\r\n", "400", &["400 underscore_header complete"]),
    ("CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", "501", &["501 not_implemented complete"]),
    (
        "a coding beside chunked",
        "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "400",
        &["400 transfer_encoding complete"],
    ),
    ("a path too long", "GET /{many 5000 a} HTTP/1.1\r\nHost: x\r\n{reader}\r\n", "400", &["400 odd_path complete"]),
    ("a path that climbs", "GET /a/../status HTTP/1.1\r\nHost: x\r\n{reader}\r\n", "400", &["400 odd_path complete"]),
    ("an unknown path", "GET /nope HTTP/1.1\r\nHost: x\r\n{reader}\r\n", "404", &["404 unknown_path complete"]),
    ("another method", "PUT /status HTTP/1.1\r\nHost: x\r\n{reader}\r\n", "405", &["405 method_not_allowed complete"]),
    ("no token", "GET /status HTTP/1.1\r\nHost: x\r\n\r\n", "401", &["401 no_credentials complete"]),
    (
        "a token too long",
        "GET /status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {many 17000 a}\r\n\r\n",
        "401",
        &["401 token_too_large complete"],
    ),
    // The body.
    ("a body too long by its length", "{sql}Content-Length: 1001\r\n\r\n", "413", &["413 body_too_large complete"]),
    (
        "a body too long in chunks",
        "{sql}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{many 2000 x}\r\n0\r\n\r\n",
        "413",
        &["413 body_too_large complete"],
    ),
    (
        "ids of tasks past their own bound",
        "POST /druid/indexer/v1/taskStatus HTTP/1.1\r\nHost: x\r\n{reader}Content-Type: application/json\r\n\
         Content-Length: 501\r\n\r\n",
        "413",
        &["413 body_too_large complete"],
    ),
    (
        "a native query past its own bound",
        "POST /druid/v2 HTTP/1.1\r\nHost: x\r\n{reader}Content-Type: application/json\r\nContent-Length: 601\r\n\r\n",
        "413",
        &["413 body_too_large complete"],
    ),
    (
        "a form past its own bound",
        "POST /gate/login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2001\r\n\r\n",
        "413",
        &["413 body_too_large complete"],
    ),
    ("a body too slow", "{sql}Content-Length: 50\r\n\r\n{", "408", &["408 body_slow complete"]),
    ("a chunk that is none", "{sql}Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400", &["400 body_broken complete"]),
    (
        "two media types",
        "{sql}Content-Type: text/plain\r\nContent-Length: 8\r\n\r\nSELECT 1",
        "400",
        &["400 unsupported_media_type complete"],
    ),
    (
        "a coding that is not read",
        "{sql}Content-Encoding: br\r\nContent-Length: 8\r\n\r\nSELECT 1",
        "415",
        &["415 encoded_body complete"],
    ),
    (
        "gzip that is none",
        "{sql}Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nSELECT 1",
        "400",
        &["400 body_broken complete"],
    ),
    ("a body that is no JSON", "{sql}Content-Length: 1\r\n\r\n{", "400", &["400 odd_json complete"]),
    ("JSON that is too deep", "{sql}Content-Length: 999\r\n\r\n{many 999 [}", "400", &["400 odd_json complete"]),
];

/// The bytes of a text of [`TEXTS`].
fn bytes(text: &str, reader: &str) -> Vec<u8> {
    let authorization = format!("Authorization: Bearer {reader}\r\n");
    let sql = format!("POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\n");
    let mut text = text.replace("{reader}", &authorization).replace("{sql}", &sql);
    if let Some((before, rest)) = text.split_once("{many ") {
        let (count, rest) = rest.split_once(' ').expect("a number");
        let (what, after) = rest.rsplit_once('}').expect("an end");
        let many = what.repeat(count.parse().expect("a number"));
        text = format!("{before}{many}{after}");
    }
    text.into_bytes()
}

fn text_cases() -> Vec<Case> {
    let case = |(name, text, ends, records): (&str, &'static str, _, _)| {
        Case::new(name.to_owned(), ends, records, 8, move |house| house.send(&bytes(text, &house.reader)))
    };
    TEXTS.into_iter().map(case).collect()
}

fn case(name: &str, ends: &'static str, records: Records, act: impl Fn(&House) -> Seen + 'static) -> Case {
    Case::new(name.to_owned(), ends, records, 20, act)
}

/// Waits for the gate to end the connection.
fn until_closed(peer: std::net::SocketAddr, mut stream: impl Read) -> Seen {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let ends = if rest.is_empty() { "closed" } else { "something, then closed" };
    Seen { peer, ends: ends.to_owned(), answer: None }
}

/// Sends this and stays.
fn begin(house: &House, bytes: &[u8]) -> (std::net::SocketAddr, Box<dyn crate::client::Stream>) {
    let (peer, mut stream) = house.gate.connect_from().expect("connects");
    stream.write_all(bytes).expect("sent");
    stream.flush().expect("sent");
    (peer, stream)
}

const HEALTH: &[u8] = b"GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n";

/// A request that the Router answers only after the gate's patience.
fn slow(house: &House, user: &str) -> JoinHandle<u16> {
    let request = house.gate.get(PROBE).bearer(&token(user)).header("User-Agent", "never").bytes();
    let (gate, before) = (house.gate.clone(), house.standin.count());
    let asking = std::thread::spawn(move || gate.send_raw(&request).status);
    house.standin.await_count(before + 1);
    asking
}

fn all_are_504(running: Vec<JoinHandle<u16>>) {
    for request in running {
        assert_eq!(request.join().expect("answered"), 504);
    }
}

fn waiting_cases() -> Vec<Case> {
    vec![
        case("a head too slow", "closed", &["connection head_slow"], |house| {
            let (peer, stream) = begin(house, b"GET /status/health HTTP/1.1\r\n");
            until_closed(peer, stream)
        }),
        case("nothing at all after TLS", "closed", &["connection head_slow"], |house| {
            let (peer, stream) = begin(house, b"");
            until_closed(peer, stream)
        }),
        case(
            "a second head too slow",
            "something, then closed",
            &["200 - complete", "connection head_slow"],
            |house| {
                let (peer, mut stream) = begin(house, HEALTH);
                let _ = stream.read(&mut [0; 1]);
                stream.write_all(b"GET / HT").and_then(|()| stream.flush()).expect("sent");
                until_closed(peer, stream)
            },
        ),
        // Which is no fault.
        case("an idle connection", "something, then closed", &["200 - complete"], |house| {
            let (peer, stream) = begin(house, HEALTH);
            until_closed(peer, stream)
        }),
        case("TLS too slow", "closed", &["connection tls_slow"], |house| {
            let tcp = TcpStream::connect(house.gate.address()).expect("connects");
            until_closed(tcp.local_addr().expect("an address"), tcp)
        }),
        case("no TLS", "something, then closed", &["connection tls_failed"], |house| {
            let mut tcp = TcpStream::connect(house.gate.address()).expect("connects");
            tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
            until_closed(tcp.local_addr().expect("an address"), tcp)
        }),
        case("TLS cut off", "closed", &["connection tls_failed"], |house| {
            let tcp = TcpStream::connect(house.gate.address()).expect("connects");
            tcp.shutdown(Shutdown::Write).expect("shut");
            until_closed(tcp.local_addr().expect("an address"), tcp)
        }),
        case("a head cut off", "left", &["connection cut_off"], |house| {
            let (peer, _) = begin(house, b"GET /status HTTP/1.1\r\nHo");
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("a body cut off", "left", &["400 body_broken complete"], |house| {
            let (peer, _) = begin(house, &bytes("{sql}Content-Length: 50\r\n\r\n{", &house.reader));
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("a client that leaves before its answer", "left", &["- - client_left"], |house| {
            let before = house.standin.count();
            let request = house.gate.get(PROBE).bearer(&house.reader).header("User-Agent", "never");
            let (peer, stream) = begin(house, &request.bytes());
            house.standin.await_count(before + 1);
            drop(stream);
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("a client that takes nothing of its answer", "left", &["200 - not_taken"], |house| {
            let request = house.gate.get(PROBE).bearer(&house.reader).header("User-Agent", "endless");
            let (peer, stream) = begin(house, &request.bytes());
            // It is still there when the gate has had enough.
            std::thread::sleep(Duration::from_secs(6));
            drop(stream);
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("a client that leaves within its answer", "left", &["200 - client_left"], |house| {
            let request = house.gate.get(PROBE).bearer(&house.reader).header("User-Agent", "endless");
            let (peer, mut stream) = begin(house, &request.bytes());
            stream.read_exact(&mut [0; 100_000]).expect("a beginning");
            Seen { peer, ends: "left".to_owned(), answer: None }
        }),
        case("too many of one caller", "429", &["429 too_many_of_caller complete"], |house| {
            let running = vec![slow(house, "reader"), slow(house, "reader")];
            let seen = house.send(&house.gate.get(PROBE).bearer(&house.reader).bytes());
            house.gate.get(PROBE).bearer(&token("writer")).send().expect(200);
            all_are_504(running);
            seen
        }),
        case("too many requests", "503", &["503 too_many_requests complete"], |house| {
            let running = ["reader", "reader", "writer", "writer"].map(|user| slow(house, user));
            let seen = house.send(&house.gate.get(PROBE).bearer(&token("nobody")).bytes());
            house.gate.get("/status/health").send().expect(200);
            all_are_504(running.into());
            seen
        }),
        case("too many connections of one address", "closed", &["connection too_many_connections_of_peer"], |house| {
            let held: Vec<_> = (0..12).map(|_| begin(house, HEALTH)).collect();
            let tcp = TcpStream::connect(house.gate.address()).expect("connects");
            let seen = until_closed(tcp.local_addr().expect("an address"), tcp);
            for (_, mut stream) in held {
                assert_eq!(read_answer(&mut *stream).expect("an answer").status, 200);
            }
            seen
        }),
    ]
}

pub fn client_cases() -> Vec<Case> {
    [text_cases(), waiting_cases()].into_iter().flatten().collect()
}

#[test]
fn limits_on_clients_hold_and_are_recorded() {
    run(&House::start(LIMITS), &client_cases());
}

#[test]
fn too_many_connections_are_closed_and_recorded() {
    let house = House::start("connections = 6");
    let refused = case("too many connections", "closed", &["connection too_many_connections"], |house| {
        let held: Vec<_> = (0..6).map(|_| begin(house, HEALTH)).collect();
        let tcp = TcpStream::connect(house.gate.address()).expect("connects");
        let seen = until_closed(tcp.local_addr().expect("an address"), tcp);
        drop(held);
        seen
    });
    run(&house, &[refused]);
}
