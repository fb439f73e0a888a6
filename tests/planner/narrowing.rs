//! Statements over system tables, made of the corpora: narrowed, the planners' grammars still take them.
//!
//! The tables here have any column until `SELECT *` fixes which: that a narrowed one has its columns, the bed shows.

use msq_gate::sql::{self, Visible};
use msq_gate_bed::planner::Version;

use crate::figures::{self, Statement};

/// What takes the place of a datasource, in turns.
const TABLES: [&str; 4] = ["sys.tasks", "sys.segments", "INFORMATION_SCHEMA.TABLES", "sys.server_segments"];

/// The statement with a system table wherever a word is the name of a datasource that it reads; none if there is none,
/// or if the gate does not read what comes of it.
pub fn over_system_tables(sql: &str, turn: usize) -> Option<String> {
    let reading = sql::read(sql, &[]).ok()?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names: Vec<String> = reading
        .resources
        .iter()
        .map(|resource| resource.to_line())
        .filter_map(|line| Some(line.strip_prefix("DATASOURCE|")?.strip_suffix("|READ")?.to_owned()))
        .filter(|name| name.chars().all(is_word))
        .collect();
    let mut made = String::new();
    let mut rest = sql;
    let mut count = turn;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if names.iter().any(|name| name == word) && !made.ends_with(['"', '\'']) {
            let plain = made.strip_suffix("druid.").map(str::to_owned).filter(|_| made.ends_with("druid."));
            made = plain.unwrap_or(made);
            made.push_str(TABLES[count % TABLES.len()]);
            count += 1;
        } else {
            made.push_str(word);
        }
        let next = after.chars().next().map_or(0, char::len_utf8);
        made.push_str(&after[..next]);
        rest = &after[next..];
    }
    (count > turn).then_some(made)
}

/// What the gate sends in place of the statement.
fn narrowed(sql: &str) -> Option<String> {
    let visible = Visible { datasources: vec!["a", "w*"], views: Vec::new() };
    let reading = sql::read(sql, &[]).ok()?;
    sql::narrow(sql, &[], &reading, &visible).unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"))
}

/// Judges the statements; gives how many of 27 and of 33 were taken, and what was not.
pub fn judge(statements: impl Iterator<Item = String>) -> ([usize; 2], String) {
    let pairs: Vec<(String, String)> = statements
        .enumerate()
        .filter_map(|(turn, sql)| over_system_tables(&sql, turn))
        .filter_map(|sql| narrowed(&sql).map(|narrowed| (sql, narrowed)))
        .collect();
    let both = |pair: &(String, String)| [Statement::from(pair.0.clone()), Statement::from(pair.1.clone())];
    let asked: Vec<Statement> = pairs.iter().flat_map(both).collect();
    let mut taken = [0, 0];
    let mut faults = String::new();
    for (place, (version, answers)) in Version::ALL.into_iter().zip(figures::ask_both(&asked)).enumerate() {
        for (pair, answers) in pairs.iter().zip(answers.chunks(2)) {
            if !answers[0].accepted {
                continue;
            }
            taken[place] += 1;
            let syntax =
                ["unexpected token", "Incorrect syntax", "Lexical"].iter().any(|word| answers[1].error.contains(word));
            // A hint may follow a name, and no query in parentheses: Druid 28 and newer refuse it there.
            let hint = pair.0.contains("/*+");
            if syntax && !hint || answers[1].accepted && answers[0].resources != answers[1].resources {
                faults += &format!("{}: {:?}\n  {:?}\n  {:?}\n", version.as_str(), pair.0, pair.1, answers[1]);
            }
        }
    }
    (taken, faults)
}
