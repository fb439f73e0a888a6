//! The bed, its two ends, and what tests ask of both.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use msq_gate_bed::{Bed, GateOptions, GateProcess};
use serde_json::{Value, json};

use crate::client::{Answer, Request, Server};

/// A task of this bed starts, runs and ends within this time, also beside all other tests.
const TASK_BOUND: Duration = Duration::from_secs(120);

/// The real parts, up once for all tests.
pub static BED: LazyLock<&'static Bed> = LazyLock::new(Bed::ensure);

/// The gate of the bed.
pub static GATE: LazyLock<Server> = LazyLock::new(|| Server::new(&BED.gate, &BED.ca));

/// Its Router, asked directly.
pub static ROUTER: LazyLock<Server> = LazyLock::new(|| Server::new(&BED.router, &BED.ca));

pub fn token(user: &str) -> String {
    BED.user(user).unwrap_or_else(|error| panic!("{error}")).token
}

pub fn password(user: &str) -> String {
    BED.user(user).unwrap_or_else(|error| panic!("{error}")).password
}

/// One of the two ends at which a user can ask.
#[derive(Clone, Copy)]
pub enum End<'a> {
    /// A gate, with the user's token.
    Gate(&'a Server),
    /// The Router, with the user's password.
    Direct,
}

impl End<'_> {
    /// A request of this user; `None` comes without credentials.
    pub fn ask<'a>(&'a self, user: Option<&str>, method: &'a str, target: &'a str) -> Request<'a> {
        match (self, user) {
            (Self::Gate(gate), Some(user)) => gate.request(method, target).bearer(&token(user)),
            (Self::Gate(gate), None) => gate.request(method, target),
            (Self::Direct, Some(user)) => ROUTER.request(method, target).basic(user, &password(user)),
            (Self::Direct, None) => ROUTER.request(method, target),
        }
    }
}

pub fn gate() -> End<'static> {
    End::Gate(&GATE)
}

/// The body of a SQL request.
pub fn sql(text: &str) -> Value {
    json!({"query": text, "context": {"executionMode": "async", "maxNumTasks": 2}})
}

/// Submits as an MSQ task and gives its id.
pub fn submit_task(end: End<'_>, user: &str, text: &str) -> String {
    let answer = end.ask(Some(user), "POST", "/druid/v2/sql/task").json(&sql(text)).send().expect(202);
    answer.json()["taskId"].as_str().expect("an id").to_owned()
}

/// The id of the task that a successful submission started, whichever the endpoint.
pub fn started(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let id = body.get("taskId").or_else(|| body.get("queryId"))?.as_str()?;
    (answer.status < 300).then(|| id.to_owned())
}

/// What the Overlord says of a task.
pub fn task_state(id: &str) -> String {
    let target = format!("/druid/indexer/v1/task/{id}/status");
    let answer = End::Direct.ask(Some("admin"), "GET", &target).send();
    if answer.status != 200 {
        return format!("status {}", answer.status);
    }
    answer.json()["status"]["status"].as_str().unwrap_or("none").to_owned()
}

/// Waits until the task is in one of these states.
pub fn await_state(id: &str, wanted: &[&str]) -> String {
    let start = Instant::now();
    loop {
        let state = task_state(id);
        if wanted.contains(&state.as_str()) {
            return state;
        }
        assert!(start.elapsed() < TASK_BOUND, "{id} is {state}, not {wanted:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Ends a task; that it has ended already is as good.
pub fn cancel(id: &str) {
    let target = format!("/druid/indexer/v1/task/{id}/shutdown");
    End::Direct.ask(Some("admin"), "POST", &target).json(&json!({})).send();
}

/// A `noop` task in this datasource, posted past the gate, that runs until it is cancelled.
pub fn post_noop(user: &str, id: &str, datasource: &str) {
    let spec = json!({"type": "noop", "id": id, "dataSource": datasource, "runTime": 600_000});
    End::Direct.ask(Some(user), "POST", "/druid/indexer/v1/task").json(&spec).send().expect(200);
}

/// What the bed's own gate was told.
pub fn options() -> GateOptions {
    // The bed must be up before it can say.
    LazyLock::force(&BED);
    GateOptions::of_bed().unwrap_or_else(|error| panic!("{error}"))
}

/// A gate of the test's own, with this configuration.
pub fn own_gate(options: GateOptions) -> (GateProcess, Server) {
    let process = GateProcess::start(&options).unwrap_or_else(|error| panic!("{error}"));
    let server = Server::new(&process.url, &BED.ca);
    (process, server)
}

/// A gate of the test's own that lets EXTERN read what is listed.
pub fn listing_gate(destinations: &[&str]) -> (GateProcess, Server) {
    let more = format!("[sql]\nexternal_destinations = {}\n", json!(destinations));
    own_gate(GateOptions { more, ..options() })
}

/// A name that no other test has.
pub fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    format!("{prefix}{}x{}", since.as_millis(), NEXT.fetch_add(1, Ordering::Relaxed))
}
