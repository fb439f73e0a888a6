//! What of Druid is not served, and why: nothing here is an oversight.

use http::Method;

use crate::druid::row::Unserved;

const ANY: &[Method] = &[Method::GET, Method::POST, Method::DELETE];

const fn get(path: &'static str, reason: &'static str) -> Unserved {
    Unserved { methods: &[Method::GET], path, reason }
}

const fn post(path: &'static str, reason: &'static str) -> Unserved {
    Unserved { methods: &[Method::POST], path, reason }
}

const fn any(path: &'static str, reason: &'static str) -> Unserved {
    Unserved { methods: ANY, path, reason }
}

const INTERNAL: &str = "what Druid's services say to each other";
const NOT_ROUTED: &str = "no Router leads there";
/// Who could change Druid's accounts could change the gate's own, and read what all are hashed to.
const ACCOUNTS: &str = "Druid's accounts: the gate's own is among them, and people are in the gate's policy";
const DART: &str = "Druid 31 to 33 only; newer ones take the context's engine on /druid/v2/sql";
const TESTING: &str = "for tests of Druid itself";
const ELSEWHERE: &str = "the Router's redirect to /unified-console.html";

/// Every endpoint that Druid has and the gate does not serve, under `/proxy/coordinator` and `/proxy/overlord` neither.
pub static UNSERVED: &[Unserved] = &[
    post(
        "/druid/v2/sql/avatica-protobuf",
        "its body is protobuf, and JDBC is served as JSON, on /druid/v2/sql/avatica/",
    ),
    any("/druid/v2/sql/dart", DART),
    any("/druid/v2/sql/dart/{rest*}", DART),
    post(
        "/druid/indexer/v1/action",
        "any change to any segment or lock, in the name of a task that the caller makes up",
    ),
    post("/druid/coordinator/v1/metadata/bootstrapSegments", INTERNAL),
    get("/druid/coordinator/v1/catalog/sync/{rest*}", INTERNAL),
    any("/druid-ext/basic-security/{rest*}", ACCOUNTS),
    get("/druid-ext/druid-pac4j/callback", "who signs in does it at the gate"),
    any("/druid-internal/{rest*}", INTERNAL),
    get("/index.html", ELSEWHERE),
    get("/console.html", ELSEWHERE),
    get("/old-console.html", ELSEWHERE),
    any("/druid-ext/testing-tools/{rest*}", TESTING),
    any("/quidem/{rest*}", TESTING),
    post("/druid/indexer/v1/supervisor/{id}/resetToLatestAndBackfill", "newer than Druid 37"),
    any("/druid/broker/{rest*}", NOT_ROUTED),
    any("/druid/listen/{rest*}", NOT_ROUTED),
    any("/druid/historical/{rest*}", NOT_ROUTED),
    any("/druid/worker/{rest*}", NOT_ROUTED),
    any("/druid/dart-worker/{rest*}", NOT_ROUTED),
];
