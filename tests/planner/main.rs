//! The gate's reading of SQL beside the answers of Druid's own planners, 27 and 33.
//!
//! What is recorded in `tests/corpus` is checked against fresh answers; `PLANNER_RECORD=1` writes it anew.
//! `PLANNER_STATEMENTS` is how many statements each generator makes, `PLANNER_SEED` where it begins.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod corpus;
mod figures;
mod random;

use figures::{Figures, HEAD, Statement};

fn show(figures: &[Figures]) {
    println!("{HEAD}{}", figures.iter().map(Figures::rows).collect::<String>());
    for difference in figures.iter().flat_map(Figures::differences) {
        println!("{difference}");
    }
}

/// The corpus of the reading's own tests says what it expects; here Druid says it too.
#[test]
fn the_reading_s_own_corpus() {
    let files = ["statements.txt", "differential.txt", "refusals.txt"];
    let figures: Vec<Figures> = files
        .map(|name| {
            let cases = corpus::read(&corpus::directory().join(name)).cases;
            let statements = cases.into_iter().map(|case| Statement { parameters: case.parameters(), sql: case.sql });
            figures::measure(name, statements)
        })
        .into();
    show(&figures);
    let missing: String = figures.iter().map(Figures::missing).collect();
    assert!(missing.is_empty(), "{missing}");
}
