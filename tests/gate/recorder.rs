//! A stand-in for a Router that keeps the bytes of every request: what really arrives upstream.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::standin::{ARRIVAL_BOUND, listen};

/// The stand-in. Tasks whose id begins with `wiki` are queries' tasks in datasource wiki, `noop` ones are noop tasks in
/// wiki, `secret` ones are in datasource secret; others are unknown. Supervisors whose id begins with `secret` are about
/// datasource secret.
pub struct Recorder {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

impl Recorder {
    pub fn start() -> Self {
        Self::slow(Duration::ZERO)
    }

    /// One that answers after this time.
    pub fn slow(delay: Duration) -> Self {
        let told = Arc::<Mutex<Vec<_>>>::default();
        let answers = Arc::clone(&told);
        let (url, requests) = listen(move |stream, kept| serve(stream, kept, &answers, delay));
        Self { url, requests, told }
    }

    /// From now on this is the answer to a GET of this target.
    pub fn answers(&self, target: &str, json: &Value) {
        let start = format!("GET {target} ");
        let mut told = self.told.lock().expect("lock");
        told.retain(|(known, _)| *known != start);
        told.push((start, json.to_string()));
    }

    /// Waits until a request has come.
    pub fn await_request(&self) {
        let start = Instant::now();
        while self.requests.lock().expect("lock").is_empty() {
            assert!(start.elapsed() < ARRIVAL_BOUND, "no request came");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What came since the last call, look-ups left out.
    pub fn take(&self) -> Vec<String> {
        let all = std::mem::take(&mut *self.requests.lock().expect("lock"));
        all.into_iter().filter(|request| !is_lookup(request)).collect()
    }
}

/// The gate's own look-up: it names no author.
fn is_lookup(request: &str) -> bool {
    let asks = ["GET /druid/indexer/v1/task/", "GET /druid/indexer/v1/supervisor/"];
    asks.iter().any(|ask| request.starts_with(ask)) && !request.contains("x-druid-author")
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<String>>, told: &Mutex<Vec<(String, String)>>, delay: Duration) {
    let mut bytes = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut bytes) {
        let (status, media_type, mut body) = answer(&request);
        if let Some((_, json)) = told.lock().expect("lock").iter().find(|(start, _)| request.starts_with(start)) {
            body.clone_from(json);
        }
        // The gate asks for the Router's health by itself.
        let is_health = request.starts_with("GET /status/health ");
        if !is_health {
            kept.lock().expect("lock").push(request);
        }
        std::thread::sleep(if is_health { Duration::ZERO } else { delay });
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nSet-Cookie: druid=1\r\nETag: \"x\"\r\n\
             WWW-Authenticate: Basic\r\nX-Druid-SQL-Query-Id: theirs\r\nX-Hop: 1\r\nConnection: keep-alive, x-hop\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<String> {
    let mut buffer = [0; 64 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let whole = if head.contains("\r\ntransfer-encoding: chunked") {
                let last = bytes.windows(5).position(|window| window == b"0\r\n\r\n");
                last.map_or(usize::MAX, |last| last + 5)
            } else {
                let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                end + 4 + length.unwrap_or(0)
            };
            if bytes.len() >= whole {
                return Some(String::from_utf8_lossy(&bytes.drain(..whole).collect::<Vec<_>>()).into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn answer(request: &str) -> (&'static str, &'static str, String) {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let id = path.strip_prefix("/druid/indexer/v1/task/").and_then(|rest| rest.strip_suffix("/status"));
    match id {
        Some(id) => {
            let (kind, datasource) = match id {
                id if id.starts_with("wiki") => ("query_controller", "wiki"),
                id if id.starts_with("noop") => ("noop", "wiki"),
                id if id.starts_with("secret") => ("query_controller", "secret"),
                _ => return ("404 Not Found", "text/plain", "Cannot find any task".to_owned()),
            };
            let id = id.replace("%20", " ");
            let body =
                format!(r#"{{"task":"{id}","status":{{"id":"{id}","type":"{kind}","dataSource":"{datasource}"}}}}"#);
            ("200 OK", "application/json", body)
        }
        None if path.starts_with("/druid/indexer/v1/supervisor/secret") => {
            let spec = r#"{"type":"kafka","spec":{"dataSchema":{"dataSource":"secret"}}}"#;
            ("200 OK", "application/json", spec.to_owned())
        }
        None if path.starts_with("/druid/indexer/v1/supervisor/") => {
            ("404 Not Found", "text/plain", "Cannot find any supervisor".to_owned())
        }
        None => ("200 OK", "application/json", other(path).to_owned()),
    }
}

/// What newer Druids, and extensions, answer where the bed's cannot be asked.
fn other(path: &str) -> &'static str {
    match path {
        "/druid/indexer/v1/tasks" => "[]",
        "/druid/indexer/v1/compaction/status/datasources" => {
            r#"{"latestStatus":[{"dataSource":"secret","bytes":1},{"dataSource":"wiki","bytes":2}]}"#
        }
        "/druid/indexer/v1/compaction/config/datasources" => {
            r#"{"compactionConfigs":[{"dataSource":"wiki"},{"dataSource":"secret"}]}"#
        }
        "/druid/coordinator/v1/metadata/dataSourceInformation" => {
            r#"[{"dataSource":"secret","rowSignature":[]},{"dataSource":"wiki","rowSignature":[]}]"#
        }
        "/druid/coordinator/v1/catalog/schemas" => {
            r#"[{"schema":"druid","name":"wiki"},{"schema":"druid","name":"secret"},{"schema":"ext","name":"wiki"}]"#
        }
        "/druid/coordinator/v1/catalog/schemas/druid/tables" | "/druid/coordinator/v1/catalog/schemas/view/tables" => {
            r#"["secret","wiki"]"#
        }
        _ => r#"{"ok":true}"#,
    }
}
