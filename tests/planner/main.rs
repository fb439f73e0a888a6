//! The gate's reading of SQL beside the answers of Druid's own planners, 27 and 33: `cargo planner`, 15 minutes or so.
//!
//! What is recorded in `tests/corpus` is checked against fresh answers; with `PLANNER_RECORD=1` it is written anew, and so
//! are the rows of the sets in the table of figures in ARCHITECTURE.md. `PLANNER_STATEMENTS` is how many statements each
//! generator makes (`PLANNER_STATEMENTS=1000000 cargo planner generated_statements mutated_statements`), `PLANNER_SEED`
//! where it begins; with `PLANNER_ERRORS=1` the most frequent errors of Druid are shown.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod by_type;
mod corpus;
mod figures;
mod grammar;
mod mutate;
mod random;
mod reading;
mod running;
mod second;
mod table;
mod tally;
mod templates;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use msq_gate_bed::planner::{Answer, Version};

use figures::Figures;
use random::Random;
use reading::{READERS, Statement};
use table::show;
use tally::Tally;

/// Statements that each generator makes, unless it is told otherwise.
const STATEMENTS: usize = 100_000;
/// A running Druid is asked for fewer: it plans each one to its end.
const EXPLAINED: usize = 2_000;
/// Of a hundred thousand statements that Druid accepts, so many at least are read exactly.
const HAND_EXACT: usize = 99_950;
const MADE_EXACT: usize = 99_900;

/// At least so many statements that run are written by hand, and of these so many as people write them.
const HAND: usize = 400;
const USUAL: usize = 60;

/// Whether what is recorded is written anew.
fn recording() -> bool {
    std::env::var_os("PLANNER_RECORD").is_some()
}

/// What a planner answers, in one line.
fn line(answer: &Answer) -> String {
    let words = |set: &BTreeSet<String>| match set.len() {
        0 => "nothing".to_owned(),
        _ => set.iter().cloned().collect::<Vec<_>>().join(", ").replace('\n', "⏎"),
    };
    match &answer.registered {
        _ if answer.accepted => words(&answer.resources),
        Some(registered) if !registered.is_empty() => format!("rejects, having found {}", words(registered)),
        _ => "rejects".to_owned(),
    }
}

/// Writes `text` where that is asked for; otherwise it must be there already.
fn record(path: &Path, text: &str) {
    if recording() {
        fs::write(path, text).unwrap();
        return;
    }
    let recorded = fs::read_to_string(path).unwrap_or_default();
    let differing = recorded.lines().zip(text.lines()).enumerate().find(|(_, (old, new))| old != new);
    let path = path.display();
    assert!(recorded == text, "{path} is not what the planners answer now ({differing:?}); PLANNER_RECORD=1 writes it");
}

/// The statements written by hand: their answers are those recorded, every rule is shown, and the gate misses nothing.
#[test]
fn hand_written_statements() {
    let mut files = corpus::hand();
    let statements: Vec<Statement> = files
        .iter()
        .flat_map(|file| &file.cases)
        .map(|case| Statement { sql: case.sql.clone(), parameters: case.parameters() })
        .collect();
    let answers = figures::ask_both(&statements);
    for (place, case) in files.iter_mut().flat_map(|file| &mut file.cases).enumerate() {
        for (version, answers) in Version::ALL.into_iter().zip(&answers) {
            case.set(version.as_str(), line(&answers[place]));
        }
    }
    for file in &files {
        record(&file.path, &corpus::render(file));
    }
    show_every_rule(&files);
    let figures = figures::judge("hand-written", &statements, &answers);
    show(&figures);
    record(&corpus::directory().join("disagreements.txt"), &disagreements(&figures));
    figures.must_be_exact(HAND_EXACT);
}

fn show_every_rule(files: &[corpus::File]) {
    let cases: Vec<&corpus::Case> = files.iter().flat_map(|file| &file.cases).collect();
    let rules = corpus::rules();
    for case in &cases {
        let rule = case.header("rule").or(case.header("mutant")).unwrap_or_else(|| panic!("{}: no rule", case.at));
        assert!(rules.iter().any(|(id, _)| id == rule), "{}: no rule {rule}", case.at);
    }
    let runs = |case: &&&corpus::Case| ["27", "33"].iter().any(|v| !case.header(v).unwrap().starts_with("rejects"));
    let shown: Vec<&str> = cases.iter().filter(runs).filter_map(|case| case.header("rule")).collect();
    for (rule, _) in &rules {
        assert!(shown.contains(&rule.as_str()), "no statement that runs shows {rule}");
        assert!(cases.iter().any(|case| case.header("mutant") == Some(rule)), "no mutant shows {rule}");
    }
    let usual = shown.iter().filter(|rule| rule.starts_with("usual.")).count();
    assert!(shown.len() >= HAND && usual >= USUAL, "{} run, {usual} of them as people write them", shown.len());
}

