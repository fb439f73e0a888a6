//! `msq-gate sql needs`: what the gate reads in statements, without a cluster, and by the rules of a configuration
//! if one is given.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::config::{Config, SqlSettings};
use crate::json::{self, Json};
use crate::sql::{self, Parameter, Reading, Refusal, StatementKind};

/// Look at how the gate reads SQL
#[derive(Debug, Args)]
pub struct SqlArgs {
    #[command(subcommand)]
    command: SqlCommand,
}

#[derive(Debug, Subcommand)]
enum SqlCommand {
    Needs(NeedsArgs),
}

/// What statements need: one as an argument, or lines {"id", "sql", "parameters", "context"} from standard input, each answered by a line
#[derive(Debug, Args)]
struct NeedsArgs {
    /// The statement
    statement: Option<String>,
    /// The configuration file whose section [sql] holds; without one, its defaults do
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Answers; a refusal of a statement that is an argument is a failure.
#[must_use]
pub fn run(args: &SqlArgs) -> ExitCode {
    let SqlCommand::Needs(needs) = &args.command;
    let settings = match &needs.config {
        None => SqlSettings::default(),
        Some(file) => match Config::load(file) {
            Ok(config) => config.sql,
            Err(faults) => return super::fail(&faults.to_string()),
        },
    };
    match &needs.statement {
        Some(statement) => explain(statement, &settings),
        None => answer_lines(&settings),
    }
}

fn explain(statement: &str, settings: &SqlSettings) -> ExitCode {
    match sql::read_by(&settings.external, statement, &[]) {
        Ok(mut reading) => {
            add_context_keys(&mut reading, None, settings);
            super::say(&for_people(&reading));
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            let place = format!("line {}, column {}", refusal.line, refusal.column);
            super::fail(&format!("refused ({}) at {place}: {refusal}", refusal.code.as_str()))
        }
    }
}

fn for_people(reading: &Reading) -> String {
    let mut lines = vec![format!("{} statement", statement_word(reading))];
    lines.extend(reading.resources.iter().map(|resource| format!("needs {resource}")));
    if reading.resources.is_empty() {
        lines.push("needs an identity only".to_owned());
    }
    lines.extend(reading.input_source_types.iter().map(|name| format!("reads an input source of type {name}")));
    lines.extend(reading.set_options.iter().map(|option| format!("sets {}", option.name)));
    lines.join("\n")
}

fn answer_lines(settings: &SqlSettings) -> ExitCode {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let answer = match line {
            Ok(line) => answer(&line, settings),
            Err(error) => return super::fail(&format!("standard input: {error}")),
        };
        if writeln!(out, "{}", answer.render()).is_err() {
            // A reader that has gone away is no fault of ours.
            break;
        }
    }
    ExitCode::SUCCESS
}

/// The answer to one line.
fn answer(line: &str, settings: &SqlSettings) -> Json {
    let (id, read) = match json::parse(line) {
        Ok(asked) => (asked.get("id").cloned().unwrap_or(Json::Null), read(&asked, settings)),
        Err(fault) => (Json::Null, Err(("not_json", fault.at))),
    };
    match read {
        Ok(reading) => {
            let resources = reading.resources.iter().map(|resource| Json::string(resource.to_line()));
            let statement = Json::string(statement_word(&reading));
            Json::object([("id", id), ("statement", statement), ("resources", Json::Array(resources.collect()))])
        }
        Err((code, at)) => {
            Json::object([("id", id), ("refused", Json::string(code)), ("at", Json::Number(at.to_string()))])
        }
    }
}

fn read(asked: &Json, settings: &SqlSettings) -> Result<Reading, (&'static str, usize)> {
    let text = asked.get("sql").and_then(Json::as_str).ok_or(("no_sql", 0))?;
    let values = asked.get("parameters").and_then(Json::as_array).unwrap_or_default();
    let parameters: Vec<Parameter> = values.iter().map(parameter).collect();
    let reading = sql::read_by(&settings.external, text, &parameters);
    let mut reading = reading.map_err(|refusal: Refusal| (refusal.code.as_str(), refusal.at))?;
    add_context_keys(&mut reading, asked.get("context"), settings);
    Ok(reading)
}

