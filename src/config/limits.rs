//! The section `[limits]`: what is bounded by count, size or time.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::toml_reader::{Report, Section};

/// What is bounded, and how far. Each has a default, so the section may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time: some 100 KB each when busy. Past it a connection is closed at once.
    pub connections: usize,
    /// Connections at a time from one address; many callers may share one behind a translating router.
    pub connections_per_peer: usize,
    /// Requests at a time. Past it: 503.
    pub requests: usize,
    /// Requests at a time of one caller. Past it: 429.
    pub requests_per_caller: usize,
    /// Bytes of a SQL request's body. Past it: 413.
    pub sql_body_bytes: usize,
    /// The wait for the whole head of a request, and for the next request on an HTTP/1.1 connection.
    pub head: Duration,
    /// The wait for the whole body of a request. Past it: 408.
    pub body: Duration,
    /// How long a client may take nothing of an answer, and an HTTP/2 connection may carry no request.
    pub idle: Duration,
    /// Streams at a time on one HTTP/2 connection (RFC 9113 recommends no less than 100).
    pub streams: u32,
    /// Streams that a client may reset before they were served (CVE-2023-44487).
    pub pending_resets: usize,
    /// Connecting to a Router: one that is there takes milliseconds.
    pub router_connect: Duration,
    /// The wait for the head of Druid's answer. Druid ends queries after 5 minutes unless the client asks for more.
    pub router_response: Duration,
    /// How long Druid may send nothing in the middle of an answer.
    pub router_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_peer: 1024,
            requests: 4096,
            requests_per_caller: 256,
            sql_body_bytes: 4 * 1024 * 1024,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            streams: 100,
            pending_resets: 20,
            router_connect: Duration::from_secs(5),
            router_response: Duration::from_secs(15 * 60),
            router_idle: Duration::from_secs(5 * 60),
        }
    }
}

/// A day: no wait is longer.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// More than any machine holds open.
const MAX_COUNT: u64 = 1_000_000;

/// The longest body: SQL of the greatest length that is read, six bytes for each of its own in JSON escapes, and its
/// parameters.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

const KEYS: [&str; 13] = [
    "connections",
    "connections_per_peer",
    "requests",
    "requests_per_caller",
    "sql_body_bytes",
    "head_seconds",
    "body_seconds",
    "idle_seconds",
    "streams",
    "pending_resets",
    "router_connect_seconds",
    "router_response_seconds",
    "router_idle_seconds",
];

/// Reads the section.
pub(super) fn read(section: &Section<'_>, report: &mut Report<'_>) -> Limits {
    section.only(&KEYS, report);
    let default = Limits::default();
    let mut number = |key: &str, range: RangeInclusive<u64>, unit: &str, default: usize| {
        let number = section.integer(key, range, unit, report);
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
    };
    let counted = [
        number("connections", 1..=MAX_COUNT, "connections", default.connections),
        number("connections_per_peer", 1..=MAX_COUNT, "connections", default.connections_per_peer),
        number("requests", 1..=MAX_COUNT, "requests", default.requests),
        number("requests_per_caller", 1..=MAX_COUNT, "requests", default.requests_per_caller),
        number("sql_body_bytes", 1..=MAX_BODY_BYTES, "bytes", default.sql_body_bytes),
        number("pending_resets", 1..=MAX_COUNT, "streams", default.pending_resets),
    ];
    let streams = section.integer("streams", 1..=MAX_COUNT, "streams", report);
    let mut seconds = |key: &str, default: Duration| {
        section.integer(key, 1..=MAX_SECONDS, "seconds", report).map_or(default, Duration::from_secs)
    };
    let [connections, connections_per_peer, requests, requests_per_caller, sql_body_bytes, pending_resets] = counted;
    Limits {
        connections,
        connections_per_peer,
        requests,
        requests_per_caller,
        sql_body_bytes,
        pending_resets,
        streams: streams.and_then(|streams| u32::try_from(streams).ok()).unwrap_or(default.streams),
        head: seconds("head_seconds", default.head),
        body: seconds("body_seconds", default.body),
        idle: seconds("idle_seconds", default.idle),
        router_connect: seconds("router_connect_seconds", default.router_connect),
        router_response: seconds("router_response_seconds", default.router_response),
        router_idle: seconds("router_idle_seconds", default.router_idle),
    }
}