/// Every hand-written statement on which the gate is not exact.
fn disagreements(figures: &Figures) -> String {
    let mut text = String::from(
        "# Hand-written statements that the gate does not read exactly as a planner does: one it refuses, or reads more of.\n",
    );
    for difference in
        figures.tallies.iter().filter(|tally| tally.reader == READERS[0].name).flat_map(Tally::differences)
    {
        text += &format!("\n{difference}");
    }
    text
}

/// The templates' statements: their answers are those recorded, and the gate misses nothing.
#[test]
fn expanded_statements() {
    let statements: Vec<Statement> = templates::expand().into_iter().map(Statement::from).collect();
    let answers = figures::ask_both(&statements);
    let lines: String = statements
        .iter()
        .zip(answers[0].iter().zip(&answers[1]))
        .map(|(statement, (old, new))| format!("{}\t{}\t{}\n", line(old), line(new), statement.sql))
        .collect();
    record(&corpus::directory().join("expanded.tsv"), &lines);
    let figures = figures::judge("templates", &statements, &answers);
    show(&figures);
    figures.must_be_exact(HAND_EXACT);
}

/// The statements of these files.
fn cases(files: &[&str]) -> impl Iterator<Item = Statement> {
    let files: Vec<corpus::File> = files.iter().map(|name| corpus::read(&corpus::directory().join(name))).collect();
    let cases = files.into_iter().flat_map(|file| file.cases);
    cases.map(|case| Statement { parameters: case.parameters(), sql: case.sql })
}

/// The corpus of the reading's own tests says what it expects; here Druid says it too.
#[test]
fn the_reading_s_own_corpus() {
    let statements: Vec<Statement> = cases(&["statements.txt", "differential.txt", "refusals.txt"]).collect();
    let figures = figures::judge("the reading's own", &statements, &figures::ask_both(&statements));
    show(&figures);
    assert!(figures.missing().is_empty(), "{}", figures.missing());
}

/// Leaves its datasources in the bed.
#[test]
fn running_druid_explains_the_same() {
    let running = running::Running::ensure();
    let mut random = Random::new(seed());
    let hand = corpus::hand().into_iter().flat_map(|file| file.cases).filter(|case| case.parameters().is_empty());
    let mut written: Vec<String> = hand.map(|case| case.sql).chain(templates::expand()).collect();
    written.extend(cases(&["differential.txt"]).filter(|case| case.parameters.is_empty()).map(|case| case.sql));
    let made: Vec<String> =
        (0..EXPLAINED).map(|_| grammar::statement_over(&msq_gate_bed::TABLES, &mut random)).collect();
    written.extend(made);
    let changed: Vec<String> = (0..EXPLAINED).map(|_| mutate::one(None, &written, &mut random)).collect();
    written.extend(changed);
    let statements: Vec<Statement> = written.into_iter().map(Statement::from).collect();
    let answers = figures::ask_both(&statements);
    let figures = running.judge(&statements, &answers[0]);
    show(&figures);
    assert!(figures.missing().is_empty(), "{}", figures.missing());
}

/// How many statements each generator makes.
fn count() -> usize {
    std::env::var("PLANNER_STATEMENTS").map_or(STATEMENTS, |count| count.parse().unwrap())
}

fn seed() -> u64 {
    std::env::var("PLANNER_SEED").map_or(1, |seed| seed.parse().unwrap())
}

#[test]
fn generated_statements() {
    let mut random = Random::new(seed());
    let statements = (0..count()).map(|_| Statement::from(grammar::statement(&mut random)));
    let figures = figures::measure("generated", statements);
    show(&figures);
    figures.must_be_exact(MADE_EXACT);
}

fn mutations() -> impl ExactSizeIterator<Item = Statement> {
    let mut random = Random::new(seed());
    let hand = corpus::hand().into_iter().flat_map(|file| file.cases).map(|case| case.sql);
    let sources: Vec<String> =
        cases(&["statements.txt", "differential.txt"]).map(|case| case.sql).chain(hand).collect();
    (0..count()).map(move |_| {
        let made = random.chance(25).then(|| grammar::statement(&mut random));
        Statement::from(mutate::one(made.as_deref(), &sources, &mut random))
    })
}

#[test]
fn mutated_statements() {
    let figures = figures::measure("mutations", mutations());
    show(&figures);
    assert!(figures.missing().is_empty(), "{}", figures.missing());
}
