//! `cargo bed`: the real parts, up and down. `cargo demo`: all of it, shown.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use msq_gate_bed::{BedError, BedFile, Progress, Result, demo};

/// A real Druid on loopback with the gate in front
#[derive(Parser)]
#[command(name = "cargo bed", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring up what does not run yet, and sign every token anew
    Up,
    /// End exactly what `up` started
    Down,
    /// Say what runs
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the end of a service's log (or `audit`: the gate's audit records)
    Logs {
        /// zookeeper, coordinator, indexer, broker, router, historical, gate or audit
        service: String,
        /// How many lines
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: usize,
    },
    /// Add a user at both ends, or change its grants
    User {
        /// Its name
        name: String,
        /// Grants, such as 'READ DATASOURCE wiki' 'WRITE DATASOURCE t*'
        grants: Vec<String>,
    },
    /// Print a user's token for the gate
    Token {
        /// Its name
        name: String,
    },
    /// Bring everything up, show who may submit what, and stay until Ctrl-C
    Demo,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let progress = Progress::start();
    match command {
        Command::Up => up(&progress),
        Command::Down => down(&progress),
        Command::Status { json } => status(json),
        Command::Logs { service, lines } => logs(&service, lines),
        Command::User { name, grants } => user(&name, &grants, &progress),
        Command::Token { name } => token(&name),
        Command::Demo => show(&progress),
    }
}

fn up(progress: &Progress) -> Result<()> {
    msq_gate_bed::heed_signals()?;
    let bed = msq_gate_bed::up(progress)?;
    progress.step(format!("up: the gate is {}, Druid's Router {}", bed.gate, bed.router));
    progress.step(format!("addresses and credentials are in {}", BedFile::path().display()));
    Ok(())
}

fn down(progress: &Progress) -> Result<()> {
    let ended = msq_gate_bed::down()?;
    progress.step(format!("down: {ended} processes ended"));
    Ok(())
}

fn status(json: bool) -> Result<()> {
    let services = msq_gate_bed::status()?;
    if json {
        let text = serde_json::to_string_pretty(&services).unwrap_or_default();
        return say(&(text + "\n"));
    }
    if services.is_empty() {
        return say("no bed is up: `cargo bed up` brings one up\n");
    }
    let heading = ["SERVICE", "STATE", "PID", "ADDRESS"].map(str::to_owned).to_vec();
    let rows = services.into_iter().map(|service| {
        let state = if service.running { "running" } else { "ended" };
        let pid = service.pid.map(|pid| pid.to_string()).unwrap_or_default();
        vec![service.service, state.to_owned(), pid, service.address]
    });
    say(&msq_gate_bed::aligned(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()))
}

fn logs(service: &str, lines: usize) -> Result<()> {
    let names = msq_gate_bed::service_names();
    let path = match service {
        "audit" => msq_gate_bed::audit_file(),
        name if names.contains(&name) => msq_gate_bed::log_of(name),
        name => {
            return Err(BedError::new(
                format!("no service is called {name}"),
                format!("use {} or audit", names.join(", ")),
            ));
        }
    };
    if !path.exists() {
        return Err(BedError::new(format!("there is no {}", path.display()), "bring a bed up: `cargo bed up`"));
    }
    eprintln!("{}", path.display());
    say(&(msq_gate_bed::tail(&path, lines) + "\n"))
}

fn user(name: &str, grants: &[String], progress: &Progress) -> Result<()> {
    msq_gate_bed::heed_signals()?;
    msq_gate_bed::add_user(name, grants, progress)?;
    let granted = if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") };
    progress.step(format!("{name} is known at both ends and may: {granted}"));
    progress.step(format!(
        "its credentials are in {}; `cargo bed token {name}` prints the token",
        BedFile::path().display()
    ));
    Ok(())
}

fn token(name: &str) -> Result<()> {
    let bed = BedFile::load()?.ok_or_else(|| BedError::new("no bed is up", "run `cargo bed up`"))?;
    let names = || bed.users.keys().cloned().collect::<Vec<_>>().join(", ");
    let user = bed.users.get(name);
    let user =
        user.ok_or_else(|| BedError::new(format!("no user is called {name}"), format!("use one of {}", names())))?;
    say(&format!("{}\n", user.token))
}

/// Takes everything down however it ends.
fn show(progress: &Progress) -> Result<()> {
    msq_gate_bed::heed_signals()?;
    let shown = msq_gate_bed::up(progress).and_then(|bed| {
        progress.step("up; asking the gate, as every sample user, for every statement");
        let table = demo::table(&bed)?;
        say(&format!(
            "\nWhat the gate said to each statement: ok, or what is missing.\n\n{table}\n{}",
            demo::instructions(&bed)
        ))?;
        progress.step("Ctrl-C takes everything down");
        msq_gate_bed::wait_for_signal();
        Ok(())
    });
    progress.step("taking everything down");
    down(progress)?;
    shown
}

/// Prints on standard output; a reader that has left is not an error of ours.
fn say(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(BedError::io("write to standard output")(error))
        }
        _ => Ok(()),
    }
}
