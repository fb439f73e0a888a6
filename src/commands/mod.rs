//! What the program can be asked to do: one file for each command, each of which gives its exit code.

pub mod check;
pub mod dev_certs;
pub mod dev_token;
pub mod explain;
mod reload;
pub mod routes;
pub mod serve;
pub mod sql_needs;

use std::io::Write;
use std::process::ExitCode;

use crate::config::IdSettings;
use crate::query_id::QueryIds;

/// Writes to standard output; a reader that has gone away is no fault of ours.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a fault to standard error and gives exit code 1.
fn fail(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::FAILURE
}

fn query_ids(settings: &IdSettings) -> QueryIds {
    let others: Vec<&[u8]> = settings.other_keys.iter().map(|key| key.expose().as_slice()).collect();
    QueryIds::new(settings.key.expose(), &others)
}

/// What may be shown on a terminal: no character that moves its cursor or does more.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(plain).collect()
}

/// Rows in columns, two spaces apart; the last column is as wide as it is.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:0$}", width(column)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
