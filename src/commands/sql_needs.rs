//! `msq-gate sql needs`: what the gate reads in statements, without a cluster, and by the rules of a configuration
//! if one is given.

mod lines;
mod people;
mod reader;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use self::reader::Reader;
use crate::config::{Config, SqlSettings};
use crate::json::Json;
use crate::reading_pool::on_large_stack;

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
    /// The statement, explained for a person
    statement: Option<String>,
    /// Explain the statement as JSON, for a machine
    #[arg(long, requires = "statement")]
    json: bool,
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

/// Answers. A refusal of a statement that is an argument is a failure, that of a line an answer.
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
        Some(statement) => explain(statement, needs.json, &reader),
        None => lines::answer_all(&reader),
    });
    answered.unwrap_or_else(|error| super::fail(&format!("cannot read: {error}")))
}

fn explain(statement: &str, as_json: bool, reader: &Reader) -> ExitCode {
    if as_json {
        let explained = people::json(statement, reader);
        super::say(&explained.render());
        return if explained.get("refused").is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let is_terminal = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    match people::explain(statement, is_terminal, reader) {
        Ok(explained) => {
            super::say(&explained);
            ExitCode::SUCCESS
        }
        Err(refused) => super::fail(&refused),
    }
}

fn number(number: usize) -> Json {
    Json::Number(number.to_string())
}
