//! The `msq-gate` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use msq_gate::commands::{check, dev_certs, dev_token, explain, routes, serve, sql_needs};

/// The entry point of an Apache Druid cluster: authenticates callers and authorizes their requests
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Routes(routes::RoutesArgs),
    Sql(sql_needs::SqlArgs),
    Explain(explain::ExplainArgs),
    DevCerts(dev_certs::DevCertsArgs),
    DevToken(dev_token::DevTokenArgs),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Routes(args) => routes::run(&args),
        Command::Sql(args) => sql_needs::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Check(args) => check::run(&args),
        Command::DevCerts(args) => dev_certs::run(&args),
        Command::DevToken(args) => dev_token::run(&args),
    }
}
