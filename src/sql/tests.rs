//! The reading, case by case: the statements are in files that know nothing of this code.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Parameter, Reading, Refusal, RefusalCode, lexer, read};

mod bounds;
mod details;
mod messages;
mod narrowing;
mod places;
mod soup;

const FILES: [(&str, &str); 3] = [
    ("differential.txt", include_str!("../../tests/corpus/differential.txt")),
    ("statements.txt", include_str!("../../tests/corpus/statements.txt")),
    ("refusals.txt", include_str!("../../tests/corpus/refusals.txt")),
];

struct Case<'a> {
    expected: &'a str,
    parameters: Vec<Parameter>,
    sql: String,
}

fn cases(file: &str) -> impl Iterator<Item = Case<'_>> {
    file.split("\n---\n").skip(1).map(|block| {
        let (expected, rest) = block.split_once('\n').unwrap();
        let mut parameters = Vec::new();
        let mut lines = rest.lines().peekable();
        while let Some(line) = lines.next_if(|line| line.starts_with("druid27: ") || line.starts_with("parameter: ")) {
            if let Some(text) = line.strip_prefix("parameter: ") {
                parameters.push(Parameter::Text(text.to_owned()));
            }
        }
        let sql = lines.collect::<Vec<_>>().join("\n").replace('␍', "\r").replace('␌', "\x0c").replace('␉', "\t");
        Case { expected, parameters, sql }
    })
}

fn outcome(reading: &Result<Reading, Refusal>) -> String {
    match reading {
        Ok(reading) if reading.resources.is_empty() => "expect: nothing".to_owned(),
        Ok(reading) => {
            let lines: Vec<_> = reading.resources.iter().map(crate::permission::ResourceAction::to_line).collect();
            format!("expect: {}", lines.join(", "))
        }
        Err(refusal) => format!("refused: {}", refusal.code.as_str()),
    }
}

#[test]
fn every_statement_of_the_corpus_reads_as_it_says() {
    let mut wrong = String::new();
    let mut count = 0;
    for (name, file) in FILES {
        for case in cases(file) {
            count += 1;
            let reading = read(&case.sql, &case.parameters);
            let outcome = outcome(&reading);
            if outcome != case.expected {
                let why = reading.err().map(|refusal| refusal.message).unwrap_or_default();
                write!(wrong, "\n{name}: {}\n  {}\n  found {outcome} {why}", case.sql, case.expected).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 300, "{count} statements");
}

#[test]
fn explain_and_set_change_nothing_of_a_need() {
    for case in FILES.iter().flat_map(|(_, file)| cases(file)) {
        let plain = read(&case.sql, &case.parameters);
        let already = case.sql.trim_start().get(..7).is_some_and(|word| {
            ["EXPLAIN", "DESCRIB", "SET ", "ALTER S"].iter().any(|known| word.to_uppercase().starts_with(known))
        });
        if already || plain.as_ref().is_err_and(|refusal| refusal.code == RefusalCode::UnsupportedStatement) {
            continue;
        }
        for prefix in ["EXPLAIN PLAN FOR ", "SET a = 1; SET b = 'c';\n"] {
            let other = read(&format!("{prefix}{}", case.sql), &case.parameters);
            assert_eq!(outcome(&plain), outcome(&other), "{prefix}{}", case.sql);
        }
    }
}

#[test]
fn every_reason_to_refuse_is_met_by_some_case() {
    let mut met: BTreeSet<RefusalCode> = FILES
        .iter()
        .flat_map(|(_, file)| cases(file))
        .filter_map(|case| read(&case.sql, &case.parameters).err())
        .map(|refusal| refusal.code)
        .collect();
    // This needs a list of destinations; the tests of EXTERN meet it.
    met.insert(RefusalCode::ExternalNotListed);
    // These are about who asks; the tests of narrowing meet them.
    met.extend([RefusalCode::NotNarrowed, RefusalCode::TooManyGrants]);
    // These need texts that nobody would write into a file, or a defect; other tests meet them.
    met.extend([
        RefusalCode::ReadingsDisagree,
        RefusalCode::TooDeep,
        RefusalCode::TooLong,
        RefusalCode::TooManyResources,
        RefusalCode::TooManyTokens,
    ]);
    let missing: Vec<_> = RefusalCode::ALL.iter().filter(|code| !met.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_refusal_tells_a_literal() {
    for case in FILES.iter().flat_map(|(_, file)| cases(file)) {
        let Ok(tokens) = lexer::lex(&case.sql) else { continue };
        let mut planted = case.sql.clone();
        for token in tokens.iter().rev().filter(|token| token.kind.is_text()) {
            let quote = planted.get(token.start()..).unwrap().find('\'').unwrap();
            planted.insert_str(token.start() + quote + 1, "canary");
        }
        if let Err(refusal) = read(&planted, &case.parameters) {
            assert!(!refusal.message.contains("canary"), "{planted}: {}", refusal.message);
        }
    }
}
