//! The same matrix for Druid 33, which is served without MSQ: its bed is up for this test alone.
//!
//! `MSQ_GATE_BED_DRUID=33 cargo test --test gate matrix33:: -- --ignored`; with `MATRIX=accept` it accepts what has changed.

use msq_gate_bed::Version;
use serde_json::json;

use crate::client::Answer;
use crate::matrix::{self, AVATICA, CATALOG, FROM_OUTSIDE, FROM_WIKI, Intended, Matrix, OF_READERS, SAMPLE_OF_WIKI};
use crate::support::{End, gate};

const NO_MSQ: &str = "the gate decides before Druid says that it has no MSQ";

const DRUID_33: Matrix = Matrix {
    version: Version::V33,
    file: "matrix-33.txt",
    left_out: &[AVATICA, CATALOG, ("kubernetes_", "of an extension too")],
    intended: &[
        Intended { row: "query_candidates", about: "of wiki", druid: 200, gate: 403, reason: OF_READERS },
        Intended { row: "query_candidates", about: "of wiki and taxi", druid: 500, gate: 403, reason: OF_READERS },
        FROM_WIKI,
        FROM_OUTSIDE,
        SAMPLE_OF_WIKI,
        Intended { row: "sql_task", about: "", druid: 405, gate: 403, reason: NO_MSQ },
        Intended { row: "statement_submit", about: "", druid: 405, gate: 403, reason: NO_MSQ },
        Intended {
            row: "task_cancel_all",
            about: "",
            druid: 404,
            gate: 403,
            reason: "Druid 32 and newer do not find it (apache/druid 18419): the gate decides before",
        },
    ],
};

/// Ends the bed, however the test does.
struct Down;

impl Drop for Down {
    fn drop(&mut self) {
        if let Err(error) = msq_gate_bed::down() {
            eprintln!("{error}");
        }
    }
}

#[test]
#[ignore = "another Druid, for some minutes: a step of its own in .ci/run"]
fn the_gate_decides_as_druid_33_decides() {
    assert_eq!(Version::of_bed(), Version::V33, "run it with MSQ_GATE_BED_DRUID=33");
    let _down = Down;
    msq_answers_as_directly();
    configure_compaction();
    matrix::compare(&DRUID_33);
}

/// Where the extension is not loaded, its endpoints answer through the gate as they do without it.
fn msq_answers_as_directly() {
    let body = json!({"query": "SELECT page FROM wiki"});
    for target in ["/druid/v2/sql/task", "/druid/v2/sql/statements"] {
        let submit = |end: End<'_>| end.ask(Some("reader"), "POST", target).json(&body).send();
        are_equal(target, &submit(End::Direct), &submit(gate()), 405);
        let enabled = format!("{target}/enabled");
        let probe = |end: End<'_>| end.ask(Some("reader"), "GET", &enabled).send();
        are_equal(&enabled, &probe(End::Direct), &probe(gate()), 404);
    }
}

/// So that there is something to list. The last ten days of the datasource are left alone, and those are all. That of wiki
/// is deleted by a row.
fn configure_compaction() {
    let target = "/druid/indexer/v1/compaction/config/datasources/taxi";
    let config = json!({"dataSource": "taxi", "skipOffsetFromLatest": "P10D"});
    End::Direct.ask(Some("admin"), "POST", target).json(&config).send().expect(200);
}

fn are_equal(target: &str, direct: &Answer, through: &Answer, status: u16) {
    assert_eq!((direct.status, through.status), (status, status), "{target}");
    assert_eq!(direct.text(), through.text(), "{target}");
    assert_eq!(direct.header("Content-Type"), through.header("Content-Type"), "{target}");
}
