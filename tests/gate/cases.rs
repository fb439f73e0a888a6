//! Faults and limits as named cases. What each must show: how it ends, within which time; the records of its connection,
//! exactly these; the gate's peak memory; and that the next request is served.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use msq_gate_bed::{GateOptions, GateProcess};
use serde_json::Value;

use crate::client::{Answer, Server, read_answer};
use crate::standin::StandIn;
use crate::support::{options, own_gate, token};

pub const PROBE: &str = "/druid/v2/sql/task/enabled";

/// A record is written within this time, also beside all other tests.
const RECORD_BOUND: Duration = Duration::from_secs(10);

/// Bytes that no case may bring a debug build of the gate to. An idle one has some 16 MB of them.
const PEAK_BOUND: u64 = 48 * 1024 * 1024;

/// A gate in front of a Router that misbehaves.
pub struct House {
    pub standin: StandIn,
    pub process: GateProcess,
    pub gate: Server,
    pub reader: String,
}

/// See [`Case::records`].
pub type Records = &'static [&'static str];

/// One fault or limit.
pub struct Case {
    pub name: String,
    /// Does it, on one connection.
    pub act: Box<dyn Fn(&House) -> Seen>,
    /// See [`Seen::ends`]; several with `|` between them where it depends on which byte is first.
    pub ends: &'static str,
    /// What [`Record::in_short`] makes of each record of the connection, in any order.
    pub records: Records,
    /// Seconds.
    pub within: u64,
}

impl Case {
    /// One that ends within so many seconds.
    pub fn new(
        name: String,
        ends: &'static str,
        records: Records,
        within: u64,
        act: impl Fn(&House) -> Seen + 'static,
    ) -> Self {
        Self { name, act: Box::new(act), ends, records, within }
    }
}

/// What a client saw of its connection.
pub struct Seen {
    pub peer: SocketAddr,
    /// A status; `broken` and a status, whose body did not come whole; `closed` where there was no answer; on HTTP/2 what
    /// `h2.rs` says; `left` where the client did not wait.
    pub ends: String,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
}

impl House {
    pub fn start(limits: &str) -> Self {
        let standin = StandIn::start();
        let more = format!("[limits]\n{limits}\n");
        let (process, gate) = own_gate(GateOptions { router_url: standin.url.clone(), more, ..options() });
        Self { standin, process, gate, reader: token("reader") }
    }

    pub fn alive(&self) {
        self.gate.get(PROBE).bearer(&self.reader).send().expect(200);
    }

    /// Sends these bytes on a connection of their own and reads one answer.
    pub fn send(&self, bytes: &[u8]) -> Seen {
        let (peer, mut stream) = self.gate.connect_from().expect("connects");
        // A server that answers before it has read everything may close meanwhile.
        let _ = stream.write_all(bytes);
        let _ = stream.flush();
        let answer = read_answer(&mut *stream).ok();
        let ends = answer.as_ref().map_or("closed".to_owned(), |answer| {
            let word = if answer.whole { "" } else { "broken " };
            format!("{word}{}", answer.status)
        });
        Seen { peer, ends, answer }
    }

    /// The records of this connection, in short, sorted; those before this place in the file are another's of its port.
    fn records(&self, peer: SocketAddr, from: usize) -> Vec<String> {
        let text = fs::read_to_string(&self.process.audit).expect("audit");
        let text = text.get(from..).unwrap_or_default();
        // The last line may be half written.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let records = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let mut own: Vec<String> =
            records.filter(|record| record["peer"] == peer.to_string()).map(|it| in_short(&it)).collect();
        own.sort();
        own
    }

    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.process.pid()))
    }

    /// From now on the peak is counted anew.
    fn forget_peak(&self) {
        fs::write(self.proc("clear_refs"), "5").expect("of this user");
    }

    /// The most memory that the gate had since, in bytes.
    pub fn peak(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }
}

