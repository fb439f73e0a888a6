//! The gate's reading of SQL beside the answers of Druid's own planners, 27 and 33: `cargo planner`.
//!
//! What is recorded in `tests/corpus` is checked against fresh answers; with `PLANNER_RECORD=1` it is written anew.
//! `PLANNER_STATEMENTS` is how many statements each generator makes (`PLANNER_STATEMENTS=1000000 cargo planner generated`),
//! `PLANNER_SEED` where it begins; with `PLANNER_ERRORS=1` the most frequent errors of Druid are shown.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;
mod figures;
mod grammar;
mod mutate;
mod random;
mod running;
mod templates;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use msq_gate_bed::planner::{Answer, Version};

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
    if std::env::var_os("PLANNER_RECORD").is_some() {
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
    let figures = [figures::judge("corpus", &statements, &answers)];
    show(&figures);
    record(&corpus::directory().join("disagreements.txt"), &disagreements(&figures));
    assert!(figures[0].missing().is_empty(), "{}", figures[0].missing());
}

fn show_every_rule(files: &[corpus::File]) {
    let cases: Vec<&corpus::Case> = files.iter().flat_map(|file| &file.cases).collect();
    let rules = corpus::rules();
    for case in &cases {
        let rule = case.header("rule").or(case.header("mutant")).unwrap_or_else(|| panic!("{}: no rule", case.at));
        assert!(rules.iter().any(|(id, _)| id == rule), "{}: no rule {rule}", case.at);
    }
    for (rule, _) in &rules {
        let runs = |case: &&&corpus::Case| ["27", "33"].iter().any(|v| !case.header(v).unwrap().starts_with("rejects"));
        let shown = cases.iter().filter(|case| case.header("rule") == Some(rule)).find(runs);
        assert!(shown.is_some(), "no statement that runs shows {rule}");
        assert!(cases.iter().any(|case| case.header("mutant") == Some(rule)), "no mutant shows {rule}");
    }
}

/// Every hand-written statement on which the gate is not exact.
fn disagreements(figures: &[Figures]) -> String {
    let mut text = String::from(
        "# Hand-written statements that the gate does not read exactly as a planner does: one it refuses, or reads more of.\n",
    );
    for difference in figures.iter().flat_map(Figures::differences) {
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
    let figures = [figures::judge("templates", &statements, &answers)];
    show(&figures);
    assert!(figures[0].missing().is_empty(), "{}", figures[0].missing());
}

/// Druid's list names no action.
fn without_action(resources: &BTreeSet<String>) -> BTreeSet<String> {
    resources.iter().map(|word| word.rsplit_once('|').unwrap().0.to_owned()).collect()
}

/// Leaves its datasources in the bed.
#[test]
fn running_druid_explains_the_same() {
    let running = running::Running::ensure();
    let mut random = Random::new(seed());
    let made = (0..count()).map(|_| grammar::statement_over(&running::TABLES, &mut random));
    let hand = corpus::hand().into_iter().flat_map(|file| file.cases).filter(|case| case.parameters().is_empty());
    let statements: Vec<Statement> =
        hand.map(|case| case.sql).chain(templates::expand()).chain(made).map(Statement::from).collect();
    let answers = figures::ask_both(&statements);
    let (mut explained, mut accepted, mut faults) = (0, 0, String::new());
    for (statement, answer) in statements.iter().zip(&answers[0]) {
        let Ok(listed) = running.explain(&statement.sql) else { continue };
        explained += 1;
        accepted += usize::from(answer.accepted);
        let said = answer.accepted.then_some(&answer.resources).or(answer.registered.as_ref());
        if said.map(without_action).as_ref() != Some(&listed) {
            faults += &format!("{:?}\n  running {listed:?}\n  here    {answer:?}\n", statement.sql);
        }
        if figures::gate(statement).is_ok_and(|read| !without_action(&read).is_superset(&listed)) {
            faults += &format!("{:?}\n  running {listed:?}\n  gate    {:?}\n", statement.sql, figures::gate(statement));
        }
    }
    println!("asked {}, explained {explained}, of these accepted here {accepted}", statements.len());
    assert!(faults.is_empty(), "{faults}");
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
    let files = ["statements.txt", "differential.txt"].map(|name| corpus::read(&corpus::directory().join(name)));
    let cases = files.into_iter().chain(corpus::hand()).flat_map(|file| file.cases);
    let sources: Vec<String> = cases.map(|case| case.sql).collect();
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
