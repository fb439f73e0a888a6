//! The audit record of one request.
//!
//! It is made when the request begins, travels with it into the body of the answer, and writes itself when it is
//! dropped; so a request has exactly one record, also when the client leaves. It holds no token, no header and no text
//! of the request but the id of a task or statement.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, Iso8601, TimePrecision};

use super::AuditLog;
use super::audit::Place;
use super::metrics::Ended;
use crate::auth::{Authentication, Identity};
use crate::inspect::{self, Facts};
use crate::permission::{Need, Permissions, ResourceAction};

/// How a request ended of which nothing else was said.
const CLIENT_LEFT: &str = "client_left";

/// Bytes of the ids of a request's parts; the rest is left out, so that a record stays small.
const MAX_PART_IDS: usize = 4096;

/// Needs of a request's parts, likewise.
const MAX_PART_NEEDS: usize = 100;

/// The record of one request; written when dropped.
pub struct Record {
    log: AuditLog,
    place: Option<Place>,
    began: Instant,
    at: SystemTime,
    request_id: String,
    peer: SocketAddr,
    method: &'static str,
    /// Result and reason.
    authentication: Option<(&'static str, &'static str)>,
    /// How long its SQL took to read, or why it was not read.
    sql: Option<Result<Duration, &'static str>>,
    caller: Option<Arc<Identity>>,
    roles: Vec<String>,
    row: Option<&'static str>,
    statement: Option<&'static str>,
    second_reading: Option<&'static str>,
    sql_sha256: Option<String>,
    narrowed: bool,
    id: Option<String>,
    needed: Vec<String>,
    missing: Vec<String>,
    decision: &'static str,
    reason: Option<&'static str>,
    fault: Option<&'static str>,
    status: Option<u16>,
    bytes: u64,
    end: &'static str,
}

/// The line that is written.
#[derive(Serialize)]
struct Line<'r> {
    time: String,
    request_id: &'r str,
    peer: SocketAddr,
    method: &'static str,
    row: Option<&'static str>,
    issuer: Option<&'r str>,
    subject: Option<&'r str>,
    name: Option<&'r str>,
    roles: &'r [String],
    statement: Option<&'static str>,
    second_reading: Option<&'static str>,
    sql_sha256: Option<&'r str>,
    /// Its system tables were narrowed to what the caller may see.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    narrowed: bool,
    id: Option<&'r str>,
    needed: &'r [String],
    missing: &'r [String],
    decision: &'static str,
    reason: Option<&'static str>,
    fault: Option<&'static str>,
    status: Option<u16>,
    bytes: u64,
    end: &'static str,
    duration_ms: u64,
}

impl Record {
    pub(super) fn begin(log: AuditLog, place: Option<Place>, peer: SocketAddr, method: &Method) -> Self {
        log.metrics().request_began();
        Self {
            log,
            place,
            began: Instant::now(),
            at: SystemTime::now(),
            request_id: request_id(),
            peer,
            method: method_word(method),
            authentication: None,
            sql: None,
            caller: None,
            roles: Vec::new(),
            row: None,
            statement: None,
            second_reading: None,
            sql_sha256: None,
            narrowed: false,
            id: None,
            needed: Vec::new(),
            missing: Vec::new(),
            decision: "deny",
            reason: None,
            fault: None,
            status: None,
            bytes: 0,
            end: CLIENT_LEFT,
        }
    }

    /// Whether it is sure that this will be written, as far as that is asked for.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.log.serves_with(self.place.is_some())
    }

    /// The id of the request: 16 hexadecimal digits.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The request is served to anyone.
    pub const fn open(&mut self, row: &'static str) {
        self.row = Some(row);
        self.decision = "open";
    }

    /// Who asks.
    pub fn caller(&mut self, identity: &Arc<Identity>) {
        self.authentication = Some(("verified", "none"));
        self.caller = Some(Arc::clone(identity));
    }

    /// What the request proves about its caller.
    pub fn authenticated(&mut self, authentication: &Authentication) {
        self.authentication = Some(match authentication {
            Authentication::Verified(identity) => return self.caller(identity),
            Authentication::Absent => ("absent", "none"),
            Authentication::Refused(fault) => ("refused", fault.reason()),
            Authentication::Unavailable(fault) => ("unavailable", fault.reason()),
        });
    }

    /// The roles in which the caller asks.
    pub fn roles(&mut self, roles: Vec<&str>) {
        self.roles = roles.into_iter().map(str::to_owned).collect();
    }

    /// The row of the request.
    pub fn row(&mut self, row: &'static str, id: Option<&str>) {
        self.row = Some(row);
        self.id = id.map(str::to_owned);
    }

    /// What inspection found.
    pub fn inspected(&mut self, facts: &Facts, need: &Need) {
        self.statement = facts.statement;
        self.sql = facts.reading_took.map(Ok);
        self.second_reading = facts.second_reading;
        self.sql_sha256.clone_from(&facts.sql_sha256);
        if facts.id.is_some() {
            self.id.clone_from(&facts.id);
        }
        self.needed = need.permissions().map(ResourceAction::to_line).collect();
    }

    /// Inspection found a reason to refuse the request.
    pub fn refused(&mut self, refusal: &inspect::Refusal) {
        if let inspect::Refusal::ReadingsDisagree(disagreement) = refusal {
            self.inspected(&disagreement.facts, &disagreement.found);
        }
        if let inspect::Refusal::Sql(refusal) = refusal {
            self.sql = Some(Err(refusal.code.as_str()));
        }
    }

    /// A part of the request is sent: what it is about and needs is the request's too, as far as a record holds it.
    pub fn part(&mut self, facts: &Facts, need: &Need) {
        let ids = self.id.get_or_insert_default();
        if let Some(id) = facts.id.as_ref().filter(|id| ids.len() + id.len() < MAX_PART_IDS) {
            let comma = if ids.is_empty() { "" } else { "," };
            ids.push_str(&format!("{comma}{id}"));
        }
        let lines = need.permissions().map(ResourceAction::to_line);
        let new: Vec<String> = lines.filter(|line| !self.needed.contains(line)).collect();
        self.needed.extend(new.into_iter().take(MAX_PART_NEEDS.saturating_sub(self.needed.len())));
    }

    /// The caller holds all that is needed; the statement may have been narrowed to what the caller may see.
    pub const fn allowed(&mut self, narrowed: bool) {
        self.decision = "allow";
        self.narrowed = narrowed;
    }

    /// The request was not served.
    pub fn rejected(&mut self, fault: &'static str, reason: &'static str, missing: Option<&Permissions>) {
        self.fault = Some(fault);
        self.reason = Some(reason);
        self.missing = missing.map(|missing| missing.iter().map(ResourceAction::to_line).collect()).unwrap_or_default();
    }

    /// The status that is answered.
    pub const fn answered(&mut self, status: StatusCode) {
        self.status = Some(status.as_u16());
    }

    /// Bytes of the answer's body that were handed on.
    pub const fn sent(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The answer's body was handed on whole.
    pub const fn complete(&mut self) {
        self.end = "complete";
    }

    /// The client took nothing of the answer for too long, and was left.
    pub fn not_taken(&mut self) {
        if self.end == CLIENT_LEFT {
            self.end = "not_taken";
        }
    }

    /// The answer's body broke off.
    pub const fn broken(&mut self) {
        self.end = "broken_upstream";
    }
}

