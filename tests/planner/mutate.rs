//! Statements with a few tokens changed.

use super::random::Random;

/// Tokens that change what a statement reads, or how.
const POOL: [&str; 74] = [
    ",", "(", ")", ".", "*", "TABLE", "FROM", "SELECT", "WITH", "AS", "UNION ALL", "LIMIT 1", "OFFSET 1", "ORDER BY",
    "JOIN", "ON", "WHERE", "secret", "\"secret\"", "druid.secret", "U&\"\\0061\"", "'", "\"", "--", "/*", "*/", "/***/",
    "/*+", "//", "\n", "\r", "VALUES", "EXISTS", "IN", "LATERAL", "UNNEST", "APPEND", "EXTERN", "'a'", "'a' 'b'", "?",
    ";", "=>", "=", "INSERT INTO", "REPLACE INTO", "EXPLAIN PLAN FOR", "DESCRIBE", "PARTITIONED BY", "CLUSTERED BY",
    "OVERWRITE ALL", "EXTEND", "SET", "RECURSIVE", "CASE", "END", "ARRAY", "MULTISET", "CURSOR", "ROW", "GROUP BY",
    "FILTER", "OVER", "WITHIN GROUP", "MATCH_RECOGNIZE", "TABLESAMPLE", "FOR SYSTEM_TIME AS OF", "NATURAL", "CROSS JOIN",
    "1.", "$", "e'", "sys.tasks", "EXCEPT",
];

/// `statement` with one to four changes; `other` lends tokens.
pub fn mutate(statement: &str, other: &str, random: &mut Random) -> String {
    let mut tokens = split(statement);
    let lent = split(other);
    for _ in 0..=random.below(4) {
        if tokens.is_empty() {
            break;
        }
        let at = random.below(tokens.len());
        let end = (at + 1 + random.below(8)).min(tokens.len());
        match random.below(9) {
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
