//! Processes that outlive the command that started them, known by id and start time.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{BedError, Result};
use crate::{places, progress};

/// How long a process may take to end by itself. Druid's services need one second, but for the
/// Indexer, which would wait minutes for a request that the Overlord keeps open; nothing of a bed is worth that wait.
const TERM_BOUND: Duration = Duration::from_secs(4);
/// How long the system may take to remove a killed process.
const KILL_BOUND: Duration = Duration::from_secs(10);

/// A process, told from a later one of the same id by its start time (clock ticks since boot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The process id.
    pub pid: u32,
    /// Field 22 of `/proc/<pid>/stat`.
    pub start: u64,
}

impl ProcessId {
    /// Who has this id now; nothing if nobody has, or it has ended and only waits to be collected.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses and may itself hold parentheses and spaces.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?;
        let start = fields.nth(18)?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(Self { pid, start })
    }

    /// Whether this very process runs.
    #[must_use]
    pub fn alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal (`TERM`, `HUP`, ...) to this very process; nothing happens where it has ended.
    pub fn signal(self, name: &str) -> Result<()> {
        if self.alive() {
            // A shell's own `kill` is on every system; a process ending between the two lines is no error.
            let mut command = Command::new("sh");
            command.args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &self.pid.to_string()]);
            command.stderr(Stdio::null()).status().map_err(BedError::io("run sh"))?;
        }
        Ok(())
    }
}

/// Starts `command` in a process group of its own, its output appended to `stdout` and `stderr`.
pub fn start(command: &mut Command, stdout: &Path, stderr: &Path) -> Result<ProcessId> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(append(stdout)?)
        .stderr(append(stderr)?)
        .process_group(0)
        .spawn()
        .map_err(BedError::io(format!("start {program}")))?;
    ProcessId::of(child.id())
        .ok_or_else(|| BedError::new(format!("{program} ended at once"), format!("read {}", stderr.display())))
}

/// A file of its own for what a process says, for this user only.
pub fn append(path: &Path) -> Result<fs::File> {
    places::make_dir(path.parent().unwrap_or(Path::new(".")))?;
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options.open(path).map_err(BedError::io(format!("open {}", path.display())))
}

/// Ends these processes: asked first, killed where they have not ended in time.
pub fn stop(processes: &[ProcessId]) -> Result<()> {
    signal_all(processes, "TERM")?;
    if wait_all(processes, TERM_BOUND).is_err() {
        signal_all(processes, "KILL")?;
    }
    wait_all(processes, KILL_BOUND)
}

fn signal_all(processes: &[ProcessId], name: &str) -> Result<()> {
    processes.iter().try_for_each(|process| process.signal(name))
}

fn wait_all(processes: &[ProcessId], bound: Duration) -> Result<()> {
    let gone = || Ok(processes.iter().all(|process| !process.alive()).then_some(()));
    progress::until_uninterrupted("processes to end", bound, "look at them with `ps`, end them by hand", gone)
}
