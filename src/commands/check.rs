//! `msq-gate check`: is the configuration fit to serve with?

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{aligned, say};
use crate::auth;
use crate::config::{self, Config, Faults};
use crate::policy::Policy;
use crate::upstream;

/// The exit code where the files have faults.
const FAULTY: u8 = 1;

/// The exit code where the files are good, and not all that they name answers as it should. 2 is a command line that is not
/// understood.
const UNANSWERED: u8 = 3;

/// Reads configuration, keys and policy, and prints every fault. Exit code 0: none, 1: some
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// Asks every issuer for its keys and every Router for its health and version too. Exit code 3: not all is as it should be
    #[arg(long)]
    online: bool,
}

/// What to print where something is wrong, and the exit code that says what.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) text: String,
    pub(super) exit: u8,
}

/// Runs the command. The faults are its product, so they go to standard output too.
#[must_use]
pub fn run(args: &CheckArgs) -> ExitCode {
    match report(args) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(bad) => {
            say(&bad.text);
            ExitCode::from(bad.exit)
        }
    }
}

/// What to print, good or bad.
pub(super) fn report(args: &CheckArgs) -> Result<String, Bad> {
    let (config, policy) = config::check(&args.config).map_err(|faults| {
        let text = if args.json { faults_json(&faults) } else { faults.to_string() };
        Bad { text, exit: FAULTY }
    })?;
    let asked = if args.online { ask(&config) } else { Ok(Vec::new()) };
    let asked = asked.map_err(|error| Bad { text: format!("nothing can be asked: {error}"), exit: UNANSWERED })?;
    let all_good = asked.iter().all(|one| one.said.is_ok());
    let text = if args.json {
        summary_json(&config, &policy, args.online.then_some(&asked))
    } else {
        [summary(args, &config, &policy)].into_iter().chain(table(&asked)).collect::<Vec<_>>().join("\n\n")
    };
    if all_good { Ok(text) } else { Err(Bad { text, exit: UNANSWERED }) }
}

/// One that was asked, and what came of it.
struct Asked {
    kind: &'static str,
    name: String,
    said: Result<String, String>,
}

/// Issuers whose keys are fetched, and Routers, in the order of the configuration.
fn ask(config: &Config) -> io::Result<Vec<Asked>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let keys = runtime.block_on(auth::probe(&config.auth)).into_iter().map(|(name, keys)| {
        let said = keys.map(|count| format!("{count} keys")).map_err(|fault| fault.to_string());
        Asked { kind: "issuer", name, said }
    });
    let routers = runtime.block_on(upstream::probe(&config.druid, &config.limits)).into_iter().map(|probed| {
        let said = probed.version.map(|version| format!("Druid {version}, which takes the gate's account"));
        Asked { kind: "Router", name: probed.router.to_string(), said: said.map_err(|fault| fault.to_string()) }
    });
    Ok(keys.chain(routers).collect())
}

/// Nothing where nothing was asked.
fn table(asked: &[Asked]) -> Option<String> {
    let head = ["ASKED", "NAME", "", "WHAT IT SAID"].map(str::to_owned).to_vec();
    let row = |one: &Asked| {
        let (word, text) = match &one.said {
            Ok(text) => ("ok", text),
            Err(text) => ("FAULT", text),
        };
        vec![one.kind.to_owned(), one.name.clone(), word.to_owned(), text.clone()]
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(asked.iter().map(row)).collect();
    (!asked.is_empty()).then(|| aligned(&rows))
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

fn summary_json(config: &Config, policy: &Policy, asked: Option<&Vec<Asked>>) -> String {
    let (roles, bindings) = policy.counts();
    json!({
        "ok": asked.is_none_or(|asked| asked.iter().all(|one| one.said.is_ok())),
        "listen": config.server.listen.to_string(),
        "tls": config.server.tls.is_some(),
        "routers": config.druid.routers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "issuers": config.auth.issuer_names(),
        "roles": roles,
        "bindings": bindings,
        "faults": [],
        "asked": asked.map(|asked| asked.iter().map(asked_json).collect::<Vec<_>>()),
    })
    .to_string()
}

fn asked_json(one: &Asked) -> Value {
    let (Ok(said) | Err(said)) = &one.said;
    json!({ "kind": one.kind.to_lowercase(), "name": one.name, "ok": one.said.is_ok(), "said": said })
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
