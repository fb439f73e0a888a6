//! The gate: built, given certificates, a configuration and a policy, started, asked whether it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::error::{BedError, Result};
use crate::process::ProcessId;
use crate::state::StoredUser;
use crate::{http, places, progress};

/// The account that the gate has with Druid.
pub const ACCOUNT: &str = "msq_gate";
/// From start to a first answer, with a debug build beside busy JVMs.
const HEALTH_BOUND: Duration = Duration::from_secs(30);
/// From the signal to the line that says what became of the new policy.
const RELOAD_BOUND: Duration = Duration::from_secs(10);
/// How long a sample user's token is valid: a working day and its night.
const TOKEN_TTL: &str = "24h";
/// How much of a log a failure shows.
const LOG_LINES: usize = 25;

/// What a gate is to be told; everything else is the same for all gates of a bed.
#[derive(Debug, Clone)]
pub struct GateOptions {
    /// The address of the Router, or of what stands in for it; several with spaces between them.
    pub router_url: String,
    /// `READ` or `WRITE`: what cancelling a query needs.
    pub task_cancel: String,
    /// The text of `policy.toml`.
    pub policy_text: String,
    /// The password of the gate's account.
    pub password: String,
    /// Whether browsers may sign in.
    pub sign_in: bool,
    /// The files of the key that signs ids and of those that are recognized too; of none, the bed's key signs.
    pub id_keys: Vec<PathBuf>,
    /// More text for the end of the configuration.
    pub more: String,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

/// The files of one gate.
#[derive(Debug)]
pub struct GateFiles {
    /// Where they are.
    pub dir: PathBuf,
    /// Where the gate listens, on loopback.
    pub port: u16,
}

impl GateFiles {
    /// The gate's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Writes configuration, policy and password; says whether the configuration is another than before.
    pub fn write(&self, options: &GateOptions) -> Result<bool> {
        places::write_private(&self.dir.join("gate-password"), &options.password)?;
        places::write_private(&self.policy(), &options.policy_text)?;
        let text = configuration(self.port, options);
        let changed = places::read_if_there(&self.configuration())?.as_ref() != Some(&text);
        places::write_private(&self.configuration(), &text)?;
        Ok(changed)
    }

    /// The policy file.
    #[must_use]
    pub fn policy(&self) -> PathBuf {
        self.dir.join("policy.toml")
    }

    /// The file that `serve` is given.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.dir.join("gate.toml")
    }

    /// The command that serves it.
    #[must_use]
    pub fn serve(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        // Nobody is asked to go elsewhere: there is no other gate.
        command.env("MSQ_GATE__SERVER__DRAIN_SECONDS", "0");
        command.arg("serve").arg("--config").arg(self.configuration());
        command
    }

    /// Waits until it answers.
    pub fn await_health(&self, process: ProcessId, log: &Path) -> Result<()> {
        let agent = http::trusting(&ca_file())?;
        let url = format!("{}/status/health", self.url());
        let next = format!("read {}", log.display());
        let healthy = progress::until("the gate's health", HEALTH_BOUND, &next, || {
            if !process.alive() {
                return Err(BedError::new("the gate ended while it started", &next));
            }
            let answer = http::send(&agent, "GET", &url, None, None);
            Ok(answer.is_ok_and(|answer| answer.status == 200).then_some(()))
        });
        healthy.map_err(|error| error.showing(places::tail(log, LOG_LINES)))
    }
}

fn configuration(port: u16, options: &GateOptions) -> String {
    let path = |name: &str| quoted(&certs_dir().join(name).display().to_string());
    let (certificate, key, keys) = (path("server.pem"), path("server-key.pem"), path("token-jwks.json"));
    let mut id_keys: Vec<String> = options.id_keys.iter().map(|file| quoted(&file.display().to_string())).collect();
    let id_key = if id_keys.is_empty() { path("id-key") } else { id_keys.remove(0) };
    let other_id_keys = id_keys.join(", ");
    let origin = if options.sign_in { format!("origin = \"https://127.0.0.1:{port}\"\n") } else { String::new() };
    let routers: Vec<String> = options.router_url.split(' ').map(quoted).collect();
    let (routers, cancel, more) = (routers.join(", "), quoted(&options.task_cancel), &options.more);
    format!(
        r#"[server]
listen = "127.0.0.1:{port}"
{origin}certificate = {certificate}
key = {key}

[druid]
routers = [{routers}]
username = "{ACCOUNT}"
password_file = "gate-password"

[ids]
key_file = {id_key}
other_key_files = [{other_id_keys}]

[policy]
file = "policy.toml"
task_cancel = {cancel}

[[issuers]]
name = "dev"
issuer = "https://issuer.example/dev"
audiences = ["msq-gate"]
keys_file = {keys}
typ = "at+jwt"
name_claim = "/name"
groups_claim = "/groups"
{more}"#
    )
}

