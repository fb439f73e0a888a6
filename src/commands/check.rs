//! `msq-gate check`: is the configuration fit to serve with?

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::say;
use crate::auth;
use crate::config::{self, Config, Faults, FileFault};
use crate::policy::Policy;

/// Reads configuration, keys and policy, and prints every fault. Exit code 0: none, 1: some.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Fetches the keys of every issuer too, and says which address gives none
    #[arg(long)]
    online: bool,
}

/// Runs the command.
#[must_use]
pub fn run(args: &CheckArgs) -> ExitCode {
    match report(args) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(text) => {
            say(&text);
            ExitCode::FAILURE
        }
    }
}

/// What to print, good or bad. The faults are the command's product, so they go to standard output too.
pub(super) fn report(args: &CheckArgs) -> Result<String, String> {
    match checked(args) {
        Ok((config, policy)) if args.json => Ok(summary_json(&config, &policy)),
        Ok((config, policy)) => Ok(summary(args, &config, &policy)),
        Err(faults) if args.json => Err(faults_json(&faults)),
        Err(faults) => Err(faults.to_string()),
    }
}

fn checked(args: &CheckArgs) -> Result<(Config, Policy), Faults> {
    let (config, policy) = config::check(&args.config)?;
    if args.online {
        let faults = fetch_keys(&config).map_err(|error| fault(args, format!("cannot fetch: {error}")))?;
        if !faults.is_empty() {
            return Err(Faults(faults.into_iter().flat_map(|message| fault(args, message).0).collect()));
        }
    }
    Ok((config, policy))
}

/// A fault that has no line of its own.
fn fault(args: &CheckArgs, message: String) -> Faults {
    Faults(vec![FileFault { file: args.config.clone(), place: None, message }])
}

/// What is wrong with the addresses of the issuers' keys.
fn fetch_keys(config: &Config) -> io::Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = runtime.block_on(auth::probe(&config.auth));
    Ok(results
        .into_iter()
        .filter_map(|(name, result)| result.err().map(|fault| format!("keys of issuer `{name}`: {fault}")))
        .collect())
}

fn summary(args: &CheckArgs, config: &Config, policy: &Policy) -> String {
    let (roles, bindings) = policy.counts();
    format!(
        "{}: no faults; listens on {}{}, Router {}, {} issuer(s), {roles} role(s), {bindings} binding(s)",
        args.config.display(),
        config.server.listen,
        if config.server.tls.is_some() { "" } else { " WITHOUT TLS" },
        routers(config),
        config.auth.issuers.len(),
    )
}

fn routers(config: &Config) -> String {
    config.druid.routers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn summary_json(config: &Config, policy: &Policy) -> String {
    let (roles, bindings) = policy.counts();
    json!({
        "ok": true,
        "listen": config.server.listen.to_string(),
        "tls": config.server.tls.is_some(),
        "routers": config.druid.routers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "issuers": config.auth.issuer_names(),
        "roles": roles,
        "bindings": bindings,
        "faults": [],
    })
    .to_string()
}

fn faults_json(faults: &Faults) -> String {
    let faults: Vec<_> = faults
        .0
        .iter()
        .map(|fault| {
            json!({
                "file": fault.file.display().to_string(),
                "line": fault.place.map(|(line, _)| line),
                "column": fault.place.map(|(_, column)| column),
                "message": fault.message,
            })
        })
        .collect();
    json!({ "ok": false, "faults": faults }).to_string()
}
