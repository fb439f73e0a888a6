//! The two proxies as processes of their own, and what the kernel says of them.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// From start to a listener.
const START_BOUND: Duration = Duration::from_secs(20);

const GATE: &str = env!("CARGO_BIN_EXE_msq-gate");

/// The files of a run, gone when dropped.
pub struct Files(pub PathBuf);

/// A running proxy; it ends when this is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    child: Child,
}

impl Files {
    /// Certificates, keys, policy and password for a gate.
    pub fn new() -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cost-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let files = Self(directory);
        files.gate(&["dev-certs", "--dir", "certs"]);
        files.write("password", "secret");
        files.write(
            "policy.toml",
            "[roles.bench]\npermissions = [\"READ DATASOURCE wiki\"]\n\n[[bindings]]\nissuer = \"dev\"\ngroup = \"bench\"\nroles = [\"bench\"]\n",
        );
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn gate(&self, words: &[&str]) -> String {
        let output = Command::new(GATE).args(words).current_dir(&self.0).output().expect("the gate's binary");
        assert!(output.status.success(), "msq-gate {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A token of who may read the datasource of the requests.
    pub fn token(&self) -> String {
        self.gate(&["dev-token", "--sub", "bench", "--groups", "bench"])
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left is in cargo's own directory for it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Proxy {
    /// The gate as it is shipped, its records in a file.
    pub fn gate(files: &Files, router: SocketAddr) -> Self {
        let address = free_address();
        files.write(
            "gate.toml",
            &format!(
                r#"[server]
listen = "{address}"
certificate = "certs/server.pem"
key = "certs/server-key.pem"

[druid]
router = "http://{router}"
username = "msq_gate"
password_file = "password"

[ids]
key_file = "certs/id-key"

[policy]
file = "policy.toml"
[sql]
second_reading = "off"

[audit]
file = "audit.jsonl"

[[issuers]]
name = "dev"
issuer = "https://issuer.example/dev"
audiences = ["msq-gate"]
keys_file = "certs/token-jwks.json"
typ = "at+jwt"
name_claim = "/name"
groups_claim = "/groups"
"#
            ),
        );
        let mut command = Command::new(GATE);
        command.args(["serve", "--config", "gate.toml"]);
        Self::start(command, files, "gate", address)
    }

    /// The proxy that only passes on.
    pub fn bare(files: &Files, router: SocketAddr) -> Self {
        let address = free_address();
        let mut command = Command::new(bare_binary());
        command.arg(address.to_string()).arg(format!("http://{router}"));
        command.args(["certs/server.pem", "certs/server-key.pem"]);
        Self::start(command, files, "bare", address)
    }

    fn start(mut command: Command, files: &Files, name: &str, address: SocketAddr) -> Self {
        let log = fs::File::create(files.path(&format!("{name}.log"))).expect("a log");
        // The cost is that of one core; the other one is the load's.
        command.current_dir(&files.0).env("TOKIO_WORKER_THREADS", "1");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("a process");
        let mut proxy = Self { address, child };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = proxy.child.try_wait().expect("a child").is_some();
            if ended || start.elapsed() > START_BOUND {
                let log = fs::read_to_string(files.path(&format!("{name}.log"))).unwrap_or_default();
                panic!("{name} does not listen on {address}\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy
    }

    /// The time that its threads have run, all together (`sched-stats.rst` of the kernel's documentation).
    pub fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running process");
        let of = |thread: PathBuf| {
            let text = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(threads.flatten().map(|thread| of(thread.path())).sum())
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already; either way there is nothing left to do about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// Builds it like the bench itself: cargo builds no examples for a bench.
fn bare_binary() -> PathBuf {
    msq_gate_bed::built(&["--release", "--example", "bare_proxy"]).expect("the bare proxy")
}
