//! What a statement needs does not depend on what Druid does not look at, and a query within another needs the same.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use msq_gate::permission::{Action, ResourceAction, ResourceType};
use msq_gate::sql::{self, Parameter, Reading, Refusal, StatementKind};
use msq_gate_fuzz::{check_refusal, images, tokens};

/// What stands between two tokens and is nothing. None holds a quote: `E'a\'` is a string if a quote follows anywhere.
const NOTHING: [&str; 6] =
    [" ", "\r\n", " /* , secret */ ", " /***/ , secret */ ", " -- , secret\r", " // FROM secret\n"];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // Two texts, with a character between them that no statement holds.
    match text.split_once('\0') {
        Some((first, second)) => check_pair(first, second),
        None => drop(check(text)),
    }
});

fn read(text: &str) -> Result<Reading, Refusal> {
    let parameters = ["p", "q", "wiki"].map(|text| Parameter::Text(text.to_owned()));
    sql::read(text, &parameters)
}

fn check(text: &str) -> Option<Reading> {
    let reading = read(text);
    assert_eq!(reading, read(text), "two readings of one text");
    match reading {
        Ok(reading) => {
            check_read(text, &reading);
            Some(reading)
        }
        Err(refusal) => {
            check_refusal(text, &refusal);
            None
        }
    }
}

fn check_read(text: &str, reading: &Reading) {
    let found = tokens(text);
    // A parameter may be named too.
    assert!(reading.resources.len() <= found.len() + 1 && reading.resources.len() <= sql::MAX_RESOURCES);
    check_joins(&images(text, &found), reading);

    let place = found[text.bytes().map(usize::from).sum::<usize>() % found.len()].start;
    for nothing in NOTHING {
        let other = format!("{}{nothing}{}", &text[..place], &text[place..]);
        assert_eq!(needs(reading), needs(&same(&other)), "{nothing:?} at {place}");
    }
    assert_eq!(needs(reading), needs(&same(&format!("SET a = 1; {text}"))));
    if reading.explain || !reading.set_options.is_empty() {
        return;
    }
    let explained = same(&format!("EXPLAIN PLAN FOR {text}"));
    assert!(explained.explain);
    assert_eq!(needs(reading), needs(&explained));
    if reading.kind == StatementKind::Select && !images(text, &found).contains(&";") {
        for (before, after) in [("SELECT * FROM (", "\n) q"), ("SELECT (", "\n)"), ("VALUES (1, (", "\n))")] {
            let around = format!("{before}{text}{after}");
            if let Some(found) = outer(&around) {
                assert_eq!(reading.resources, found, "{around}");
            }
        }
    }
}

type Needs<'a> = (StatementKind, &'a BTreeSet<ResourceAction>, &'a BTreeSet<String>, usize);

fn needs(reading: &Reading) -> Needs<'_> {
    (reading.kind, &reading.resources, &reading.input_source_types, reading.system_tables.len())
}

fn same(text: &str) -> Reading {
    read(text).unwrap_or_else(|refusal| panic!("{text:?} is refused: {refusal}"))
}

/// The resources of a query around one that is read; nothing where it is refused: too deep, or no query after all.
fn outer(text: &str) -> Option<BTreeSet<ResourceAction>> {
    read(text).ok().map(|reading| reading.resources)
}

/// A plain name after JOIN or TABLE is a table, unless a WITH makes it.
fn check_joins(images: &[&str], reading: &Reading) {
    for window in images.windows(3) {
        let [word, name, after] = window else { continue };
        let plain =
            name.bytes().all(|byte| byte.is_ascii_lowercase()) && !["lateral", "unnest", "table"].contains(name);
        let read_by = word.eq_ignore_ascii_case("JOIN") || word.eq_ignore_ascii_case("TABLE");
        if !read_by || !plain || ["(", "."].contains(after) {
            continue;
        }
        let item = images.windows(2).any(|pair| {
            pair[0].to_ascii_lowercase().contains(name) && (pair[1].eq_ignore_ascii_case("AS") || pair[1] == "(")
        });
        let escaped = images.iter().any(|image| image.starts_with(['u', 'U']) && image.contains('&'));
        let table = ResourceAction::new(Action::Read, ResourceType::Datasource, *name);
        assert!(item || escaped || reading.resources.contains(&table), "{name} is passed by");
    }
}

/// Two queries beside each other need what they need: the names of neither are seen by the other.
fn check_pair(first: &str, second: &str) {
    let (Some(one), Some(other)) = (query(first), query(second)) else { return };
    let both: BTreeSet<_> = one.resources.union(&other.resources).cloned().collect();
    for text in [
        format!("SELECT * FROM ({first}\n) a, ({second}\n) b"),
        format!("SELECT ({first}\n) FROM (SELECT 1) x WHERE EXISTS ({second}\n)"),
        format!("({first}\n) UNION ALL ({second}\n)"),
    ] {
        if let Some(found) = outer(&text) {
            assert_eq!(both, found, "{text}");
        }
    }
}

/// The reading of a query without parameters, which would count on.
fn query(text: &str) -> Option<Reading> {
    let reading = check(text)?;
    let alone = reading.kind == StatementKind::Select && !reading.explain && reading.set_options.is_empty();
    let closed = !images(text, &tokens(text)).iter().any(|image| [";", "?"].contains(image));
    (alone && closed).then_some(reading)
}
