//! What an operator relies on: health, metrics, reloading, the account at Druid, audit files, the environment.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use msq_gate_bed::{GateOptions, GateProcess};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::client::Server;
use crate::recorder::Recorder;
use crate::support::{BED, options, own_gate, token, unique};

/// From a change of a file until the gate has heeded it.
const RELOAD_BOUND: Duration = Duration::from_secs(20);

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port()
}

/// The section for an admin listener on this port.
pub fn admin_section(port: u16) -> String {
    format!("\n[admin]\nlisten = \"127.0.0.1:{port}\"\n")
}

pub fn admin_on(port: u16) -> Server {
    Server::new(&format!("http://127.0.0.1:{port}"), &BED.ca)
}

pub fn await_that(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < RELOAD_BOUND, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A directory of the test's own, gone when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(unique(name));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn records(process: &GateProcess) -> Vec<Value> {
    let text = fs::read_to_string(&process.audit).expect("audit");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The sum of a metric's samples whose labels contain this text.
fn sum(metrics: &str, name: &str, labels: &str) -> u64 {
    let samples = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(labels));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn the_admin_listener_tells_health_readiness_and_metrics_that_agree_with_the_records() {
    let recorder = Recorder::start();
    let port = free_port();
    let more = admin_section(port);
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, ..options() });
    let admin = admin_on(port);
    assert_eq!(admin.get("/healthz").send().expect(200).text(), "ok\n");
    assert_eq!(admin.get("/readyz").send().expect(200).text(), "ready\n");
    let verbose = admin.get("/readyz?verbose").send().expect(200).text();
    assert_eq!(
        verbose,
        "[+] serving: ok\n[+] keys: ok\n[+] router: ok\n[+] certificate: ok\n[+] audit: ok\n[+] second_reading: ok\nready\n"
    );
    for unknown in ["/", "/metrics/", "/status/health", "/druid/v2/sql"] {
        admin.get(unknown).send().expect(404);
    }
    assert_eq!(admin.post("/metrics").send().expect(405).header("Allow"), Some("GET, HEAD"));

    let reader = token("reader");
    gate.get("/status").bearer(&token("admin")).send().expect(200);
    gate.get("/status").bearer("nonsense").send().expect(401);
    gate.get("/nope").bearer(&reader).send().expect(404);
    gate.get("/druid/indexer/v1/task/secret-1/status").bearer(&reader).send().expect(403);
    for _ in 0..2 {
        gate.get("/druid/indexer/v1/task/wiki-1/status").bearer(&reader).send().expect(200);
    }
    let ask = |text: &str| gate.post("/druid/v2/sql").bearer(&reader).body("text/plain", text).send().status;
    assert_eq!((ask("SELECT 1"), ask("SELECT FROM FROM")), (200, 400));
    drop(gate.connect());
    await_that("the records", || records(&process).iter().any(|record| record.get("connection").is_some()));
    let metrics = admin.get("/metrics").send().expect(200);
    assert_eq!(metrics.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let metrics = metrics.text();
    let records = records(&process);
    let (connections, requests): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| record.get("connection").is_some());
    for name in ["msq_gate_http_requests_total", "msq_gate_decisions_total"] {
        assert_eq!(sum(&metrics, name, ""), requests.len() as u64, "{name}");
    }
    for (status, count) in [(200, 4), (401, 1), (403, 1), (404, 1)] {
        let labels = format!("code=\"{status}\"");
        let recorded = requests.iter().filter(|record| record["status"] == status && record["row"] != "router_health");
        assert!(recorded.count() >= count, "{status}");
        assert!(sum(&metrics, "msq_gate_http_requests_total", &labels) >= count as u64, "{metrics}");
    }
    assert_eq!(sum(&metrics, "msq_gate_connections_refused_total", ""), connections.len() as u64);
    assert_eq!(sum(&metrics, "msq_gate_authn_total", "result=\"refused\",reason=\"malformed_token\""), 1);
    assert_eq!(sum(&metrics, "msq_gate_authn_total", "issuer=\"dev\",result=\"verified\""), 7);
    assert_eq!(sum(&metrics, "msq_gate_sql_parse_failures_total", ""), 1);
    assert!(metrics.contains("\nmsq_gate_sql_parse_seconds_count 1\n"), "{metrics}");
    assert_eq!(sum(&metrics, "msq_gate_http_requests_total", "route=\"sql\",method=\"POST\",code=\"400\""), 1);
    assert_eq!(sum(&metrics, "msq_gate_task_lookup_total", "cache=\"hit\""), 1);
    assert_eq!(sum(&metrics, "msq_gate_task_lookup_total", "result=\"found\",cache=\"miss\""), 2);
    assert_eq!(sum(&metrics, "msq_gate_audit_records_total", "written"), records.len() as u64);
    assert_eq!(records.iter().filter(|record| record["second_reading"].is_string()).count(), 1);
    assert_eq!(sum(&metrics, "msq_gate_second_readings_total", ""), 1);
    assert!(metrics.contains("\nmsq_gate_second_reading_stuck_threads 0\n"), "{metrics}");
    assert!(metrics.contains("\nmsq_gate_requests_in_flight 0\n"), "{metrics}");
    assert!(!metrics.contains("reader"), "a caller's name: {metrics}");
}

