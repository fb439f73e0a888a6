//! What is counted, in Prometheus' words. Few values for each label, and no caller in any.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

use crate::auth::KeyStatus;
use crate::upstream::{Routers, Upstream};

/// The media type of [`Metrics::render`].
pub const MEDIA_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Seconds: a look-up takes milliseconds, a native query seconds, a download minutes.
const DURATION_BUCKETS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];

/// Seconds: a statement of a page takes microseconds, one of megabytes a fraction of a second.
const READING_BUCKETS: [f64; 6] = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0];

/// What stands for an absent row, issuer or reason.
const NONE: &str = "none";

/// The metrics of the process.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    requests: Family<RequestLabels, Counter>,
    durations: Durations,
    decisions: Family<DecisionLabels, Counter>,
    authentications: Family<AuthnLabels, Counter>,
    sql_readings: Readings,
    sql_refusals: Family<ReasonLabel, Counter>,
    in_flight: Gauge,
    connections: Gauge,
    connections_ended: Family<ReasonLabel, Counter>,
    audit_records: Family<ResultLabel, Counter>,
    second_readings: Family<ResultLabel, Counter>,
    second_readings_stuck: Gauge,
    reload_ok: Gauge,
    reload_at: Gauge,
    registry: Registry,
}

struct Durations(Family<RouteLabel, Histogram, fn() -> Histogram>);

impl Default for Durations {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)))
    }
}

struct Readings(Histogram);