/// `connection` and its reason; or status, reason and end of a request.
fn in_short(record: &Value) -> String {
    let word = |key: &str| record[key].as_str().unwrap_or("-").to_owned();
    match record["connection"].as_str() {
        Some(reason) => format!("connection {reason}"),
        None => {
            let status = record["status"].as_u64().map_or("-".to_owned(), |status| status.to_string());
            format!("{status} {} {}", word("reason"), word("end"))
        }
    }
}

/// Whether these are the records that are expected; `*` is any number of requests'.
fn fit(found: &[String], expected: &[&str]) -> bool {
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    if !expected.contains(&"*") {
        return found == expected;
    }
    let of_connection: Vec<_> = found.iter().filter(|record| record.starts_with("connection ")).collect();
    expected.retain(|record| *record != "*");
    of_connection == expected
}

/// A case that was tried: the connection, and where in the file its records begin.
struct Tried<'c> {
    case: &'c Case,
    peer: SocketAddr,
    from: usize,
}

/// Tries each case and tells all that is wrong.
pub fn run(house: &House, cases: &[Case]) {
    let (mut tried, mut faults, mut greatest) = (Vec::new(), Vec::new(), 0);
    for case in cases {
        match attempt(house, case) {
            Ok((one, peak)) => {
                tried.push(one);
                greatest = greatest.max(peak);
            }
            Err(fault) => faults.push(format!("{}: {fault}", case.name)),
        }
        house.alive();
    }
    // Nor did another record come later.
    for Tried { case, peer, from } in tried {
        let found = house.records(peer, from);
        if !fit(&found, case.records) {
            faults.push(format!("{}: at last {found:?}, not {:?}", case.name, case.records));
        }
    }
    println!("{} cases; the gate had {} MB at most", cases.len(), greatest / 1024 / 1024);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn attempt<'c>(house: &House, case: &'c Case) -> Result<(Tried<'c>, u64), String> {
    let from = fs::metadata(&house.process.audit).expect("audit").len() as usize;
    house.forget_peak();
    let start = Instant::now();
    let seen = (case.act)(house);
    let took = start.elapsed();
    let told = seen.answer.as_ref().map(Answer::text);
    if case.ends.split('|').all(|ends| ends != seen.ends) {
        return Err(format!("{}, not {}: {told:?}", seen.ends, case.ends));
    }
    if took > Duration::from_secs(case.within) {
        return Err(format!("it took {took:?}"));
    }
    let since = Instant::now();
    loop {
        let found = house.records(seen.peer, from);
        if fit(&found, case.records) {
            break;
        }
        if since.elapsed() > RECORD_BOUND {
            return Err(format!("records {found:?}, not {:?}", case.records));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    if let Some(answer) = &seen.answer {
        is_in_order(&case.name, answer, case.records);
    }
    let peak = house.peak();
    if peak > PEAK_BOUND {
        return Err(format!("{peak} bytes"));
    }
    Ok((Tried { case, peer: seen.peer, from }, peak))
}

/// What holds for every answer: nothing of Druid's comes with it that should not, and the gate's own tells which it is.
fn is_in_order(name: &str, answer: &Answer, records: &[&str]) {
    for header in ["WWW-Authenticate", "Trailer", "Set-Cookie"] {
        assert_eq!(answer.header(header).filter(|_| answer.status != 401), None, "{name}: {header}");
    }
    let text = answer.text();
    assert!(!text.contains("secret") && !text.contains("internal"), "{name}: {text}");
    let is_own =
        records.iter().any(|record| record.starts_with(&format!("{} ", answer.status)) && !record.contains(" - "));
    if is_own && matches!(answer.status, 502..=504) {
        let id = answer.header("X-Request-Id").expect("an id");
        assert!(text.contains(id), "{name}: the body tells the request id: {text}");
    }
    if matches!(answer.status, 429 | 503) && is_own {
        assert!(answer.header("Retry-After").is_some(), "{name}");
    }
}
