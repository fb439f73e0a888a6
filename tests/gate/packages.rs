//! Real Python packages: each client has an environment of its own below `target/clients`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use msq_gate_bed::{Progress, python};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python of an environment with these requirements, one a line; made where it is missing or has others.
pub fn python_with(name: &str, requirements: &str) -> PathBuf {
    let clients = root().join("target/clients");
    fs::create_dir_all(&clients).expect("a folder");
    // Held until this returns: several tests may want the same.
    let turn = fs::File::create(clients.join(format!("{name}.lock"))).expect("a file");
    turn.lock().expect("a lock");
    let environment = clients.join(name);
    let (inside, list) = (environment.join("bin/python"), environment.join("requirements.txt"));
    // The list is written last, so what was broken off is made again.
    if fs::read_to_string(&list).is_ok_and(|there| there == requirements) {
        return inside;
    }
    let python = python(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment));
    let wanted = environment.join("wanted.txt");
    fs::write(&wanted, requirements).expect("written");
    run(Command::new(&inside).args(["-m", "pip", "install", "--quiet", "--no-compile", "-r"]).arg(&wanted));
    fs::rename(&wanted, &list).expect("renamed");
    inside
}

/// The same, of `tests/clients/NAME.txt`.
pub fn python_of(name: &str) -> PathBuf {
    python_with(name, &fs::read_to_string(root().join(format!("tests/clients/{name}.txt"))).expect("its requirements"))
}

/// Runs it in the root of the workspace; it must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What it prints, by line.
pub fn said_by(command: &mut Command) -> Vec<String> {
    String::from_utf8_lossy(&run(command).stdout).lines().map(str::to_owned).collect()
}