impl Default for Readings {
    fn default() -> Self {
        Self(Histogram::new(READING_BUCKETS))
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    /// Empty where the client left before there was an answer.
    code: Option<u16>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabel {
    route: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DecisionLabels {
    route: &'static str,
    decision: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AuthnLabels {
    issuer: String,
    result: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// What a request came to, as its record says.
pub(super) struct Ended<'r> {
    pub(super) route: Option<&'static str>,
    pub(super) method: &'static str,
    pub(super) status: Option<u16>,
    pub(super) decision: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) issuer: Option<&'r str>,
    pub(super) second_reading: Option<&'static str>,
    pub(super) authentication: Option<(&'static str, &'static str)>,
    /// How long its SQL took to read, or why it was not read.
    pub(super) sql: Option<Result<Duration, &'static str>>,
    pub(super) took: Duration,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at nought.
    #[must_use]
    pub fn new() -> Self {
        let mut inner = Inner::default();
        let mut registry = Registry::with_prefix("msq_gate");
        registry.register("http_requests", "Requests that have ended", inner.requests.clone());
        let help = "From the head of a request to the end of its answer";
        registry.register("http_request_duration_seconds", help, inner.durations.0.clone());
        registry.register("decisions", "What was decided of requests", inner.decisions.clone());
        registry.register("authn", "What requests proved about their callers", inner.authentications.clone());
        registry.register("sql_parse_seconds", "Reading a statement", inner.sql_readings.0.clone());
        registry.register("sql_parse_failures", "Statements that were not read", inner.sql_refusals.clone());
        registry.register("requests_in_flight", "Requests under way", inner.in_flight.clone());
        registry.register("connections", "Connections that are open", inner.connections.clone());
        let help = "Connections refused, or ended before there was a request";
        registry.register("connections_refused", help, inner.connections_ended.clone());
        registry.register("audit_records", "Audit records of requests and connections", inner.audit_records.clone());
        let help = "Statements by what their second reading says of the first";
        registry.register("second_readings", help, inner.second_readings.clone());
        let help = "Threads of the second reading that do not come to an end";
        registry.register("second_reading_stuck_threads", help, inner.second_readings_stuck.clone());
        let help = "Whether the files read last are in force";
        registry.register("config_last_reload_successful", help, inner.reload_ok.clone());
        let help = "When files were last read without a fault";
        registry.register("config_last_reload_success_timestamp_seconds", help, inner.reload_at.clone());
        let build: Family<[(&'static str, &'static str); 1], Gauge> = Family::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        registry.register("build_info", "The version that runs", build);
        inner.registry = registry;
        let metrics = Self(Arc::new(inner));
        metrics.reloaded(true);
        metrics
    }

    /// The metrics, and with them what `upstream` counts, what is known of fetched keys, and how many threads of the
    /// second reading are stuck.
    #[must_use]
    pub fn render(&self, upstream: &Upstream, keys: Vec<KeyStatus>, stuck: usize) -> String {
        let mut text = String::new();
        self.0.second_readings_stuck.set(i64::try_from(stuck).unwrap_or(i64::MAX));
        let mut own = Registry::with_prefix("msq_gate");
        own.register_collector(Box::new(OfUpstream(upstream.clone())));
        own.register_collector(Box::new(OfKeys(keys)));
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.0.registry);
        let _ = prometheus_text::encode(&mut text, &own);
        text
    }

    /// The files were read again, with or without a fault.
    pub fn reloaded(&self, ok: bool) {
        self.0.reload_ok.set(i64::from(ok));
        if ok {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.0.reload_at.set(i64::try_from(now.as_secs()).unwrap_or_default());
        }
    }

    /// Counts a connection until what is given back is dropped.
    #[must_use]
    pub fn connection(&self) -> Open {
        self.0.connections.inc();
        Open(self.0.connections.clone())
    }

    pub(super) fn connection_ended(&self, reason: &'static str) {
        self.0.connections_ended.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(super) fn request_began(&self) {
        self.0.in_flight.inc();
    }

    pub(super) fn request_ended(&self, ended: &Ended<'_>) {
        let inner = &self.0;
        inner.in_flight.dec();
        let route = ended.route.unwrap_or(NONE);
        inner.requests.get_or_create(&RequestLabels { route, method: ended.method, code: ended.status }).inc();
        inner.durations.0.get_or_create(&RouteLabel { route }).observe(ended.took.as_secs_f64());
        let reason = ended.reason.unwrap_or(NONE);
        inner.decisions.get_or_create(&DecisionLabels { route, decision: ended.decision, reason }).inc();
        match ended.sql {
            Some(Ok(took)) => inner.sql_readings.0.observe(took.as_secs_f64()),
            Some(Err(reason)) => drop(inner.sql_refusals.get_or_create(&ReasonLabel { reason }).inc()),
            None => {}
        }
        if let Some(result) = ended.second_reading {
            inner.second_readings.get_or_create(&ResultLabel { result }).inc();
        }
        if let Some((result, reason)) = ended.authentication {
            let issuer = ended.issuer.unwrap_or(NONE).to_owned();
            inner.authentications.get_or_create(&AuthnLabels { issuer, result, reason }).inc();
        }
    }

    pub(super) fn records(&self, result: &'static str, count: usize) {
        self.0.audit_records.get_or_create(&ResultLabel { result }).inc_by(count as u64);
    }
}

/// A connection that is counted.
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the room that speaks to Druid counts for itself.
struct OfUpstream(Upstream);

impl fmt::Debug for OfUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfUpstream")
    }
}

impl Collector for OfUpstream {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let routers: Routers = self.0.routers();
        let counter = ConstCounter::<u64>::TYPE;
        let mut family = encoder.encode_descriptor("task_lookup", "Look-ups of tasks", None, counter)?;
        for (result, cache, count) in self.0.lookups().counts() {
            ConstCounter::new(count).encode(family.encode_family(&[("result", result), ("cache", cache)])?)?;
        }
        let help = "Requests sent to Routers, the gate's own among them";
        let mut family = encoder.encode_descriptor("upstream_requests", help, None, counter)?;
        for router in routers.all() {
            for (result, count) in router.sent().counts() {
                let labels = [("router", router.authority.as_str()), ("result", result)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Whether a Router is thought to be well";
        let mut family = encoder.encode_descriptor("router_healthy", help, None, MetricType::Gauge)?;
        for router in routers.all() {
            let healthy = ConstGauge::new(i64::from(router.is_healthy()));
            healthy.encode(family.encode_family(&[("router", router.authority.as_str())])?)?;
        }
        Ok(())
    }
}

/// What is known of issuers' fetched keys.
#[derive(Debug)]
struct OfKeys(Vec<KeyStatus>);

impl Collector for OfKeys {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let gauge = MetricType::Gauge;
        let mut family = encoder.encode_descriptor("jwks_keys", "Keys fetched from an issuer", None, gauge)?;
        for status in &self.0 {
            let count = ConstGauge::new(status.keys.map_or(0, |(count, _)| count as u64));
            count.encode(family.encode_family(&[("issuer", status.issuer_name.as_str())])?)?;
        }
        let help = "Since an issuer last confirmed its keys";
        let mut family = encoder.encode_descriptor("jwks_age_seconds", help, None, gauge)?;
        for status in &self.0 {
            let Some((_, age)) = status.keys else { continue };
            let labels = [("issuer", status.issuer_name.as_str())];
            ConstGauge::new(age.as_secs()).encode(family.encode_family(&labels)?)?;
        }
        let help = "Fetches of an issuer's keys that ended";
        let mut family = encoder.encode_descriptor("jwks_fetch", help, None, ConstCounter::<u64>::TYPE)?;
        for status in &self.0 {
            for (result, count) in [("ok", status.fetches - status.failed), ("failed", status.failed)] {
                let labels = [("issuer", status.issuer_name.as_str()), ("result", result)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    #[test]
    fn what_ended_is_counted_once_under_each_name() {
        let metrics = Metrics::new();
        metrics.request_began();
        metrics.request_ended(&Ended {
            route: Some("status"),
            method: "GET",
            status: Some(403),
            decision: "deny",
            reason: Some("missing_permissions"),
            issuer: Some("dev"),
            second_reading: Some("agreed"),
            authentication: Some(("verified", "none")),
            sql: Some(Ok(Duration::from_micros(5))),
            took: Duration::from_millis(3),
        });
        metrics.connection_ended("tls_slow");
        let _open = metrics.connection();
        let keys = Some((2, Duration::from_secs(7)));
        let issuer =
            KeyStatus { issuer_name: "dev".to_owned(), keys, usable: true, fetches: 3, failed: 1, failures: 0 };
        let text = metrics.render(&Upstream::for_tests(&Limits::default()), vec![issuer], 1);
        for line in [
            r#"msq_gate_http_requests_total{route="status",method="GET",code="403"} 1"#,
            r#"msq_gate_http_request_duration_seconds_count{route="status"} 1"#,
            r#"msq_gate_decisions_total{route="status",decision="deny",reason="missing_permissions"} 1"#,
            r#"msq_gate_authn_total{issuer="dev",result="verified",reason="none"} 1"#,
            r#"msq_gate_jwks_keys{issuer="dev"} 2"#,
            r#"msq_gate_jwks_age_seconds{issuer="dev"} 7"#,
            r#"msq_gate_jwks_fetch_total{issuer="dev",result="ok"} 2"#,
            r#"msq_gate_jwks_fetch_total{issuer="dev",result="failed"} 1"#,
            "msq_gate_sql_parse_seconds_count 1",
            "msq_gate_requests_in_flight 0",
            "msq_gate_connections 1",
            r#"msq_gate_connections_refused_total{reason="tls_slow"} 1"#,
            r#"msq_gate_second_readings_total{result="agreed"} 1"#,
            "msq_gate_second_reading_stuck_threads 1",
            "msq_gate_config_last_reload_successful 1",
            r#"msq_gate_task_lookup_total{result="found",cache="hit"} 0"#,
            r#"msq_gate_router_healthy{router="127.0.0.1:8888"} 1"#,
            r#"msq_gate_upstream_requests_total{router="127.0.0.1:8888",result="answered"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.contains("msq_gate_build_info{version="), "{text}");
    }
}
