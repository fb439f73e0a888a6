//! h2spec, the conformance tests of HTTP/2, through the gate: it fails nothing that hyper alone does not fail.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use msq_gate_bed::{GateOptions, Progress};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::recorder::Recorder;
use crate::support::{BED, options, own_gate, unique};

/// What hyper alone fails, and the gate with it.
const KNOWN: [&str; 0] = [];

/// As many tests as version 2.2.1 has, the strict ones too.
const COUNT: usize = 146;

/// Some of its tests reset stream after stream; the gate's own bound is for `h2::http2_is_bounded`.
const RESETS: usize = 10_000;

/// A page that needs no token, which h2spec cannot send, and is long enough for the tests of windows.
const LOGIN: &str = "/gate/login";

/// A run takes some seconds; a test that waits in vain, two.
const BOUND: Duration = Duration::from_secs(60);

/// Where the answer has ended a stream before the frame that breaks a rule comes, the frame is ignored (RFC 9113, section
/// 5.1), and h2spec, which sees no error, counts a failure: of hyper alone as of the gate, now of one test and now of
/// another. What fails in every one of so many runs is no such race.
const RUNS: usize = 10;

/// What fails whenever it is run; it is run no more than is needed.
fn always_failing(address: &str) -> BTreeSet<String> {
    let run = || {
        let (failed, count) = failures(address, &["-t", "-k", "-S"]);
        assert_eq!(count, COUNT);
        failed
    };
    let mut always = run();
    for _ in 1..RUNS {
        if always.is_empty() {
            break;
        }
        let again = run();
        always.retain(|name| again.contains(name));
    }
    always
}

/// Runs it and gives what failed, and how many tests ran.
fn failures(address: &str, args: &[&str]) -> (BTreeSet<String>, usize) {
    let h2spec = msq_gate_bed::h2spec(&Progress::start()).unwrap_or_else(|error| panic!("{error}"));
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(unique("h2spec-"));
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut command = Command::new(h2spec);
    command.args(["-h", host, "-p", port, "-P", LOGIN, "-o", "2", "-j"]).arg(&report).args(args);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("h2spec");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > BOUND {
            let _ = child.kill();
            let _ = child.wait();
            panic!("h2spec takes too long");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = std::fs::read_to_string(&report).expect("a report");
    std::fs::remove_file(&report).expect("removed");
    let cases: Vec<&str> = text.split("<testcase ").skip(1).collect();
    assert!(!text.contains("<skipped"), "none is left out");
    let attribute = |case: &str, name: &str| {
        let rest = case.split_once(&format!("{name}=\"")).expect("an attribute").1;
        rest.split('"').next().expect("quoted").to_owned()
    };
    let failed = cases.iter().filter(|case| case.contains("<failure") || case.contains("<error"));
    let failed = failed.map(|case| format!("{} {}", attribute(case, "package"), attribute(case, "classname")));
    (failed.collect(), cases.len())
}

/// Serves HTTP/2 as the gate does, by hyper alone, on a thread that ends with the test.
fn bare_hyper() -> String {
    let (certificate, key) = (BED.ca.with_file_name("server.pem"), BED.ca.with_file_name("server-key.pem"));
    let chain = CertificateDer::pem_file_iter(certificate).expect("a file").map(|it| it.expect("PEM")).collect();
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    listener.set_nonblocking(true).expect("set");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(|_| async {
                        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(&[b'a'; 4096]))))
                    });
                    // The settings of `src/server/connection.rs`, with the defaults of `src/config/limits.rs`.
                    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .timer(TokioTimer::new())
                        .max_concurrent_streams(100)
                        .max_pending_accept_reset_streams(RESETS)
                        .max_local_error_reset_streams(RESETS)
                        .max_header_list_size(32 * 1024)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
    });
    address
}

#[test]
fn the_gate_fails_nothing_of_h2spec_that_hyper_alone_does_not() {
    let recorder = Recorder::start();
    let more = format!("[limits]\npending_resets = {RESETS}\n");
    let (_process, gate) = own_gate(GateOptions { router_url: recorder.url.clone(), more, ..options() });
    let (bare, ours) = (always_failing(&bare_hyper()), always_failing(gate.address()));
    assert!(ours.is_subset(&bare), "the gate alone fails {:?}", ours.difference(&bare).collect::<Vec<_>>());
    assert_eq!(ours, KNOWN.iter().map(|&name| name.to_owned()).collect(), "the list is as committed");
    assert_eq!(recorder.take(), Vec::<String>::new());
    // What is no HTTP/2 fails: the report is read.
    let (none, count) = failures(recorder.url.trim_start_matches("http://"), &["generic/1"]);
    assert_eq!((none.len(), count), (1, 1), "{none:?}");
}
