//! The audit record of one request.
//!
//! It is made when the request begins, travels with it into the body of the answer, and writes itself when it is
//! dropped; so a request has exactly one record, also when the client leaves. It holds no token, no header and no text
//! of the request but the id of a task or statement.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use http::{Method, StatusCode};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, Iso8601, TimePrecision};

use super::AuditLog;
use super::audit::Place;
use super::metrics::Ended;
use crate::auth::Identity;
use crate::inspect::{self, Facts};
use crate::permission::{Need, Permissions, ResourceAction};

/// The record of one request; written when dropped.
pub struct Record {
    log: AuditLog,
    place: Option<Place>,
    began: Instant,
    /// Result and reason.
    authentication: Option<(&'static str, &'static str)>,
    line: Line,
}

#[derive(Serialize)]
struct Line {
    time: String,
    request_id: String,
    peer: SocketAddr,
    method: &'static str,
    row: Option<&'static str>,
    issuer: Option<String>,
    subject: Option<String>,
    name: Option<String>,
    roles: Vec<String>,
    statement: Option<&'static str>,
    second_reading: Option<&'static str>,
    sql_sha256: Option<String>,
    id: Option<String>,
    needed: Vec<String>,
    missing: Vec<String>,
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
        let line = Line {
            time: timestamp(),
            request_id: request_id(),
            peer,
            method: method_word(method),
            row: None,
            issuer: None,
            subject: None,
            name: None,
            roles: Vec::new(),
            statement: None,
            second_reading: None,
            sql_sha256: None,
            id: None,
            needed: Vec::new(),
            missing: Vec::new(),
            decision: "deny",
            reason: None,
            fault: None,
            status: None,
            bytes: 0,
            end: "client_left",
            duration_ms: 0,
        };
        Self { log, place, began: Instant::now(), authentication: None, line }
    }

    /// Whether it is sure that this will be written, as far as that is asked for.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.log.serves_with(self.place.is_some())
    }

    /// The id of the request: 16 hexadecimal digits.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.line.request_id
    }

    /// The request is served to anyone.
    pub const fn open(&mut self, row: &'static str) {
        self.line.row = Some(row);
        self.line.decision = "open";
    }

    /// Who asks.
    pub fn caller(&mut self, identity: &Identity) {
        self.authentication = Some(("verified", "none"));
        self.line.issuer = Some(identity.issuer_name().to_owned());
        self.line.subject = Some(identity.subject().to_owned());
        self.line.name = Some(identity.name().to_owned());
    }

    /// The caller proved nothing, for this reason; `result` is a word for it.
    pub const fn no_caller(&mut self, result: &'static str, reason: &'static str) {
        self.authentication = Some((result, reason));
    }

    /// The roles in which the caller asks.
    pub fn roles(&mut self, roles: Vec<&str>) {
        self.line.roles = roles.into_iter().map(str::to_owned).collect();
    }

    /// The row of the request.
    pub fn row(&mut self, row: &'static str, id: Option<&str>) {
        self.line.row = Some(row);
        self.line.id = id.map(str::to_owned);
    }

    /// What inspection found.
    pub fn inspected(&mut self, facts: &Facts, need: &Need) {
        self.line.statement = facts.statement;
        self.line.second_reading = facts.second_reading;
        self.line.sql_sha256.clone_from(&facts.sql_sha256);
        if facts.id.is_some() {
            self.line.id.clone_from(&facts.id);
        }
        self.line.needed = need.permissions().map(ResourceAction::to_line).collect();
    }

    /// Inspection found a reason to refuse the request.
    pub fn refused(&mut self, refusal: &inspect::Refusal) {
        if let inspect::Refusal::ReadingsDisagree(disagreement) = refusal {
            self.inspected(&disagreement.facts, &disagreement.found);
        }
    }

    /// The caller holds all that is needed.
    pub const fn allowed(&mut self) {
        self.line.decision = "allow";
    }

    /// The request was not served.
    pub fn rejected(&mut self, fault: &'static str, reason: &'static str, missing: Option<&Permissions>) {
        self.line.fault = Some(fault);
        self.line.reason = Some(reason);
        self.line.missing =
            missing.map(|missing| missing.iter().map(ResourceAction::to_line).collect()).unwrap_or_default();
    }

    /// The status that is answered.
    pub const fn answered(&mut self, status: StatusCode) {
        self.line.status = Some(status.as_u16());
    }

    /// Bytes of the answer's body that were handed on.
    pub const fn sent(&mut self, bytes: usize) {
        self.line.bytes = self.line.bytes.saturating_add(bytes as u64);
    }

    /// The answer's body was handed on whole.
    pub const fn complete(&mut self) {
        self.line.end = "complete";
    }

    /// The answer's body broke off.
    pub const fn broken(&mut self) {
        self.line.end = "broken_upstream";
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Dropped by a panic before there was an answer: the client gets `Gate::panicked`, it did not leave.
        if std::thread::panicking() && self.line.status.is_none() {
            self.line.status = Some(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
            (self.line.fault, self.line.reason, self.line.end) = (Some("gate"), Some("internal"), "panicked");
        }
        let took = self.began.elapsed();
        self.line.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        // Counted where it is recorded, so that the two tell the same.
        self.log.metrics().request_ended(&Ended {
            row: self.line.row,
            method: self.line.method,
            status: self.line.status,
            decision: self.line.decision,
            reason: self.line.reason,
            issuer: self.line.issuer.as_deref(),
            second_reading: self.line.second_reading,
            authentication: self.authentication,
            took,
        });
        if let Ok(mut line) = serde_json::to_string(&self.line) {
            line.push('\n');
            self.log.write(line, self.place.take());
        }
    }
}

/// RFC 3339, in UTC, to the millisecond.
pub(super) fn timestamp() -> String {
    const FORMAT: EncodedConfig = Config::DEFAULT
        .set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) })
        .set_year_is_six_digits(false)
        .encode();
    OffsetDateTime::from(SystemTime::now()).format(&Iso8601::<FORMAT>).unwrap_or_default()
}

fn request_id() -> String {
    let mut bytes = [0; 8];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
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
    use std::io::Write;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::{Arc, Mutex};

    use http::Method;

    use crate::telemetry::AuditLog;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

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
        let text = String::from_utf8(sink.0.lock().expect("lock").clone()).expect("UTF-8");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 2);
        let of = |line: usize| (&lines[line]["status"], &lines[line]["end"], &lines[line]["fault"]);
        assert_eq!(of(0), (&500.into(), &"panicked".into(), &"gate".into()));
        assert_eq!(of(1), (&serde_json::Value::Null, &"client_left".into(), &serde_json::Value::Null));
    }
}
