//! What the program can be asked to do: one file for each command, each of which gives its exit code.

pub mod check;
pub mod dev_certs;
pub mod dev_token;
mod reload;
pub mod routes;
pub mod serve;
pub mod sql_needs;

use std::io::Write;
use std::process::ExitCode;

/// Writes to standard output; a reader that has gone away is no fault of ours.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a fault to standard error and gives exit code 1.
fn fail(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;
