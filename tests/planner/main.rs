//! The gate's reading of SQL beside the answers of Druid's own planners, 27 and 33.
//!
//! What is recorded in `tests/corpus` is checked against fresh answers; `PLANNER_RECORD=1` writes it anew.
//! `PLANNER_STATEMENTS` is how many statements each generator makes, `PLANNER_SEED` where it begins.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod corpus;
mod figures;
mod grammar;
mod mutate;
mod random;

use figures::{Figures, HEAD, Statement};
use random::Random;

fn show(figures: &[Figures]) {
    println!("{HEAD}{}", figures.iter().map(Figures::rows).collect::<String>());
    if std::env::var_os("PLANNER_ERRORS").is_some() {
        println!("{}", figures.iter().map(Figures::errors).collect::<String>());
    }
    for difference in figures.iter().flat_map(Figures::differences) {
        println!("{difference}");
    }
}

/// How many statements each generator makes.
fn count() -> usize {
    std::env::var("PLANNER_STATEMENTS").map_or(2_000, |count| count.parse().unwrap())
}

fn seed() -> u64 {
    std::env::var("PLANNER_SEED").map_or(1, |seed| seed.parse().unwrap())
}

#[test]
fn generated_statements() {
    let mut random = Random::new(seed());
    let statements = (0..count()).map(|_| Statement::from(grammar::statement(&mut random)));
    let figures = [figures::measure("generated", statements)];
    show(&figures);
    assert!(figures[0].missing().is_empty());
}

#[test]
fn mutated_statements() {
    let mut random = Random::new(seed());
    let files = ["statements.txt", "differential.txt"];
    let sources: Vec<String> = files
        .iter()
        .flat_map(|name| corpus::read(&corpus::directory().join(name)).cases)
        .map(|case| case.sql)
        .collect();
    let statements = (0..count()).map(|_| {
        let made;
        let source = if random.chance(25) {
            made = grammar::statement(&mut random);
            &made
        } else {
            &sources[random.below(sources.len())]
        };
        let other = &sources[random.below(sources.len())];
        Statement::from(mutate::mutate(source, other, &mut random))
    });
    let figures = [figures::measure("mutations", statements)];
    show(&figures);
    assert!(figures[0].missing().is_empty());
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
