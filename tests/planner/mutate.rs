//! Statements with a few tokens changed.

use super::random::Random;

/// Tokens that change what a statement reads, or how.
const POOL: [&str; 74] = [
    ",",
    "(",
    ")",
    ".",
    "*",
    "TABLE",
    "FROM",
    "SELECT",
    "WITH",
    "AS",
    "UNION ALL",
    "LIMIT 1",
    "OFFSET 1",
    "ORDER BY",
    "JOIN",
    "ON",
    "WHERE",
    "secret",
    "\"secret\"",
    "druid.secret",
    "U&\"\\0061\"",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    "/***/",
    "/*+",
    "//",
    "\n",
    "\r",
    "VALUES",
    "EXISTS",
    "IN",
    "LATERAL",
    "UNNEST",
    "APPEND",
    "EXTERN",
    "'a'",
    "'a' 'b'",
    "?",
    ";",
    "=>",
    "=",
    "INSERT INTO",
    "REPLACE INTO",
    "EXPLAIN PLAN FOR",
    "DESCRIBE",
    "PARTITIONED BY",
    "CLUSTERED BY",
    "OVERWRITE ALL",
    "EXTEND",
    "SET",
    "RECURSIVE",
    "CASE",
    "END",
    "ARRAY",
    "MULTISET",
    "CURSOR",
    "ROW",
    "GROUP BY",
    "FILTER",
    "OVER",
    "WITHIN GROUP",
    "MATCH_RECOGNIZE",
    "TABLESAMPLE",
    "FOR SYSTEM_TIME AS OF",
    "NATURAL",
    "CROSS JOIN",
    "1.",
    "$",
    "e'",
    "sys.tasks",
    "EXCEPT",
];

/// In the place of an expression or a name, mostly without harm.
const HARMLESS: [&str; 14] = [
    "(SELECT MAX(x) FROM secret)",
    "(secret LIMIT 1)",
    "(TABLE secret)",
    "(WITH a AS (SELECT x FROM secret) SELECT MAX(x) FROM a)",
    "secret",
    "a",
    "\"a\"",
    "U&\"\\0061\"",
    "druid.a",
    "Secret",
    "'x'",
    "1",
    "(1)",
    "wiki",
];
/// Between two tokens, without harm.
const BETWEEN: [&str; 12] = [
    "/**/",
    "/* , secret */",
    " -- , secret\n",
    " // '\r",
    "/***/ , secret */",
    " \r\n",
    "\t",
    "\x0c",
    "/* /* */",
    " --\r",
    " /*+ h(a) */ ",
    "/* ' */",
];

/// One of `sources` with a few changes, or `made` where it is given.
pub fn one(made: Option<&str>, sources: &[String], random: &mut Random) -> String {
    let source = made.unwrap_or(&sources[random.below(sources.len())]);
    let other = &sources[random.below(sources.len())];
    mutate(source, other, random)
}

/// `statement` with a few changes; `other` lends tokens.
fn mutate(statement: &str, other: &str, random: &mut Random) -> String {
    let mut tokens = split(statement);
    let lent = split(other);
    let changes = if random.chance(60) { 1 } else { 1 + random.below(4) };
    for _ in 0..changes {
        if tokens.is_empty() {
            break;
        }
        let at = random.below(tokens.len());
        let end = (at + 1 + random.below(8)).min(tokens.len());
        match random.below(15) {
            9 | 10 => tokens.insert(at, random.pick(&BETWEEN).to_owned()),
            11..=14 => {
                // The next word or literal.
                let word =
                    |token: &String| token.chars().next().is_some_and(|c| c.is_alphanumeric() || "'\"".contains(c));
                if let Some(place) = (at..tokens.len()).find(|place| word(&tokens[*place])) {
                    tokens[place] = random.pick(&HARMLESS).to_owned();
                }
            }
            0 => {
                tokens.remove(at);
            }
            1 => tokens.insert(at, format!(" {} ", random.pick(&POOL))),
            2 => tokens[at] = random.pick(&POOL).to_owned(),
            3 => tokens.insert(at, tokens[random.below(tokens.len())].clone()),
            4 => {
                let with = random.below(tokens.len());
                tokens.swap(at, with);
            }
            5 => {
                // A run of the same statement again.
                let run = tokens[at..end].to_vec();
                let into = random.below(tokens.len());
                tokens.splice(into..into, run);
            }
            6 if !lent.is_empty() => {
                let from = random.below(lent.len());
                let until = (from + 1 + random.below(12)).min(lent.len());
                tokens.splice(at..at, lent[from..until].iter().cloned());
            }
            7 => {
                // A run in parentheses.
                tokens.insert(end, " ) ".to_owned());
                tokens.insert(at, " ( ".to_owned());
            }
            _ => {
                tokens.drain(at..end);
            }
        }
    }
    tokens.concat()
}

/// Words, runs of space, quoted texts, and single characters.
fn split(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if first.is_alphanumeric() || first == '_' || first == '$' => {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len())
            }
            _ if first.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = after;
    }
    tokens
}
