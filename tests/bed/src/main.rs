//! `cargo bed`: the real parts, up and down.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use msq_gate_bed::{Progress, Result};

/// A real Druid on loopback with the gate in front.
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
        Command::Up => {
            msq_gate_bed::heed_signals()?;
            msq_gate_bed::up(&progress)?;
            progress.step("up; addresses and credentials are in target/bed/bed.json");
        }
        Command::Down => {
            let ended = msq_gate_bed::down()?;
            progress.step(format!("down; {ended} processes ended"));
        }
    }
    Ok(())
}
