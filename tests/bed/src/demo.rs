//! The demo: who may submit what, each answer one that the gate really gave.

use std::fmt::Write;

use serde_json::{Value, json};
use ureq::Agent;

use crate::error::{BedError, Result};
use crate::grant::SAMPLE_USERS;
use crate::http;
use crate::state::BedFile;
use crate::status::aligned;

/// The gate's words before the list of what is missing.
const MISSING: &str = "Missing permissions: ";

/// The statements of the table: what a column is called, and what is submitted. Those that write touch days long before
/// the sample rows, so that every sample row is still there afterwards.
const STATEMENTS: [(&str, &str); 6] = [
    ("SELECT wiki", "SELECT page, added FROM wiki"),
    (
        "INSERT wiki reading wiki",
        "INSERT INTO wiki SELECT TIMESTAMP '1970-01-01' AS __time, page FROM wiki WHERE \"user\" = 'ada' PARTITIONED BY DAY",
    ),
    (
        "REPLACE wiki from constants",
        "REPLACE INTO wiki OVERWRITE WHERE __time >= TIMESTAMP '1970-01-02' AND __time < TIMESTAMP '1970-01-03' \
         SELECT TIMESTAMP '1970-01-02' AS __time, 'a constant' AS page PARTITIONED BY DAY",
    ),
    (
        "SELECT EXTERN",
        r#"SELECT a FROM TABLE(EXTERN('{"type":"inline","data":"1"}', '{"type":"csv","columns":["a"]}', '[{"name":"a","type":"long"}]'))"#,
    ),
    (
        "INSERT wiki from EXTERN",
        r#"INSERT INTO wiki SELECT TIMESTAMP '1970-01-03' AS __time, page FROM TABLE(EXTERN('{"type":"inline","data":"Oak"}', '{"type":"csv","columns":["page"]}', '[{"name":"page","type":"string"}]')) PARTITIONED BY DAY"#,
    ),
    ("SELECT 1", "SELECT 1"),
];

/// Submits every statement as every sample user, through the gate, and gives the answers as a table.
pub fn table(bed: &BedFile) -> Result<String> {
    let agent = http::trusting(&bed.ca)?;
    let heading = std::iter::once(vec!["USER".to_owned()]).chain(STATEMENTS.iter().map(|(title, _)| wrapped(title)));
    let mut rows = spread(&heading.collect::<Vec<_>>());
    for (name, _) in SAMPLE_USERS {
        let token = bed.users.get(name).map(|user| user.token.as_str()).unwrap_or_default();
        let mut cells = vec![vec![name.to_owned()]];
        for (_, sql) in STATEMENTS {
            cells.push(cell(&submit(&agent, &bed.gate, token, sql)?));
        }
        rows.push(Vec::new());
        rows.extend(spread(&cells));
    }
    Ok(aligned(&rows))
}

/// What the gate said to one statement: `ok`, what is missing, or the status.
fn submit(agent: &Agent, gate: &str, token: &str, sql: &str) -> Result<String> {
    let url = format!("{gate}/druid/v2/sql/task");
    let body = json!({"query": sql}).to_string();
    let answer = http::send(agent, "POST", &url, Some(&format!("Bearer {token}")), Some(&body))
        .map_err(|error| BedError::new(format!("POST {url}: {error}"), "see `cargo bed logs gate`"))?;
    let body = answer.json();
    let message = body.pointer("/error/errorMessage").and_then(Value::as_str).unwrap_or_default();
    Ok(match (answer.status, message.split_once(MISSING)) {
        (202, _) => "ok".to_owned(),
        (403, Some((_, missing))) => missing.to_owned(),
        (status, _) => format!("status {status}"),
    })
}

/// One line for each missing permission, and another for its name.
fn cell(answer: &str) -> Vec<String> {
    let lines = answer.split(", ").flat_map(|permission| {
        let words: Vec<&str> = permission.splitn(3, ' ').collect();
        match words.as_slice() {
            [action, kind, name] => vec![format!("{action} {kind}"), format!("  {name}")],
            _ => vec![permission.to_owned()],
        }
    });
    lines.collect()
}

/// A heading, two words on a line.
fn wrapped(title: &str) -> Vec<String> {
    let words: Vec<&str> = title.split(' ').collect();
    words.chunks(2).map(|pair| pair.join(" ")).collect()
}

/// Cells of several lines as several rows.
fn spread(cells: &[Vec<String>]) -> Vec<Vec<String>> {
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    let row = |line: usize| cells.iter().map(|cell| cell.get(line).cloned().unwrap_or_default()).collect();
    (0..height).map(row).collect()
}

/// What a person can do next: the addresses, the tokens, an allow and a 403 by hand.
#[must_use]
pub fn instructions(bed: &BedFile) -> String {
    let (gate, ca, file) = (&bed.gate, bed.ca.display(), BedFile::path());
    let mut text = format!(
        "the gate   {gate}\n           in a browser, paste `cargo bed token admin` into its page\nits CA     {ca}\nDruid      {} (its Router, with basic-security)\ntokens     {} (`cargo bed token NAME` prints one)\n\n",
        bed.router,
        file.display(),
    );
    let curl = |user: &str, query: &str| {
        let body = json!({"query": query});
        format!(
            "curl --cacert {ca} -H \"Authorization: Bearer $(cargo bed token {user})\" \\\n     -H 'Content-Type: application/json' -d '{body}' \\\n     {gate}/druid/v2/sql/task\n\n"
        )
    };
    let allowed = curl("reader", "SELECT page, added FROM wiki");
    let refused = curl("reader", "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY");
    // Writing to a String does not fail.
    let _ = write!(
        text,
        "# allowed: reader holds READ DATASOURCE wiki\n{allowed}# 403: WRITE DATASOURCE wiki is missing\n{refused}"
    );
    text
}
