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
    /// Bytes of a head's fields: a token of 16 KiB and the rest of what browsers send. Past it: 431. What reads them off the
    /// wire holds up to twice as much before it gives up by itself.
    pub head_bytes: usize,
    /// Fields of a head: browsers send some 20. Past it: 431.
    pub head_fields: usize,
    /// Bytes of a SQL request's body. Past it: 413.
    pub sql_body_bytes: usize,
    /// Bytes of the body of `POST /druid/indexer/v1/taskStatus`: some ten thousand ids. Past it: 413.
    pub task_ids_body_bytes: usize,
    /// Bytes of any other JSON body: native queries, tasks, supervisors, settings. Past it: 413.
    pub json_body_bytes: usize,
    /// Bytes of a form of the gate's own pages: the longest token, and as many again for what is encoded and for the rest.
    pub form_body_bytes: usize,
    /// Bytes of one item of a list that is filtered: a task's row is under 1 KB but for its `errorMsg`; a datasource with
    /// all its segments, or a supervisor with all its versions, is not. Past it the answer is broken off.
    pub list_item_bytes: usize,
    /// Bytes that are read of a list that is filtered: a million tasks. Past it the answer is broken off.
    pub list_bytes: usize,
    /// The wait for a TLS handshake, which takes two round trips.
    pub handshake: Duration,
    /// The wait for the whole head of a request, and for the next request on an HTTP/1.1 connection.
    pub head: Duration,
    /// The wait for the whole body of a request. Past it: 408.
    pub body: Duration,
    /// How long a client may take nothing of an answer, and an HTTP/2 connection may carry no request.
    pub idle: Duration,
    /// Streams at a time on one HTTP/2 connection (RFC 9113 recommends no less than 100).
    pub streams: usize,
    /// Streams that a client may reset before they were served (CVE-2023-44487).
    pub pending_resets: usize,
    /// Streams that a client may reset within a second, served or not: twice as many as it may have. Each costs what its
    /// request had cost until then.
    pub resets_per_second: usize,
    /// Connecting to a Router: one that is there takes milliseconds.
    pub router_connect: Duration,
    /// The wait for the head of Druid's answer. Druid ends queries after 5 minutes unless the client asks for more.
    pub router_response: Duration,
    /// How long Druid may send nothing in the middle of an answer.
    pub router_idle: Duration,
    /// The wait for the whole of what Druid says of a task, which a request waits for. Past it: 503.
    pub lookup: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_peer: 1024,
            requests: 4096,
            requests_per_caller: 256,
            head_bytes: 32 * 1024,
            head_fields: 100,
            sql_body_bytes: 4 * 1024 * 1024,
            task_ids_body_bytes: 1024 * 1024,
            json_body_bytes: 4 * 1024 * 1024,
            form_body_bytes: 64 * 1024,
            list_item_bytes: 16 * 1024 * 1024,
            list_bytes: 1024 * 1024 * 1024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            streams: 100,
            pending_resets: 20,
            resets_per_second: 200,
            router_connect: Duration::from_secs(5),
            router_response: Duration::from_secs(15 * 60),
            router_idle: Duration::from_secs(5 * 60),
            lookup: Duration::from_secs(30),
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

/// What reads heads off the wire takes no smaller bound; a head past a megabyte is an attack.
const HEAD_BYTES: RangeInclusive<u64> = 8 * 1024..=1024 * 1024;

/// Every request of a browser must pass.
const HEAD_FIELDS: RangeInclusive<u64> = 20..=10_000;

/// The longest list: a terabyte is more than Druid could make of what it knows.
const MAX_LIST_BYTES: u64 = 1 << 40;

/// Every key of the section.
pub(super) const KEYS: [&str; 23] = [
    "connections",
    "connections_per_peer",
    "requests",
    "requests_per_caller",
    "head_bytes",
    "head_fields",
    "sql_body_bytes",
    "task_ids_body_bytes",
    "json_body_bytes",
    "form_body_bytes",
    "list_item_bytes",
    "list_bytes",
    "handshake_seconds",
    "head_seconds",
    "body_seconds",
    "idle_seconds",
    "streams",
    "pending_resets",
    "resets_per_second",
    "router_connect_seconds",
    "router_response_seconds",
    "router_idle_seconds",
    "lookup_seconds",
];

/// Reads the section.
pub(super) fn read(section: &Section<'_>, report: &mut Report<'_>) -> Limits {
    section.only(&KEYS, report);
    let mut limits = Limits::default();
    for (key, unit, range, limit) in [
        ("connections", "connections", 1..=MAX_COUNT, &mut limits.connections),
        ("connections_per_peer", "connections", 1..=MAX_COUNT, &mut limits.connections_per_peer),
        ("requests", "requests", 1..=MAX_COUNT, &mut limits.requests),
        ("requests_per_caller", "requests", 1..=MAX_COUNT, &mut limits.requests_per_caller),
        ("head_bytes", "bytes", HEAD_BYTES, &mut limits.head_bytes),
        ("head_fields", "fields", HEAD_FIELDS, &mut limits.head_fields),
        ("sql_body_bytes", "bytes", 1..=MAX_BODY_BYTES, &mut limits.sql_body_bytes),
        ("task_ids_body_bytes", "bytes", 1..=MAX_BODY_BYTES, &mut limits.task_ids_body_bytes),
        ("json_body_bytes", "bytes", 1..=MAX_BODY_BYTES, &mut limits.json_body_bytes),
        ("form_body_bytes", "bytes", 1..=MAX_BODY_BYTES, &mut limits.form_body_bytes),
        ("list_item_bytes", "bytes", 1..=MAX_LIST_BYTES, &mut limits.list_item_bytes),
        ("list_bytes", "bytes", 1..=MAX_LIST_BYTES, &mut limits.list_bytes),
        ("streams", "streams", 1..=MAX_COUNT, &mut limits.streams),
        ("pending_resets", "streams", 1..=MAX_COUNT, &mut limits.pending_resets),
        ("resets_per_second", "streams", 1..=MAX_COUNT, &mut limits.resets_per_second),
    ] {
        let given = section.integer(key, range, unit, report).and_then(|given| usize::try_from(given).ok());
        *limit = given.unwrap_or(*limit);
    }
    for (key, limit) in [
        ("handshake_seconds", &mut limits.handshake),
        ("head_seconds", &mut limits.head),
        ("body_seconds", &mut limits.body),
        ("idle_seconds", &mut limits.idle),
        ("router_connect_seconds", &mut limits.router_connect),
        ("router_response_seconds", &mut limits.router_response),
        ("router_idle_seconds", &mut limits.router_idle),
        ("lookup_seconds", &mut limits.lookup),
    ] {
        let given = section.integer(key, 1..=MAX_SECONDS, "seconds", report);
        *limit = given.map_or(*limit, Duration::from_secs);
    }
    limits
}