#[test]
fn without_a_router_the_gate_is_alive_and_not_ready() {
    let port = free_port();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let (_process, _) = own_gate(GateOptions { router_url: nobody, more: admin_section(port), ..options() });
    let admin = admin_on(port);
    await_that("the Router's health", || admin.get("/readyz").send().status == 503);
    let verbose = admin.get("/readyz?verbose").send().expect(503).text();
    assert!(verbose.contains("[-] router: no Router is healthy\n") && verbose.ends_with("not ready\n"), "{verbose}");
    admin.get("/healthz").send().expect(200);
}

/// A policy and a certificate that change, and bad ones, under a connection that stays.
#[test]
fn files_that_change_are_read_again_and_bad_ones_are_not_put_in_force() {
    let (recorder, port, files) = (Recorder::start(), free_port(), Directory::new("reload"));
    let certs = BED.ca.parent().expect("a directory");
    let copy = |name: &str| files.write(name, &fs::read_to_string(certs.join(name)).expect("PEM"));
    let (certificate, key) = (copy("server.pem"), copy("server-key.pem"));
    let environment = environment(&[("MSQ_GATE__SERVER__CERTIFICATE", &certificate), ("MSQ_GATE__SERVER__KEY", &key)]);
    let (router_url, more) = (recorder.url.clone(), admin_section(port));
    let (process, gate) = own_gate(GateOptions { router_url, more, environment, ..options() });
    let admin = admin_on(port);
    let policy = process.dir.join("policy.toml");
    let good = fs::read_to_string(&policy).expect("a policy");
    let reader = token("reader");
    let status = || gate.get("/druid/indexer/v1/task/wiki-1/status").bearer(&reader).send().status;
    let gauge = || {
        let metrics = admin.get("/metrics").send().expect(200).text();
        metrics.contains("\nmsq_gate_config_last_reload_successful 1\n")
    };
    let mut kept = gate.connect().expect("a connection");
    let mut on_kept = || {
        kept.write_all(b"GET /status/health HTTP/1.1\r\nHost: x\r\n\r\n").expect("the connection is kept");
        crate::client::read_answer(&mut *kept).expect("an answer").status
    };
    assert_eq!(on_kept(), 200);
    assert!(status() == 200 && gauge());
    fs::write(&policy, "").expect("written");
    await_that("the empty policy", || status() == 403);
    fs::write(&policy, "roles = 7").expect("written");
    await_that("the fault", || !gauge());
    assert_eq!(status(), 403);
    let log = fs::read_to_string(&process.log).expect("a log");
    assert!(
        log.contains("policy not reloaded, the old one stays in force") && log.contains("policy.toml:1:1"),
        "{log}"
    );
    fs::write(&policy, good).expect("written");
    await_that("the policy", || status() == 200 && gauge());

    let configuration = process.dir.join("gate.toml");
    let before = fs::read_to_string(&configuration).expect("a configuration");
    let pem = files.write("other.pem", &rcgen::KeyPair::generate().expect("a key").public_key_pem());
    let named = before.lines().find(|line| line.starts_with("keys_file")).expect("the keys' file");
    let other = before.replace(named, &format!("keys_file = \"{pem}\"\nalgorithms = [\"ES256\"]"));
    fs::write(&configuration, other).expect("written");
    await_that("the other key, also for a token that is cached", || status() == 401);
    fs::write(&configuration, before).expect("written");
    await_that("the first key", || status() == 200);

    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let own_ca = files.write("own.pem", &other.cert.pem());
    files.write("server.pem", &other.cert.pem());
    await_that("the certificate without its key", || !gauge());
    assert_eq!(status(), 200, "the old one stays");
    files.write("server-key.pem", &other.signing_key.serialize_pem());
    let renewed = Server::new(&process.url, Path::new(&own_ca));
    let health = renewed.get("/status/health").bytes();
    await_that("the new certificate", || renewed.try_raw(&health).is_ok_and(|answer| answer.status == 200));
    // A session of before may be resumed, which shows no certificate: this is a client that has none.
    let old = Server::new(&process.url, &BED.ca);
    assert!(old.try_raw(&health).is_err(), "the old one is gone");
    await_that("the metric", gauge);
    assert_eq!(on_kept(), 200, "the connection is kept");
}

