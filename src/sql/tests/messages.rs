//! What a refusal says: where, what was not understood, and what to write instead.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{FILES, cases};
use crate::sql::{
    Destinations, ExternalRules, MAX_DEPTH, MAX_RESOURCES, MAX_TEXT_BYTES, MAX_TOKENS, Parameter, Refusal, RefusalCode,
    read, read_by, readings_disagree,
};

/// Of every reason, and of every sentence of its own, a statement, with the place and the sentence below it.
const MESSAGES: &str = include_str!("../../../tests/corpus/messages.txt");

/// The words with which a sentence tells what to do.
const INSTRUCTIONS: [&str; 6] = ["; write ", "; put ", "; add ", "; name ", "; use ", "; leave "];

/// Whether it says what was not understood, and what to write instead.
#[track_caller]
pub(super) fn check(refusal: &Refusal) {
    let message = &refusal.message;
    assert!(INSTRUCTIONS.iter().any(|words| message.contains(words)), "{message}");
    assert!(!message.ends_with('.') && !message.contains('\n') && message.len() < 400, "{message}");
    assert!(refusal.line >= 1 && refusal.column >= 1);
}

#[test]
fn every_reason_has_its_sentence() {
    let (mut told, mut found) = (BTreeSet::new(), String::new());
    for block in MESSAGES.split("\n---\n").skip(1) {
        let (sql, _) = block.rsplit_once("\n=> ").unwrap_or_else(|| panic!("no sentence: {block}"));
        let refusal = read(sql, &[]).unwrap_err();
        check(&refusal);
        told.insert(refusal.code);
        let Refusal { code, at, line, column, message } = refusal;
        writeln!(found, "---\n{sql}\n=> {} at {at}, line {line}, column {column}: {message}", code.as_str()).unwrap();
    }
    let (head, _) = MESSAGES.split_once("---\n").unwrap();
    assert!(MESSAGES == format!("{head}{found}"), "tests/corpus/messages.txt should be\n{head}{found}");
    // The bounds' texts are too long for a file.
    let of_bounds =
        [RefusalCode::TooDeep, RefusalCode::TooLong, RefusalCode::TooManyResources, RefusalCode::TooManyTokens];
    told.extend(of_bounds);
    // These take more than a text.
    let other = [
        RefusalCode::ExternalNotListed,
        RefusalCode::NotNarrowed,
        RefusalCode::ReadingsDisagree,
        RefusalCode::TooManyGrants,
    ];
    told.extend(other);
    let untold: Vec<_> = RefusalCode::ALL.iter().filter(|code| !told.contains(code)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

#[test]
fn a_bound_says_so_too() {
    let names: Vec<String> = (0..=MAX_RESOURCES).map(|number| format!("t{number}")).collect();
    for (sql, code) in [
        (format!("SELECT {}", "(".repeat(MAX_DEPTH + 1)), RefusalCode::TooDeep),
        (" ".repeat(MAX_TEXT_BYTES + 1), RefusalCode::TooLong),
        (format!("SELECT 1 FROM {}", names.join(",")), RefusalCode::TooManyResources),
        ("1,".repeat(MAX_TOKENS), RefusalCode::TooManyTokens),
    ] {
        let refusal = read(&sql, &[]).unwrap_err();
        assert_eq!(refusal.code, code);
        check(&refusal);
    }
}

#[test]
fn what_is_not_listed_and_what_is_read_two_ways_say_so_too() {
    let listing = ExternalRules { destinations: Some(Destinations::default()), ..ExternalRules::default() };
    let sql = r#"SELECT * FROM TABLE(EXTERN('{"type":"http","uris":["https://a/"]}', '{}'))"#;
    let refusal = read_by(&listing, sql, &[]).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::ExternalNotListed);
    check(&refusal);
    check(&readings_disagree());
}

#[test]
fn every_refusal_of_the_corpus_says_what_to_write() {
    for case in FILES.iter().flat_map(|(_, file)| cases(file)) {
        if let Err(refusal) = read(&case.sql, &case.parameters) {
            check(&refusal);
        }
    }
    let unknown = [Parameter::Other];
    check(&read("SELECT * FROM TABLE(APPEND(?))", &unknown).unwrap_err());
}

#[test]
fn no_sentence_is_as_long_as_its_text() {
    for sql in [format!("SELECT * FROM {}", "1".repeat(100_000)), format!("SELECT * FROM a {}1", "1".repeat(100_000))] {
        check(&read(&sql, &[]).unwrap_err());
    }
}
