//! What becomes of a statement on which the two readings disagree, from the defect to the client and the record.

use http::Method;
use http_body_util::BodyExt;

use super::super::Rejection;
use crate::config::{AuditFailure, Limits};
use crate::druid::ErrorShape;
use crate::inspect::{Refusal, heed};
use crate::proxy::reject;
use crate::reading_pool::ReadingPool;
use crate::sql::{self, SecondReading};
use crate::telemetry::sink::Sink;
use crate::telemetry::{AuditLog, Metrics};
use crate::upstream::Upstream;

const STATEMENT: &str = "INSERT INTO t SELECT * FROM a JOIN secret ON a.x = 'canary' PARTITIONED BY ALL";

/// The refusal of a statement of which the first reading, by a defect, does not know all that it reads.
async fn disagreement() -> Refusal {
    let (mut first, query) = sql::read_and_keep(&sql::ExternalRules::default(), STATEMENT, &[]).expect("read");
    first.resources.retain(|resource| resource.to_line() != "DATASOURCE|secret|READ");
    let pool = ReadingPool::start(SecondReading::default()).expect("threads");
    let verdict = pool.compare(STATEMENT, Vec::new(), query, &first).await;
    heed(verdict, STATEMENT, &first).expect_err("a disagreement")
}

#[tokio::test]
async fn readings_that_disagree_are_refused_recorded_and_counted() {
    let refusal = disagreement().await;
    let sink = Sink::default();
    let (log, writer) = AuditLog::start(sink.clone(), AuditFailure::Refuse, Metrics::new());
    let mut record = log.record("127.0.0.1:1".parse().expect("an address"), &Method::POST);
    record.refused(&refusal);
    let response = reject(&Rejection::from(refusal), ErrorShape::SqlTask, &mut record);
    record.answered(response.status());
    assert_eq!(response.status(), 400);
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["context"]["reason"], "readings_disagree");
    assert!(body["errorMessage"].as_str().expect("a message").contains("write it simpler"), "{body}");
    drop(record);
    let metrics = log.metrics().render(&Upstream::for_tests(&Limits::default()), Vec::new(), 0);
    assert!(metrics.contains("msq_gate_second_readings_total{result=\"disagreed\"} 1"), "{metrics}");
    drop(log);
    writer.finish();
    let [line] = <[_; 1]>::try_from(sink.records()).expect("one record");
    assert_eq!((&line["decision"], &line["reason"]), (&"deny".into(), &"readings_disagree".into()));
    assert_eq!(line["second_reading"], "disagreed");
    // As `sha256sum` has it.
    assert_eq!(line["sql_sha256"], "cbf5b37f225a7ed6fa09c51738c722f48ed4cf839b75ea845d2a1612663b010b");
    let found = serde_json::json!(["DATASOURCE|a|READ", "DATASOURCE|secret|READ", "DATASOURCE|t|WRITE"]);
    assert_eq!((&line["needed"], &line["statement"]), (&found, &"insert".into()));
    assert!(!line.to_string().contains("canary") && !body.to_string().contains("canary"));
}