/// A Router over TLS that asks for a certificate; keeps the `Authorization` of each request.
fn tls_router(server: &rcgen::CertifiedKey<rcgen::KeyPair>, client: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Seen {
    let mut roots = RootCertStore::empty();
    roots.add(client.cert.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = rustls::pki_types::PrivateKeyDer::try_from(server.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![server.cert.der().clone()], key)
        .expect("a certificate");
    let (config, seen) = (Arc::new(config), Arc::<Mutex<Vec<String>>>::default());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("bound"));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let (config, kept) = (Arc::clone(&config), Arc::clone(&kept));
            std::thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).expect("TLS"), tcp);
                let mut buffer = [0; 16 * 1024];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let head = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    let found = head.split("\r\n").find_map(|line| line.strip_prefix("authorization: "));
                    kept.lock().expect("lock").extend(found.map(str::to_owned));
                    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").is_err() {
                        return;
                    }
                }
            });
        }
    });
    Seen { url, seen }
}

struct Seen {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

#[test]
fn druid_is_reached_over_tls_with_a_certificate_and_a_password_that_may_both_change() {
    let files = Directory::new("druid");
    let [server, client] =
        [0, 1].map(|_| rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate"));
    let router = tls_router(&server, &client);
    let ca = files.write("ca.pem", &server.cert.pem());
    let certificate = files.write("client.pem", &client.cert.pem());
    let key = files.write("client-key.pem", &client.signing_key.serialize_pem());
    let token_file = files.write("token", "first\n");
    let (port, base) = (free_port(), options());
    // The bed's configuration names an account of its own; the environment cannot take keys away.
    let environment = environment(&[
        ("MSQ_GATE__DRUID__CA_FILE", &ca),
        ("MSQ_GATE__DRUID__CLIENT_CERTIFICATE", &certificate),
        ("MSQ_GATE__DRUID__CLIENT_KEY", &key),
        ("MSQ_GATE__DRUID__PASSWORD_FILE", &token_file),
    ]);
    let (_process, gate) =
        own_gate(GateOptions { router_url: router.url.clone(), more: admin_section(port), environment, ..base });
    gate.get("/status").bearer(&token("admin")).send().expect(200);
    await_that("readiness", || admin_on(port).get("/readyz").send().status == 200);
    let basic = |password: &str| {
        use base64::Engine;
        let pair = format!("msq_gate:{password}");
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    assert_eq!(router.seen.lock().expect("lock").last(), Some(&basic("first")));
    files.write("token", "second\n");
    await_that("the new password", || {
        gate.get("/status").bearer(&token("admin")).send().expect(200);
        router.seen.lock().expect("lock").last() == Some(&basic("second"))
    });
    // Another certificate, which the Router does not know; then the first again.
    let status = || gate.get("/status").bearer(&token("admin")).send().status;
    let show = |shown: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        files.write("client.pem", &shown.cert.pem());
        files.write("client-key.pem", &shown.signing_key.serialize_pem());
    };
    show(&server);
    await_that("the other certificate", || status() == 502);
    show(&client);
    await_that("the first certificate", || status() == 200);
}

#[test]
fn where_records_cannot_be_written_requests_are_refused_until_they_can() {
    let (recorder, port, files) = (Recorder::start(), free_port(), Directory::new("audit"));
    let path = files.0.join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
    let more = format!("{}\n[audit]\nfile = \"{}\"\n", admin_section(port), path.display());
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, ..options() });
    let status = || gate.get("/status").bearer(&token("admin")).send().status;
    await_that("the refusal", || status() == 503);
    recorder.take();
    let refused = gate.get("/status").bearer(&token("admin")).send().expect(503);
    assert_eq!(refused.header("Retry-After"), Some("1"));
    assert!(recorder.take().is_empty(), "nothing is sent that cannot be recorded");
    assert!(admin_on(port).get("/readyz?verbose").send().expect(503).text().contains("[-] audit: "));
    fs::remove_file(&path).expect("removed");
    await_that("the service", || status() == 200);
    let written = || fs::read_to_string(&path).unwrap_or_default();
    await_that("the records", || written().contains("\"audit_failed\"") && written().contains("\"status\":200"));
    admin_on(port).get("/readyz").send().expect(200);
}