/// What the keys of the request's context and of SET need, as `serve` adds it.
fn add_context_keys(reading: &mut Reading, context: Option<&Json>, settings: &SqlSettings) {
    let members = match context {
        Some(Json::Object(members)) => members.as_slice(),
        Some(_) | None => &[],
    };
    let set = reading.set_options.iter().map(|option| option.name.as_str());
    let keys = members.iter().map(|(key, _)| key.as_str()).chain(set);
    reading.resources.extend(settings.context_keys.permissions(keys));
}

/// A string, or Druid's form of one, `{"type": "VARCHAR", "value": ".."}`.
fn parameter(value: &Json) -> Parameter {
    let is_text = |kind: &str| kind.eq_ignore_ascii_case("VARCHAR") || kind.eq_ignore_ascii_case("CHAR");
    let typed =
        || value.get("type").and_then(Json::as_str).filter(|kind| is_text(kind)).and_then(|_| value.get("value"));
    let text = value.as_str().or_else(|| typed().and_then(Json::as_str));
    text.map_or(Parameter::Other, |text| Parameter::Text(text.to_owned()))
}

const fn statement_word(reading: &Reading) -> &'static str {
    if reading.explain {
        return "explain";
    }
    match reading.kind {
        StatementKind::Select => "select",
        StatementKind::Insert => "insert",
        StatementKind::Replace => "replace",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::druid::context::ContextKeys;
    use crate::sql::{ExternalPermission, ExternalRules};

    fn check(line: &str, expect: &str) {
        assert_eq!(answer(line, &SqlSettings::default()).render(), expect);
    }

    #[test]
    fn settings_hold() {
        let authorize = ContextKeys::Authorize { free: BTreeSet::from(["timeout".to_owned()]), secured: None };
        let external = ExternalRules { permission: ExternalPermission::ByType, ..ExternalRules::default() };
        let settings = SqlSettings { external, context_keys: authorize };
        let line = r#"{"id": 1, "sql": "SET a = 1; SELECT * FROM TABLE(EXTERN('{\"type\":\"inline\"}', '{}'))", "context": {"b": 2, "timeout": 3}}"#;
        assert_eq!(
            answer(line, &settings).render(),
            r#"{"id":1,"statement":"select","resources":["EXTERNAL|inline|READ","QUERY_CONTEXT|a|WRITE","QUERY_CONTEXT|b|WRITE"]}"#
        );
        check(line, r#"{"id":1,"statement":"select","resources":["EXTERNAL|EXTERNAL|READ"]}"#);
    }

    #[test]
    fn each_line_is_answered() {
        check(
            r#"{"id": "a", "sql": "INSERT INTO t SELECT * FROM wiki, sys.tasks PARTITIONED BY DAY"}"#,
            r#"{"id":"a","statement":"insert","resources":["DATASOURCE|t|WRITE","DATASOURCE|wiki|READ"]}"#,
        );
        check(r#"{"id": 1, "sql": "DESCRIBE VALUES (1)"}"#, r#"{"id":1,"statement":"explain","resources":[]}"#);
        check(
            r#"{"id": 1, "sql": "SELECT * FROM TABLE(APPEND(?, ?))", "parameters": ["a", {"type": "VARCHAR", "value": "b"}]}"#,
            r#"{"id":1,"statement":"select","resources":["DATASOURCE|a|READ","DATASOURCE|b|READ"]}"#,
        );
    }

    #[test]
    fn a_refusal_names_its_place() {
        check(r#"{"id": 1, "sql": "SELECT # FROM a"}"#, r#"{"id":1,"refused":"lexical","at":7}"#);
        check(r#"{"id": 1}"#, r#"{"id":1,"refused":"no_sql","at":0}"#);
        check("SELECT 1", r#"{"id":null,"refused":"not_json","at":0}"#);
    }
}
