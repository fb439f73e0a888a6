//! `msq-gate sql needs`: what the gate reads in statements, without a cluster, and by the rules of a configuration
//! if one is given.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::config::{Config, SqlSettings};
use crate::json::{self, Json};
use crate::permission::Action;
use crate::reading_pool::on_large_stack;
use crate::sql::{self, Parameter, Reading, Second, StatementKind};

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
    /// Which reading answers; both: as `serve` does, the first, unless the second finds more, which is refused
    #[arg(long, value_enum, default_value_t = Readings::Both)]
    reading: Readings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Readings {
    First,
    Second,
    Both,
}

/// Why there is no answer: a word for it, the byte offset, and for people the place and the reason.
struct Unread {
    code: &'static str,
    at: usize,
    told: String,
}

impl Unread {
    fn new(code: &'static str, told: &str) -> Self {
        Self { code, at: 0, told: told.to_owned() }
    }
}

impl From<sql::Refusal> for Unread {
    fn from(refusal: sql::Refusal) -> Self {
        let told = format!("at line {}, column {}: {refusal}", refusal.line, refusal.column);
        Self { code: refusal.code.as_str(), at: refusal.at, told }
    }
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
    let reader = Reader { settings, readings: needs.reading };
    let answered = on_large_stack(|| match &needs.statement {
        Some(statement) => explain(statement, &reader),
        None => answer_lines(&reader),
    });
    answered.unwrap_or_else(|error| super::fail(&format!("cannot read: {error}")))
}

fn explain(statement: &str, reader: &Reader) -> ExitCode {
    match reader.read(statement, &[], None) {
        Ok(reading) => {
            super::say(&for_people(&reading));
            ExitCode::SUCCESS
        }
        Err(unread) => super::fail(&format!("refused ({}) {}", unread.code, unread.told)),
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

fn answer_lines(reader: &Reader) -> ExitCode {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let answer = match line {
            Ok(line) => answer(&line, reader),
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
fn answer(line: &str, reader: &Reader) -> Json {
    let (id, read) = match json::parse(line) {
        Ok(asked) => (asked.get("id").cloned().unwrap_or(Json::Null), read(&asked, reader)),
        Err(fault) => (Json::Null, Err(Unread { at: fault.at, ..Unread::new("not_json", "") })),
    };
    match read {
        Ok(reading) => {
            let resources = reading.resources.iter().map(|resource| Json::string(resource.to_line()));
            let statement = Json::string(statement_word(&reading));
            Json::object([("id", id), ("statement", statement), ("resources", Json::Array(resources.collect()))])
        }
        Err(Unread { code, at, .. }) => {
            Json::object([("id", id), ("refused", Json::string(code)), ("at", Json::Number(at.to_string()))])
        }
    }
}

fn read(asked: &Json, reader: &Reader) -> Result<Reading, Unread> {
    let text = asked.get("sql").and_then(Json::as_str).ok_or_else(|| Unread::new("no_sql", ""))?;
    let values = asked.get("parameters").and_then(Json::as_array).unwrap_or_default();
    let parameters: Vec<Parameter> = values.iter().map(parameter).collect();
    reader.read(text, &parameters, asked.get("context"))
}

/// How statements are read.
struct Reader {
    settings: SqlSettings,
    readings: Readings,
}

impl Reader {
    fn read(&self, text: &str, parameters: &[Parameter], context: Option<&Json>) -> Result<Reading, Unread> {
        let mut reading = self.read_statement(text, parameters)?;
        self.add_context_keys(&mut reading, context);
        Ok(reading)
    }

    fn read_statement(&self, text: &str, parameters: &[Parameter]) -> Result<Reading, Unread> {
        let (first, query) = sql::read_and_keep(&self.settings.external, text, parameters)?;
        let second = match self.readings {
            Readings::First => return Ok(first),
            Readings::Both if !self.settings.second_reading.reads(text) => return Ok(first),
            Readings::Second | Readings::Both => query.read(text, parameters),
        };
        match (self.readings, second) {
            (Readings::Second, Second::Found(found)) => Ok(found_alone(first, found)),
            (Readings::Second, Second::NotParsed) => {
                Err(Unread::new("not_parsed", "the second reading does not understand it"))
            }
            (Readings::Second, Second::TooLong) => {
                Err(Unread::new("too_long", "it has too many tokens to be read twice"))
            }
            (_, Second::Found(found)) if !found.is_within(&first) => Err(sql::readings_disagree().into()),
            (_, _) => Ok(first),
        }
    }

    /// What the keys of the request's context and of SET need, as `serve` adds it.
    fn add_context_keys(&self, reading: &mut Reading, context: Option<&Json>) {
        let members = match context {
            Some(Json::Object(members)) => members.as_slice(),
            Some(_) | None => &[],
        };
        let set = reading.set_options.iter().map(|option| option.name.as_str());
        let keys = members.iter().map(|(key, _)| key.as_str()).chain(set);
        reading.resources.extend(self.settings.context_keys.permissions(keys));
    }
}

/// What the second reading finds, and from the first what stands outside the query.
fn found_alone(first: Reading, found: sql::Found) -> Reading {
    let targets = first.resources.into_iter().filter(|resource| resource.action == Action::Write);
    let resources = found.resources.into_iter().chain(targets).collect();
    Reading { resources, system_tables: found.system_tables, ..first }
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

    fn by(readings: Readings) -> Reader {
        Reader { settings: SqlSettings::default(), readings }
    }

    fn check(line: &str, expect: &str) {
        for readings in [Readings::First, Readings::Second, Readings::Both] {
            assert_eq!(answer(line, &by(readings)).render(), expect, "{readings:?}");
        }
    }

    #[test]
    fn settings_hold() {
        let authorize = ContextKeys::Authorize { free: BTreeSet::from(["timeout".to_owned()]), secured: None };
        let external = ExternalRules { permission: ExternalPermission::ByType, ..ExternalRules::default() };
        let settings = SqlSettings { external, context_keys: authorize, ..SqlSettings::default() };
        let reader = Reader { settings, readings: Readings::Both };
        let line = r#"{"id": 1, "sql": "SET a = 1; SELECT * FROM TABLE(EXTERN('{\"type\":\"inline\"}', '{}'))", "context": {"b": 2, "timeout": 3}}"#;
        assert_eq!(
            answer(line, &reader).render(),
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
    fn each_reading_can_be_asked_alone() {
        let line = r#"{"id": 1, "sql": "SELECT x FORMAT JSON FROM a"}"#;
        let read = r#"{"id":1,"statement":"select","resources":["DATASOURCE|a|READ"]}"#;
        assert_eq!(answer(line, &by(Readings::First)).render(), read);
        assert_eq!(answer(line, &by(Readings::Both)).render(), read);
        assert_eq!(answer(line, &by(Readings::Second)).render(), r#"{"id":1,"refused":"not_parsed","at":0}"#);
    }

    #[test]
    fn a_refusal_names_its_place() {
        check(r#"{"id": 1, "sql": "SELECT # FROM a"}"#, r#"{"id":1,"refused":"lexical","at":7}"#);
        check(r#"{"id": 1}"#, r#"{"id":1,"refused":"no_sql","at":0}"#);
        check("SELECT 1", r#"{"id":null,"refused":"not_json","at":0}"#);
    }
}