#[test]
fn a_report_of_what_cannot_be_recorded_serves_all_the_same() {
    let (recorder, port) = (Recorder::start(), free_port());
    let more = format!("{}\n[audit]\nfile = \"/dev/full\"\nfailure = \"report\"\n", admin_section(port));
    let (process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, ..options() });
    for _ in 0..3 {
        gate.get("/status").bearer(&token("admin")).send().expect(200);
    }
    let log = || fs::read_to_string(&process.log).expect("a log");
    await_that("the report", || log().contains("audit records could not be written"));
    admin_on(port).get("/readyz").send().expect(200);
}

/// `check --online` with a running gate's own files: exit code and what it says.
fn check_online(process: &GateProcess, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_msq-gate"))
        .args(["check", "--online", "--config"])
        .arg(process.dir.join("gate.toml"))
        .envs(environment.iter().copied())
        .output()
        .expect("msq-gate");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The real Router, with the account that it knows and with one that it does not; and one that wants a certificate.
#[test]
fn check_online_asks_the_routers() {
    let files = Directory::new("online");
    let (process, _) = own_gate(options());
    let (code, text) = check_online(&process, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("  ok  Druid 27.0.0, which takes the gate's account\n"), "{text}");
    let wrong = files.write("wrong", "wrong\n");
    let (code, text) = check_online(&process, &[("MSQ_GATE__DRUID__PASSWORD_FILE", &wrong)]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("FAULT  Druid does not know the gate's own account (401); see the account"), "{text}");
    // One of its users that may not READ STATE.
    let password = files.write("reader", &crate::support::password("reader"));
    let as_reader = [("MSQ_GATE__DRUID__USERNAME", "reader"), ("MSQ_GATE__DRUID__PASSWORD_FILE", &password)];
    assert!(check_online(&process, &as_reader).1.contains("does not let it READ STATE (403)"));

    let [server, client] =
        [0, 1].map(|_| rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate"));
    let router = tls_router(&server, &client);
    let list = format!("[\"{}\"]", router.url);
    let told = |ca: &str| {
        let environment = [("MSQ_GATE__DRUID__ROUTERS", list.as_str()), ("MSQ_GATE__DRUID__CA_FILE", ca)];
        let (code, text) = check_online(&process, &environment);
        assert_eq!(code, Some(3), "{text}");
        text.rsplit_once("FAULT  ").expect("a fault").1.to_owned()
    };
    let own = told(&files.write("ca.pem", &server.cert.pem()));
    assert!(own.contains("CertificateRequired") && own.contains("`client_certificate`"), "{own}");
    let other = told(&files.write("other.pem", &client.cert.pem()));
    assert!(other.contains("invalid peer certificate") && other.contains("see `ca_file`"), "{other}");
}
