//! `msq-gate routes`: the catalogue.

use std::process::ExitCode;

use clap::Args;

use crate::druid::{Alias, ROWS, Row, UNSERVED, Unserved};
use crate::json::Json;

/// List every endpoint of Druid that is served, with what it needs, and those that are not, with the reason
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the rows.
#[must_use]
pub fn run(args: &RoutesArgs) -> ExitCode {
    super::say(&if args.json { as_json().render() } else { as_text() });
    ExitCode::SUCCESS
}

fn as_text() -> String {
    let head = ["METHOD", "PATH", "DRUID", "NEEDS"].map(str::to_owned).to_vec();
    let served: Vec<_> = std::iter::once(head).chain(ROWS.iter().copied().map(cells)).collect();
    let head = ["METHOD", "PATH", "NOT SERVED BECAUSE"].map(str::to_owned).to_vec();
    let unserved: Vec<_> = std::iter::once(head).chain(UNSERVED.iter().map(unserved_cells)).collect();
    format!(
        "{}\n*  also under /proxy/overlord and /proxy/coordinator\n** also under /proxy/coordinator\n\n{}",
        super::aligned(&served),
        super::aligned(&unserved)
    )
}

fn cells(row: &Row) -> Vec<String> {
    let mark = match row.alias {
        Alias::None => "",
        Alias::Overlord => " *",
        Alias::Coordinator => " **",
    };
    vec![row.method.to_string(), format!("{}{mark}", row.path), versions(row), row.needs()]
}

fn unserved_cells(unserved: &Unserved) -> Vec<String> {
    let methods: Vec<&str> = unserved.methods.iter().map(http::Method::as_str).collect();
    vec![methods.join(","), unserved.path.to_owned(), unserved.reason.to_owned()]
}

/// The versions of Druid that have the endpoint: `24-`, or `24-30`.
fn versions(row: &Row) -> String {
    row.until.map_or_else(|| format!("{}-", row.since), |until| format!("{}-{until}", row.since))
}

fn as_json() -> Json {
    let served = ROWS.iter().map(|row| {
        let under = row.alias.prefixes().iter().skip(1).map(|prefix| Json::string(format!("/{}", prefix.join("/"))));
        Json::object([
            ("name", Json::string(row.name)),
            ("method", Json::string(row.method.as_str())),
            ("path", Json::string(row.path)),
            ("alsoUnder", Json::Array(under.collect())),
            ("since", Json::Number(row.since.to_string())),
            ("until", row.until.map_or(Json::Null, |until| Json::Number(until.to_string()))),
            ("query", Json::Array(row.query.iter().map(|parameter| Json::string(parameter.name)).collect())),
            ("needs", Json::string(row.needs())),
        ])
    });
    let unserved = UNSERVED.iter().map(|unserved| {
        let methods = unserved.methods.iter().map(|method| Json::string(method.as_str()));
        Json::object([
            ("methods", Json::Array(methods.collect())),
            ("path", Json::string(unserved.path)),
            ("reason", Json::string(unserved.reason)),
        ])
    });
    Json::object([("served", Json::Array(served.collect())), ("notServed", Json::Array(unserved.collect()))])
}
