//! No text costs much: at each bound, and past it.

use std::time::{Duration, Instant};

use crate::sql::{MAX_DEPTH, MAX_RESOURCES, MAX_TEXT_BYTES, MAX_TOKENS, RefusalCode, read};

fn code(sql: &str) -> Option<RefusalCode> {
    read(sql, &[]).err().map(|refusal| refusal.code)
}

#[test]
fn groups_may_be_as_deep_as_the_bound_and_no_deeper() {
    for (open, close) in [("(", ")"), ("f(", ")"), ("(a + ", ")"), ("a[", "]"), ("(SELECT ", ")"), ("{fn f(", ")}")] {
        let nested = |depth: usize| format!("SELECT {}1{}", open.repeat(depth), close.repeat(depth));
        let per_level = if open == "{fn f(" { 2 } else { 1 };
        assert_eq!(code(&nested(MAX_DEPTH / per_level)), None, "{open}");
        assert_eq!(code(&nested(MAX_DEPTH / per_level + 1)), Some(RefusalCode::TooDeep), "{open}");
        assert_eq!(code(&nested(60_000)), Some(RefusalCode::TooDeep), "{open}");
        assert_eq!(code(&format!("SELECT {}", open.repeat(100_000))), Some(RefusalCode::TooDeep), "{open}");
    }
    for open in ["SELECT * FROM (", "WITH a AS (", "SELECT * FROM UNNEST(", "SELECT a FROM t JOIN ("] {
        assert_eq!(code(&open.repeat(50_000)), Some(RefusalCode::TooDeep), "{open}");
    }
}

#[test]
fn parentheses_around_an_argument_need_no_stack() {
    let nested = format!("SELECT * FROM TABLE(APPEND({}'a'{}))", "(".repeat(200_000), ")".repeat(200_000));
    assert_eq!(code(&nested), None);
}

/// Else two megabytes of names make an audit record of twelve and a refusal of thirty.
#[test]
fn many_tables_are_refused() {
    let tables = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("t{n}")).collect();
        code(&format!("SELECT 1 FROM {}", names.join(",")))
    };
    assert_eq!(tables(MAX_RESOURCES), None);
    assert_eq!(tables(MAX_RESOURCES + 1), Some(RefusalCode::TooManyResources));
    assert_eq!(code(&format!("SELECT 1 FROM t{}", ", t".repeat(5_000))), None, "one table, named often");
}

#[test]
fn long_texts_and_many_tokens_are_refused() {
    let blank = format!("SELECT 1{}", " ".repeat(MAX_TEXT_BYTES - 8));
    assert_eq!(code(&blank), None);
    assert_eq!(code(&format!("{blank} ")), Some(RefusalCode::TooLong));
    let list = format!("SELECT 1{}", ",1".repeat(MAX_TOKENS / 2 - 1));
    assert_eq!(code(&list), None);
    assert_eq!(code(&format!("{list},1")), Some(RefusalCode::TooManyTokens));
}

/// Texts that a careless reader would scan again and again. Linear, each takes some milliseconds even unoptimized.
#[test]
fn no_text_is_scanned_twice() {
    let start = Instant::now();
    let repeated = [
        "a-",
        "_a-",
        "$a-",
        "1.",
        "a.b:",
        "E'\\' ",
        "E'\\\\' ",
        "'",
        "''",
        "\"a\"\"",
        "/*",
        "/**",
        "/*+ a */",
        "/*+ a",
        "--",
        "-",
        "//\r",
        "U&'a' UESCAPE '!' ",
        "x LIMIT 1 ",
        "a.b.c.",
        "(a LIMIT 1),",
        "WITH a AS ",
        "/*+'*/",
        "a UNION ",
        "SELECT 1 UNION ",
        "FROM t,",
        "t QUALIFY,",
        "MULTISET UNION ",
        "_$a'",
        "$_a--",
        "{ ",
        "é",
        "aé$-",
    ];
    for piece in repeated {
        for prefix in ["", "SELECT ", "SELECT * FROM ", "SELECT f(", "$ SELECT "] {
            let _ = read(&format!("{prefix}{}", piece.repeat(40_000 / piece.len())), &[]);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn many_names_in_scope_are_found_fast() {
    let start = Instant::now();
    let list: Vec<String> = (0..8_000).map(|n| format!("a{n} AS (SELECT * FROM a{})", n / 2)).collect();
    let sql = format!("WITH {} SELECT * FROM a1", list.join(", "));
    assert_eq!(read(&sql, &[]).unwrap().resources.len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
