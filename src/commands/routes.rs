//! `msq-gate routes`: the catalogue.

use std::process::ExitCode;

use clap::Args;

use crate::druid::{Alias, ROWS, Row};
use crate::json::Json;

/// List every endpoint of Druid that is served, and what it needs; all else is refused
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the rows.
#[must_use]
pub fn run(args: &RoutesArgs) -> ExitCode {
    super::say(&if args.json { as_json().render() } else { as_table() });
    ExitCode::SUCCESS
}

fn as_table() -> String {
    let head = ["METHOD", "PATH", "SINCE", "NEEDS"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(ROWS.iter().map(cells)).collect();
    super::aligned(&rows) + "\n*  also under /proxy/overlord and /proxy/coordinator\n** also under /proxy/coordinator"
}

fn cells(row: &Row) -> Vec<String> {
    let mark = match row.alias {
        Alias::None => "",
        Alias::Overlord => " *",
        Alias::Coordinator => " **",
    };
    vec![row.method.to_string(), format!("{}{mark}", row.path), row.since.to_string(), row.needs()]
}

fn as_json() -> Json {
    let rows = ROWS.iter().map(|row| {
        Json::object([
            ("name", Json::string(row.name)),
            ("method", Json::string(row.method.as_str())),
            ("path", Json::string(row.path)),
            (
                "alsoUnder",
                Json::Array(
                    row.alias.prefixes().iter().skip(1).map(|p| Json::string(format!("/{}", p.join("/")))).collect(),
                ),
            ),
            ("since", Json::Number(row.since.to_string())),
            ("query", Json::Array(row.query.iter().map(|parameter| Json::string(parameter.name)).collect())),
            ("needs", Json::string(row.needs())),
        ])
    });
    Json::Array(rows.collect())
}
