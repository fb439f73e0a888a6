//! A Router that misbehaves: each request says in its User-Agent what is to be done to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Items of the huge list, every other one in datasource wiki.
pub const HUGE: usize = 100_000;

/// How long the huge list pauses after its first thousand items.
pub const PAUSE: Duration = Duration::from_secs(1);

pub struct StandIn {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// No request of a test takes longer to arrive.
pub const ARRIVAL_BOUND: Duration = Duration::from_secs(10);

impl StandIn {
    pub fn start() -> Self {
        let (url, requests) = listen(serve);
        Self { url, requests }
    }

    /// The request lines that came since the last call, the gate's own questions after health left out.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().expect("lock"))
    }
}

impl StandIn {
    /// How many requests have come since they were taken.
    pub fn count(&self) -> usize {
        self.requests.lock().expect("lock").len()
    }

    /// Waits until so many have come.
    pub fn await_count(&self, count: usize) {
        assert!(self.has_count_within(count, ARRIVAL_BOUND), "no request came");
    }

    /// Whether so many come soon.
    pub fn has_count(&self, count: usize) -> bool {
        self.has_count_within(count, Duration::from_secs(3))
    }

    fn has_count_within(&self, count: usize, bound: Duration) -> bool {
        let start = Instant::now();
        while self.count() < count {
            if start.elapsed() > bound {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

/// The URL under which each connection is served, and what is kept of its requests.
pub fn listen(
    serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Clone + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let requests = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (kept, serve) = (Arc::clone(&kept), serve.clone());
            std::thread::spawn(move || serve(stream, &kept));
        }
    });
    (url, requests)
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<String>>) {
    while let Some(request) = read_request(&mut stream) {
        let line = request.lines().next().unwrap_or_default().to_owned();
        if line.starts_with("GET /status/health ") {
            respond(&mut stream, "200 OK", "Content-Type: application/json", "true");
            continue;
        }
        kept.lock().expect("lock").push(line.clone());
        let mode = request.lines().find_map(|line| line.strip_prefix("user-agent: ")).unwrap_or("well").to_owned();
        // A look-up of a task carries no header of the caller's; the task's id says what is to be done to it.
        let mode = line
            .strip_prefix("GET /druid/indexer/v1/task/")
            .map_or(mode.clone(), |rest| rest.split(['/', ' ']).next().unwrap_or(&mode).to_owned());
        if !misbehave(&mut stream, &mode) {
            return;
        }
    }
}

/// Whether the connection goes on.
fn misbehave(stream: &mut TcpStream, mode: &str) -> bool {
    let json = "Content-Type: application/json";
    let task = r#"{"dataSource":"wiki"}"#;
    let mut raw = |bytes: &[u8]| {
        let _ = stream.write_all(bytes);
        false
    };
    match mode {
        "closes" => false,
        "half-head" => raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        "garbage" => raw(b"\x00\x01\x02 this is not HTTP\r\n\r\n"),
        "never" => {
            std::thread::sleep(Duration::from_secs(20));
            false
        }
        "cut-length" => raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":"),
        "cut-chunked" => {
            raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n")
        }
        "bad-chunk" => raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n"),
        "silent" => {
            raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":");
            std::thread::sleep(Duration::from_secs(20));
            false
        }
        "endless" => {
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while stream.write_all(chunk.as_bytes()).is_ok() {}
            false
        }
        "trailers" => raw(
            b"HTTP/1.1 200 OK\r\nTrailer: X-Trailer\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        ),
        "informational" => raw(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        ),
        "long-head" => raw(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1_000_000)).as_bytes()),
        "upgrade" => raw(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        "two-lengths" => raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}xyz"),
        "leader" => respond(stream, "307 Temporary Redirect", "Location: http://internal:8090/druid/x", ""),
        "moved" => respond(stream, "301 Moved Permanently", "Location: http://internal:8090/x", ""),
        "found" => respond(stream, "302 Found", "Location: /elsewhere", ""),
        "permanent" => respond(stream, "308 Permanent Redirect", "Location: http://internal/", ""),
        "account" => respond(stream, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"druid\"", "{}"),
        "error" => respond(stream, "500 Internal Server Error", json, r#"{"error":"druid's own"}"#),
        "forbidden" => respond(stream, "403 Forbidden", json, r#"{"error":"druid's own"}"#),
        "unavailable" => respond(stream, "503 Service Unavailable", json, "{}"),
        "no-content" => respond(stream, "204 No Content", "X: 1", ""),
        "list-gzip" => respond(stream, "200 OK", "Content-Type: application/json\r\nContent-Encoding: gzip", "[]"),
        "list-html" => respond(stream, "200 OK", "Content-Type: text/html", "[]"),
        "list-object" => respond(stream, "200 OK", json, r#"{"dataSource":"secret"}"#),
        "list-nameless" => respond(stream, "200 OK", json, &format!(r#"[{task},{{"id":"secret"}},{task}]"#)),
        "list-twice" => respond(stream, "200 OK", json, r#"[{"dataSource":"wiki","dataSource":"secret"}]"#),
        "list-cut" => respond(stream, "200 OK", json, &format!(r#"[{task},{task}"#)),
        "list-more" => respond(stream, "200 OK", json, &format!(r#"[{task}]{{"dataSource":"secret"}}"#)),
        "list-long" => respond(stream, "200 OK", json, &format!(r#"[{{"x":"{}"}}]"#, "x".repeat(17 * 1024 * 1024))),
        "list-huge" => {
            raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n");
            for thousand in 0..HUGE / 1000 {
                let item = |n| {
                    let datasource = if n % 2 == 0 { "wiki" } else { "secret" };
                    let comma = if n == 0 { "" } else { "," };
                    format!(r#"{comma}{{"id":"task{n}","dataSource":"{datasource}","errorMsg":"{}"}}"#, "x".repeat(300))
                };
                let items: String = (thousand * 1000..thousand * 1000 + 1000).map(item).collect();
                let _ = stream.write_all(format!("{:x}\r\n{items}\r\n", items.len()).as_bytes());
                if thousand == 0 {
                    std::thread::sleep(PAUSE);
                }
            }
            stream.write_all(b"1\r\n]\r\n0\r\n\r\n").is_ok()
        }
        "task-other" => respond(stream, "200 OK", json, r#"{"task":"x","status":{"type":"noop","dataSource":"wiki"}}"#),
        "task-null" => respond(stream, "200 OK", json, r#"{"task":"task-null","status":null}"#),
        _ => respond(stream, "200 OK", json, "[]"),
    }
}

fn respond(stream: &mut TcpStream, status: &str, header: &str, body: &str) -> bool {
    let head = format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_ok()
}

/// The head of the next request; its body, if it has one, is read and left out.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head)
}