/// The policy that grants at the gate what these users have at Druid: each is in a group of its own name.
#[must_use]
pub fn policy(users: &BTreeMap<String, StoredUser>) -> String {
    let granted = users.iter().filter(|(_, user)| !user.grants.is_empty());
    let role = |(name, user): (&String, &StoredUser)| {
        let grants: String = user.grants.iter().map(|grant| format!("    {},\n", quoted(grant))).collect();
        let name = quoted(name);
        format!(
            "[roles.{name}]\npermissions = [\n{grants}]\n\n[[bindings]]\nissuer = \"dev\"\ngroup = {name}\nroles = [{name}]\n\n"
        )
    };
    granted.map(role).collect()
}

/// A basic string of TOML: JSON's own, for text without control characters.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Certificates and keys of the bed.
#[must_use]
pub fn certs_dir() -> PathBuf {
    places::bed_dir().join("certs")
}

/// The certificate authority that signed the gate's certificate.
#[must_use]
pub fn ca_file() -> PathBuf {
    certs_dir().join("ca.pem")
}

/// The gate's binary: the one that `MSQ_GATE_BIN` names, or the workspace's, built now.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("MSQ_GATE_BIN") {
        return Ok(PathBuf::from(named));
    }
    built(&["--package", "msq-gate", "--bin", "msq-gate"])
}

/// The program that `cargo build` makes with these words.
///
/// # Errors
/// It does not build.
pub fn built(words: &[&str]) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet"])
        .args(words)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(places::workspace())
        .output()
        .map_err(BedError::io("run cargo"))?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back();
    executable.filter(|_| output.status.success()).ok_or_else(|| {
        let words = words.join(" ");
        BedError::new(format!("cargo does not build {words}"), format!("run `cargo build {words}`"))
            .showing(String::from_utf8_lossy(&output.stderr))
    })
}

/// Tells one build of the gate from another.
pub fn build_stamp(binary: &Path) -> Result<String> {
    let meta = std::fs::metadata(binary).map_err(BedError::io(format!("look at {}", binary.display())))?;
    let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(format!("{} {} {}", binary.display(), meta.len(), modified.as_nanos()))
}

/// Makes certificates and keys, unless they are there.
pub fn ensure_certs(binary: &Path) -> Result<()> {
    if ca_file().exists() {
        return Ok(());
    }
    let dir = certs_dir();
    run(binary, &["dev-certs", "--dir", &dir.display().to_string()]).map(drop)
}

/// Signs a token for a user who is in these groups.
pub fn token(binary: &Path, name: &str, groups: &[&str]) -> Result<String> {
    let key = certs_dir().join("token-key.pem").display().to_string();
    run(binary, &["dev-token", "--sub", name, "--groups", &groups.join(","), "--ttl", TOKEN_TTL, "--key", &key])
}

fn run(binary: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(binary).args(args).output().map_err(BedError::io(format!("run {}", binary.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let what = format!("`msq-gate {}` failed", args.first().copied().unwrap_or_default());
    Err(BedError::new(what, format!("run it by hand: {} {}", binary.display(), args.join(" ")))
        .showing(String::from_utf8_lossy(&output.stderr)))
}

/// Has the gate read its policy again, and waits for its word on it.
pub fn reload(process: ProcessId, log: &Path) -> Result<()> {
    let said = |wanted: &str| places::tail(log, usize::MAX).matches(wanted).count();
    let (taken, refused) = (r#""policy reloaded""#, r#""policy not reloaded"#);
    let before = (said(taken), said(refused));
    process.signal("HUP")?;
    progress::until("the gate to take its new policy", RELOAD_BOUND, "see `cargo bed logs gate`", || {
        if said(refused) > before.1 {
            let fault = BedError::new("the gate refused its new policy", "correct the grants");
            return Err(fault.showing(places::tail(log, LOG_LINES)));
        }
        Ok((said(taken) > before.0).then_some(()))
    })
}
