//! `msq-gate sql needs`: what the gate reads in statements, without a cluster or a configuration.

mod lines;
mod people;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::inspect;
use crate::json::Json;
use crate::proxy::Rejection;

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
}

/// Answers. A refusal of a statement that is an argument is a failure, that of a line an answer.
#[must_use]
pub fn run(args: &SqlArgs) -> ExitCode {
    let SqlCommand::Needs(needs) = &args.command;
    match &needs.statement {
        Some(statement) if needs.json => {
            let explained = people::json(statement);
            super::say(&explained.render());
            if explained.get("refused").is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some(statement) => {
            let is_terminal = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            match people::explain(statement, is_terminal) {
                Ok(explained) => {
                    super::say(&explained);
                    ExitCode::SUCCESS
                }
                Err(refused) => super::fail(&refused),
            }
        }
        None => lines::answer_all(),
    }
}

/// Why a statement is refused: the reason code, the byte offset, as `serve` would have them.
fn refused(refusal: inspect::Refusal) -> (&'static str, usize) {
    match Rejection::from(refusal) {
        Rejection::BadRequest { code, at, .. } => (code, at.map_or(0, |at| at.offset)),
        other => (other.reason(), 0),
    }
}

fn number(number: usize) -> Json {
    Json::Number(number.to_string())
}
