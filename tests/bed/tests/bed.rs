//! The bed is what it says: grants hold at Druid, and gates can be had beside the bed's own.

use std::fs;

use msq_gate_bed::http::{self, Answer};
use msq_gate_bed::{Bed, GateOptions, GateProcess};
use serde_json::json;

#[expect(clippy::unwrap_used, reason = "a failure here is the test's")]
fn count(bed: &Bed, user: &str, datasource: &str) -> Answer {
    let body = json!({"query": format!("SELECT COUNT(*) AS n FROM {datasource}")}).to_string();
    let url = format!("{}/druid/v2/sql", bed.router);
    http::send(&http::plain(), "POST", &url, Some(&bed.basic(user).unwrap()), Some(&body)).unwrap()
}

#[test]
fn druid_acts_on_grants_when_add_user_returns() {
    let bed = Bed::ensure();
    for _ in 0..3 {
        bed.add_user("bed-test", &["READ DATASOURCE t*"]).unwrap();
        assert_eq!(count(bed, "bed-test", "taxi"), Answer { status: 200, text: "[{\"n\":3}]\n".into() });
        assert_eq!(count(bed, "bed-test", "wiki").status, 403);
        bed.add_user("bed-test", &["READ DATASOURCE wiki"]).unwrap();
        assert_eq!(count(bed, "bed-test", "taxi").status, 403);
        assert_eq!(count(bed, "bed-test", "wiki").status, 200);
    }
}

#[test]
fn sample_users_are_not_changed_and_faulty_grants_not_taken() {
    let bed = Bed::ensure();
    assert!(bed.add_user("reader", &["READ DATASOURCE *"]).is_err());
    assert!(bed.add_user("bed-test", &["MAY DATASOURCE wiki"]).is_err());
    assert_eq!(count(bed, "reader", "taxi").status, 403);
}

#[test]
fn a_second_gate_serves_reloads_and_ends() {
    let bed = Bed::ensure();
    let mut options = GateOptions::of_bed().unwrap();
    options.task_cancel = "WRITE".into();
    let gate = GateProcess::start(&options).unwrap();
    let health = http::send(&bed.client().unwrap(), "GET", &format!("{}/status/health", gate.url), None, None).unwrap();
    assert_eq!(health.status, 200);
    assert!(fs::read_to_string(gate.dir.join("gate.toml")).unwrap().contains("task_cancel = \"WRITE\""));
    gate.reload(&options.policy_text).unwrap();
    let refused = gate.reload("nonsense").unwrap_err().to_string();
    assert!(refused.contains("the gate refused its new policy"), "{refused}");
    assert!(gate.terminate().unwrap().success());
}
