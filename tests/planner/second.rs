//! The second reading beside the first, over every statement that the first reads. No planner is asked: what the
//! planners say of the corpus is recorded in it.

use std::fs;

use msq_gate::reading_pool::on_large_stack;
use msq_gate::sql::{self, ExternalRules, Found, Parameter, Reading, Second};

use crate::reading::Statement;
use crate::{corpus, count, grammar, mutations, random::Random, seed};

/// A statement, and whether one of the planners accepts it, if that is known.
type Known = (Statement, Option<bool>);

#[derive(Default)]
struct Tally {
    set: &'static str,
    asked: usize,
    read: usize,
    agreed: usize,
    /// Of these, those in which the second finds all that the first does.
    equal: usize,
    not_parsed: Vec<String>,
    /// Of these, those that a planner accepts.
    runs: Vec<String>,
    disagreed: Vec<String>,
}

fn measure(set: &'static str, statements: impl Iterator<Item = Known>) -> Tally {
    let mut tally = Tally { set, ..Tally::default() };
    for (Statement { sql, parameters }, accepted) in statements {
        tally.asked += 1;
        let parameters: Vec<Parameter> = parameters.into_iter().map(Parameter::Text).collect();
        let Ok((first, query)) = sql::read_and_keep(&ExternalRules::default(), &sql, &parameters) else { continue };
        tally.read += 1;
        match query.read(&sql, &parameters) {
            Second::Found(found) if found.is_within(&first) => {
                tally.agreed += 1;
                tally.equal += usize::from(has_all(&found, &first));
            }
            Second::Found(found) => tally.disagreed.push(format!("{sql:?}\n  first  {first:?}\n  second {found:?}")),
            Second::NotParsed | Second::TooLong => {
                if accepted == Some(true) {
                    tally.runs.push(sql.clone());
                }
                tally.not_parsed.push(sql);
            }
        }
    }
    tally
}

/// Whether the second reading finds all that the first does, the target aside.
fn has_all(found: &Found, first: &Reading) -> bool {
    let mut reads = first.resources.iter().filter(|resource| resource.action == msq_gate::permission::Action::Read);
    reads.all(|resource| found.resources.contains(resource)) && found.system_tables == first.system_tables
}

fn accepts(answer: &str) -> bool {
    !answer.starts_with("rejects")
}

fn hand() -> impl Iterator<Item = Known> {
    corpus::hand().into_iter().flat_map(|file| file.cases).map(|case| {
        let accepted = ["27", "33"].iter().filter_map(|version| case.header(version)).any(accepts);
        (Statement { parameters: case.parameters(), sql: case.sql }, Some(accepted))
    })
}

/// A line is what 27 answers, what 33 answers, and the statement.
fn templates() -> Vec<Known> {
    let text = fs::read_to_string(corpus::directory().join("expanded.tsv")).unwrap();
    let known = |line: &str| {
        let mut parts = line.splitn(3, '\t');
        let accepted = accepts(parts.next()?) | accepts(parts.next()?);
        Some((Statement::from(parts.next()?.to_owned()), Some(accepted)))
    };
    text.lines().filter_map(known).collect()
}

fn own() -> impl Iterator<Item = Known> {
    let files = ["statements.txt", "differential.txt"].map(|name| corpus::read(&corpus::directory().join(name)));
    let cases = files.into_iter().flat_map(|file| file.cases);
    cases.map(|case| (Statement { parameters: case.parameters(), sql: case.sql }, None))
}

fn tallies() -> Vec<Tally> {
    let mut random = Random::new(seed());
    let made = (0..count()).map(|_| (Statement::from(grammar::statement(&mut random)), None));
    vec![
        measure("hand-written", hand()),
        measure("templates", templates().into_iter()),
        measure("the reading's own", own()),
        measure("grammar", made),
        measure("mutations", mutations().map(|statement| (statement, None))),
    ]
}

/// The two readings agree wherever the second understands, which is nearly everywhere.
#[test]
fn second_reading_agrees() {
    let tallies = on_large_stack(tallies).unwrap();
    println!(
        "| set | asked | read by the first | agreed | of these equal | not parsed | of these run by a planner | disagreed |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for Tally { set, asked, read, agreed, equal, not_parsed, runs, disagreed } in &tallies {
        let (not_parsed, runs, disagreed) = (not_parsed.len(), runs.len(), disagreed.len());
        println!("| {set} | {asked} | {read} | {agreed} | {equal} | {not_parsed} | {runs} | {disagreed} |");
    }
    if std::env::var_os("PLANNER_ERRORS").is_some() {
        tallies.iter().flat_map(|tally| &tally.not_parsed).for_each(|sql| println!("{sql:?}"));
    }
    for tally in &tallies {
        assert!(tally.disagreed.is_empty(), "{}: {}", tally.set, tally.disagreed.join("\n"));
        assert!(tally.runs.is_empty(), "{}: {:?}", tally.set, tally.runs);
        // Of the mutations most are no SQL.
        if tally.set != "mutations" {
            assert!(tally.agreed * 100 >= tally.read * 93, "{}: {:?}", tally.set, tally.not_parsed);
        }
    }
}