impl Record {
    fn line(&self, took: Duration) -> Line<'_> {
        let caller = self.caller.as_deref();
        Line {
            time: timestamp(self.at),
            request_id: &self.request_id,
            peer: self.peer,
            method: self.method,
            row: self.row,
            issuer: caller.map(Identity::issuer_name),
            subject: caller.map(Identity::subject),
            name: caller.map(Identity::name),
            roles: &self.roles,
            statement: self.statement,
            second_reading: self.second_reading,
            sql_sha256: self.sql_sha256.as_deref(),
            narrowed: self.narrowed,
            id: self.id.as_deref(),
            needed: &self.needed,
            missing: &self.missing,
            decision: self.decision,
            reason: self.reason,
            fault: self.fault,
            status: self.status,
            bytes: self.bytes,
            end: self.end,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Dropped by a panic before there was an answer: the client gets `Gate::panicked`, it did not leave.
        if std::thread::panicking() && self.status.is_none() {
            self.status = Some(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
            (self.fault, self.reason, self.end) = (Some("gate"), Some("internal"), "panicked");
        }
        let took = self.began.elapsed();
        // Counted where it is recorded, so that the two tell the same.
        self.log.metrics().request_ended(&Ended {
            route: self.row,
            method: self.method,
            status: self.status,
            decision: self.decision,
            reason: self.reason,
            issuer: self.caller.as_deref().map(Identity::issuer_name),
            second_reading: self.second_reading,
            authentication: self.authentication,
            sql: self.sql,
            took,
        });
        let mut line = Vec::with_capacity(LINE_BYTES);
        if serde_json::to_writer(&mut line, &self.line(took)).is_ok() {
            line.push(b'\n');
            self.log.write(line, self.place.take());
        }
    }
}

/// Bytes of most records.
const LINE_BYTES: usize = 640;

/// RFC 3339, in UTC, to the millisecond.
#[must_use]
pub fn timestamp(at: SystemTime) -> String {
    const FORMAT: EncodedConfig = Config::DEFAULT
        .set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) })
        .set_year_is_six_digits(false)
        .encode();
    OffsetDateTime::from(at).format(&Iso8601::<FORMAT>).unwrap_or_default()
}

/// Unlike any other of this process, and by its random start unlike those of others; nothing rests on its being secret.
fn request_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(|| {
        let mut bytes = [0; 8];
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // An odd factor: no two counts give one product, and neighbors look nothing alike.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", START.wrapping_add(count.wrapping_mul(SPREAD)))
}

/// The method, of those that mean something; a method may be any token, and is then not told.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use http::Method;

    use crate::telemetry::AuditLog;
    use crate::telemetry::sink::Sink;

    #[test]
    fn a_panic_is_not_recorded_as_a_client_that_left() {
        let sink = Sink::default();
        let (log, writer) =
            AuditLog::start(sink.clone(), crate::config::AuditFailure::Refuse, crate::telemetry::Metrics::new());
        let peer = "127.0.0.1:1".parse().expect("an address");
        let record = log.record(peer, &Method::GET);
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _record = record;
            resume_unwind(Box::new("a defect"));
        }));
        assert!(panicked.is_err());
        drop(log.record(peer, &Method::GET));
        drop(log);
        writer.finish();
        let lines = sink.records();
        assert_eq!(lines.len(), 2);
        let of = |line: usize| (&lines[line]["status"], &lines[line]["end"], &lines[line]["fault"]);
        assert_eq!(of(0), (&500.into(), &"panicked".into(), &"gate".into()));
        assert_eq!(of(1), (&serde_json::Value::Null, &"client_left".into(), &serde_json::Value::Null));
    }
}
