//! Words and signs in any order: none panics, and what is read does not depend on blanks.

use std::time::{Duration, Instant};

use crate::sql::read;

const PIECES: [&str; 96] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "UNION",
    "ALL",
    "DISTINCT",
    "WITH",
    "AS",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ",",
    ".",
    ";",
    "*",
    "/",
    "+",
    "-",
    "=",
    "=>",
    "->",
    "||",
    "?",
    ":",
    "a",
    "wiki",
    "druid",
    "sys",
    "\"x\"",
    "\"a\"\"b\"",
    "U&\"\\0061\"",
    "UESCAPE",
    "'t'",
    "''''",
    "E'\\''",
    "N'n'",
    "_utf8'u'",
    "X'00'",
    "U&'\\0061'",
    "1",
    "1.5e3",
    ".5",
    "TABLE",
    "LATERAL",
    "UNNEST",
    "JOIN",
    "LEFT",
    "CROSS",
    "ON",
    "USING",
    "NATURAL",
    "VALUES",
    "ROW",
    "INSERT",
    "INTO",
    "REPLACE",
    "OVERWRITE",
    "PARTITIONED",
    "CLUSTERED",
    "EXTERN",
    "APPEND",
    "EXPLAIN",
    "PLAN",
    "FOR",
    "SET",
    "QUALIFY",
    "PIVOT",
    "MATCH_RECOGNIZE",
    "TABLESAMPLE",
    "MULTISET",
    "IS",
    "NOT",
    "WITHIN",
    "OVER",
    "EXTEND",
    "DESCRIBE",
    "/*+",
    "/*",
    "*/",
    "/***/",
    "--\n",
    "//\r",
    "\u{1}",
    "é",
];

/// Marsaglia's xorshift64: the same soup at every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[test]
fn no_soup_panics_or_takes_long() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let start = Instant::now();
    for _ in 0..15_000 {
        let mut sql = ["", "SELECT ", "SELECT a FROM ", "INSERT INTO t "][dice.roll(4)].to_owned();
        for _ in 0..dice.roll(40) {
            sql.push_str(PIECES[dice.roll(PIECES.len())]);
            sql.push_str(["", " ", " ", "\n"][dice.roll(4)]);
        }
        if let Err(refusal) = read(&sql, &[]) {
            assert!(refusal.at <= sql.len() && sql.is_char_boundary(refusal.at), "{sql}");
            assert!(refusal.line >= 1 && refusal.column >= 1 && !refusal.message.is_empty(), "{sql}");
        }
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn any_bytes_that_are_text_are_read_or_refused() {
    let mut dice = Dice(42);
    for _ in 0..15_000 {
        let sql: String = (0..dice.roll(60))
            .filter_map(|_| {
                let wide = dice.roll(8) == 0;
                char::from_u32(u32::try_from(dice.roll(if wide { 0x11_0000 } else { 0x80 })).unwrap())
            })
            .collect();
        let _ = read(&sql, &[]);
        let _ = read(&format!("SELECT \"a\" FROM wiki {sql}"), &[]);
    }
}
