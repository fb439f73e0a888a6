//! What goes wrong behind the gate.

use msq_gate_bed::GateOptions;

use crate::cases::{Case, House, PROBE, run};
use crate::standin::StandIn;
use crate::support::{options, own_gate, token};

const LIST: &str = "/druid/indexer/v1/tasks";

/// What breaks before its first bytes have left is a close without an answer.
const BREAKS: &str = "broken 200|closed";

/// What the Router does, the path, what the client sees, the records.
type RouterFault = (&'static str, &'static str, &'static str, &'static [&'static str]);

const ROUTER_FAULTS: [RouterFault; 36] = [
    ("closes", PROBE, "502", &["502 router_unreachable complete"]),
    ("half-head", PROBE, "502", &["502 router_unreachable complete"]),
    ("garbage", PROBE, "502", &["502 router_unreachable complete"]),
    ("long-head", PROBE, "502", &["502 router_unreachable complete"]),
    ("two-lengths", PROBE, "502", &["502 router_unreachable complete"]),
    ("upgrade", PROBE, "502", &["502 router_upgrade complete"]),
    ("never", PROBE, "504", &["504 router_slow complete"]),
    ("cut-length", PROBE, BREAKS, &["200 - broken_upstream"]),
    ("cut-chunked", PROBE, BREAKS, &["200 - broken_upstream"]),
    ("bad-chunk", PROBE, BREAKS, &["200 - broken_upstream"]),
    ("silent", PROBE, BREAKS, &["200 - broken_upstream"]),
    ("trailers", PROBE, "200", &["200 - complete"]),
    ("informational", PROBE, "200", &["200 - complete"]),
    ("leader", PROBE, "503", &["503 no_leader complete"]),
    ("moved", PROBE, "502", &["502 router_redirect complete"]),
    ("found", PROBE, "502", &["502 router_redirect complete"]),
    ("permanent", PROBE, "502", &["502 router_redirect complete"]),
    ("account", PROBE, "502", &["502 own_account_refused complete"]),
    ("error", PROBE, "500", &["500 - complete"]),
    ("forbidden", PROBE, "403", &["403 - complete"]),
    ("unavailable", PROBE, "503", &["503 - complete"]),
    ("no-content", PROBE, "204", &["204 - complete"]),
    ("list-gzip", LIST, "502", &["502 unreadable_answer complete"]),
    ("list-html", LIST, "502", &["502 unreadable_answer complete"]),
    ("list-object", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-nameless", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-twice", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-cut", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-more", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-long", LIST, BREAKS, &["200 - broken_upstream"]),
    ("list-huge", LIST, BREAKS, &["200 - broken_upstream"]),
    ("task-other", "/druid/indexer/v1/task/task-other", "503", &["503 lookup_unreadable complete"]),
    ("task-null", "/druid/indexer/v1/task/task-null", "503", &["503 lookup_unreadable complete"]),
    ("task error", "/druid/indexer/v1/task/error", "503", &["503 lookup_unreadable complete"]),
    ("task closes", "/druid/indexer/v1/task/closes", "503", &["503 lookup_unreachable complete"]),
    ("task never", "/druid/indexer/v1/task/never", "503", &["503 lookup_unreachable complete"]),
];

pub fn router_cases() -> Vec<Case> {
    let case = |(mode, path, ends, records): RouterFault| {
        let user_agent = if path.starts_with("/druid/indexer/v1/task/") { "well" } else { mode };
        let act = move |house: &House| {
            let request = house.gate.get(path).bearer(&house.reader).header("User-Agent", user_agent);
            let seen = house.send(&request.bytes());
            let retry = seen.answer.as_ref().and_then(|answer| answer.header("Retry-After"));
            assert!(mode != "leader" || retry == Some("1"), "{retry:?}");
            let location = seen.answer.as_ref().and_then(|answer| answer.header("Location"));
            assert_eq!(location, None, "{mode}");
            seen
        };
        Case::new(mode.to_owned(), ends, records, 10, act)
    };
    ROUTER_FAULTS.into_iter().map(case).collect()
}

/// The bounds are low, so that the cases are over soon: a list of 100,000 tasks is too long here.
#[test]
fn faults_of_the_router_are_told_and_recorded() {
    let limits = "router_response_seconds = 2\nrouter_idle_seconds = 2\nlookup_seconds = 2\n\
                  list_item_bytes = 1000000\nlist_bytes = 5000000";
    run(&House::start(limits), &router_cases());
}

#[test]
fn a_router_that_is_down_is_502_until_it_is_there() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", gone.local_addr().expect("bound"));
    drop(gone);
    let (_process, gate) = own_gate(GateOptions { router_url: url, ..options() });
    gate.get(PROBE).bearer(&token("reader")).send().expect(502);
    let lookup = gate.get("/druid/indexer/v1/task/x/status").bearer(&token("reader")).send().expect(503);
    assert_eq!(lookup.header("Retry-After"), Some("1"));
    gate.get("/status/health").send().expect(200);
}

/// Of several Routers another one is tried where nothing was sent, or where the request is safe; never otherwise.
#[test]
fn requests_are_repeated_only_where_that_is_safe() {
    let (first, second) = (StandIn::start(), StandIn::start());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let down = format!("http://{}", gone.local_addr().expect("bound"));
    drop(gone);
    let two = |a: &str, b: &str| {
        let router_url = format!("{a} {b}");
        own_gate(GateOptions { router_url, ..options() })
    };
    let reader = token("reader");
    let body = serde_json::json!({"query": "SELECT 1"});
    {
        let (_process, gate) = two(&down, &first.url);
        for _ in 0..3 {
            gate.get(PROBE).bearer(&reader).send().expect(200);
            gate.post("/druid/v2/sql").bearer(&reader).json(&body).send().expect(200);
        }
        assert_eq!(first.take().len(), 6);
    }
    let (_process, gate) = two(&first.url, &second.url);
    let count = || first.take().len() + second.take().len();
    gate.get(PROBE).bearer(&reader).header("User-Agent", "closes").send().expect(502);
    assert!(count() >= 2, "a safe request was tried at both");
    gate.post("/druid/v2/sql").bearer(&reader).header("User-Agent", "closes").json(&body).send().expect(502);
    assert_eq!(count(), 1, "a submission was sent once");
}
