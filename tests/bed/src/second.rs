//! A second gate beside the bed's, configured otherwise, for the time of a test.

use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::{BedError, Result};
use crate::gate::{self, GateFiles, GateOptions};
use crate::process::ProcessId;
use crate::state::State;
use crate::{druid, places, process, progress, services};

/// For a gate that was asked to end to do so: its own grace period and some more.
const END_BOUND: Duration = Duration::from_secs(60);

/// A gate that ends when this is dropped. Its certificates and keys are the bed's, so the bed's tokens are good here too.
#[derive(Debug)]
pub struct GateProcess {
    /// The gate's address.
    pub url: String,
    /// Its audit records, JSON lines.
    pub audit: PathBuf,
    /// Its log, JSON lines.
    pub log: PathBuf,
    /// Its configuration, policy and password are here.
    pub dir: PathBuf,
    binary: PathBuf,
    child: Child,
    process: ProcessId,
    files: GateFiles,
}

impl GateOptions {
    /// What the bed's own gate was told, to be changed.
    pub fn of_bed() -> Result<Self> {
        let state = State::load()?.ok_or_else(|| BedError::new("no bed is up", "run `cargo bed up`"))?;
        Ok(Self {
            router_url: druid::base_url(&state, services::Service::Router)?,
            task_cancel: "READ".to_owned(),
            policy_text: gate::policy(&state.users),
            password: state.gate_password,
            sign_in: true,
            id_keys: Vec::new(),
            more: String::new(),
            environment: Vec::new(),
        })
    }
}

impl GateProcess {
    /// Starts it and waits until it answers.
    pub fn start(options: &GateOptions) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let binary = gate::binary()?;
        gate::ensure_certs(&binary)?;
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = places::bed_dir().join("gates").join(name);
        let port = places::free_ports(1)?.first().copied().unwrap_or_default();
        let files = GateFiles { dir: dir.clone(), port };
        files.write(options)?;
        let (audit, log) = (dir.join("audit.jsonl"), dir.join("gate.log"));
        let mut command = files.serve(&binary);
        command.envs(options.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(process::append(&audit)?).stderr(process::append(&log)?);
        let child = command.spawn().map_err(BedError::io(format!("start {}", binary.display())))?;
        let process = ProcessId::of(child.id()).unwrap_or(ProcessId { pid: child.id(), start: 0 });
        // From here on the child ends with it, on failure too.
        let gate = Self { url: files.url(), audit, log, dir, binary, child, process, files };
        gate.files.await_health(gate.process, &gate.log)?;
        Ok(gate)
    }

    /// Gives it another policy, by SIGHUP; an error where it refuses it.
    pub fn reload(&self, policy_text: &str) -> Result<()> {
        places::write_private(&self.files.policy(), policy_text)?;
        gate::reload(self.process, &self.log)
    }

    /// Signs a token for who is in these groups, good at every gate of the bed.
    pub fn token(&self, name: &str, groups: &[&str]) -> Result<String> {
        gate::token(&self.binary, name, groups)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid
    }

    /// Asks it to end by SIGTERM, and waits for how it ended.
    pub fn terminate(mut self) -> Result<ExitStatus> {
        self.process.signal("TERM")?;
        let child = &mut self.child;
        progress::until("the gate to end", END_BOUND, &format!("read {}", self.log.display()), || {
            child.try_wait().map_err(BedError::io("wait for the gate"))
        })
    }
}

impl Drop for GateProcess {
    fn drop(&mut self) {
        // It may have ended already; either way there is nothing left to do about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
