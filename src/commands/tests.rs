//! The commands together: what `dev-certs` makes, `check` accepts and `dev-token` signs.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use clap::Parser;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::{check, dev_certs, dev_token};
use crate::auth::{Authentication, Authenticator, Identity};
use crate::config::Config;

/// Arguments as the command line gives them.
#[derive(Parser)]
struct Line<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

fn args<A: clap::Args>(words: &[&str]) -> A {
    Line::<A>::try_parse_from([&["test"], words].concat()).map(|line| line.args).unwrap_or_else(|e| panic!("{e}"))
}

/// A directory, gone when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("msq-gate-commands-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&directory.0).unwrap();
        directory
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:8443"
certificate = "certs/server.pem"
key = "certs/server-key.pem"
[druid]
router = "http://127.0.0.1:8888"
username = "msq_gate"
password_file = "password"
[ids]
key_file = "certs/id-key"
[policy]
file = "policy.toml"
[[issuers]]
name = "dev"
issuer = "https://issuer.example/dev"
audiences = ["msq-gate"]
keys_file = "certs/token-jwks.json"
typ = "at+jwt"
name_claim = "/name"
groups_claim = "/groups"
"#;

fn ready() -> Directory {
    let directory = Directory::new();
    dev_certs::make(&args(&["--dir", &directory.path("certs")])).map(|_| ()).unwrap();
    fs::write(directory.path("password"), "secret\n").unwrap();
    fs::write(directory.path("policy.toml"), "").unwrap();
    fs::write(directory.path("gate.toml"), CONFIG).unwrap();
    directory
}

fn identity(directory: &Directory, words: &[&str], now: SystemTime) -> Option<Identity> {
    let key = directory.path("certs/token-key.pem");
    let token = dev_token::token(&args(&[words, &["--key", &key]].concat()), SystemTime::now()).unwrap();
    let config = Config::load(Path::new(&directory.path("gate.toml"))).unwrap_or_else(|faults| panic!("{faults}"));
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    match runtime.block_on(Authenticator::new(config.auth).authenticate(&headers, now)) {
        Authentication::Verified(identity) => Some(Arc::unwrap_or_clone(identity)),
        Authentication::Absent | Authentication::Refused(_) | Authentication::Unavailable(_) => None,
    }
}

#[test]
fn what_dev_certs_makes_serves_and_what_dev_token_signs_is_accepted() {
    let directory = ready();
    check::report(&args(&["--config", &directory.path("gate.toml")])).unwrap();
    let now = SystemTime::now();
    let alice = identity(&directory, &["--sub", "alice", "--groups", "a,b", "--name", "Alice"], now).unwrap();
    assert_eq!((alice.subject(), alice.name(), alice.issuer_name()), ("alice", "Alice", "dev"));
    assert_eq!(alice.groups(), ["a", "b"]);
    let bob = identity(&directory, &["--sub", "bob", "--ttl", "90s"], now).unwrap();
    assert_eq!((bob.name(), bob.groups().len()), ("bob", 0));
    let after = |seconds| now + std::time::Duration::from_secs(seconds);
    assert!(identity(&directory, &["--sub", "bob", "--ttl", "90s"], after(140)).is_some());
    assert!(identity(&directory, &["--sub", "bob", "--ttl", "90s"], after(160)).is_none());
    assert!(identity(&directory, &["--sub", "bob", "--audience", "x"], now).is_none());
    assert!(identity(&directory, &["--sub", "bob", "--issuer", "x"], now).is_none());
}

#[test]
fn private_files_are_for_their_owner_only() {
    let directory = ready();
    for (name, mode) in [
        ("ca.pem", 0o644),
        ("ca-key.pem", 0o600),
        ("server.pem", 0o644),
        ("server-key.pem", 0o600),
        ("token-key.pem", 0o600),
        ("token-jwks.json", 0o644),
        ("id-key", 0o600),
    ] {
        let found = fs::metadata(directory.path(&format!("certs/{name}"))).unwrap().permissions().mode() & 0o777;
        // The umask may take more away.
        assert_eq!(found & !mode, 0, "{name} has mode {found:o}");
        assert!(!fs::read_to_string(directory.path("certs/token-jwks.json")).unwrap().contains("\"d\""));
    }
}

#[test]
fn another_host_has_a_certificate_of_the_same_authority() {
    let directory = Directory::new();
    let certs = directory.path("certs");
    dev_certs::make(&args(&["--dir", &certs, "--also", "keycloak"])).map(|_| ()).unwrap();
    for (name, mode) in [("keycloak.pem", 0o644), ("keycloak-key.pem", 0o600)] {
        let found = fs::metadata(directory.path(&format!("certs/{name}"))).unwrap().permissions().mode() & 0o777;
        assert_eq!(found & !mode, 0, "{name} has mode {found:o}");
    }
    let der = |name: &str| CertificateDer::from_pem_file(directory.path(&format!("certs/{name}"))).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(der("ca.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let is_for = |certificate: &str, host: &'static str| {
        let name = ServerName::try_from(host).unwrap();
        verifier.verify_server_cert(&der(certificate), &[], &name, &[], UnixTime::now()).is_ok()
    };
    assert!(is_for("keycloak.pem", "keycloak") && is_for("keycloak.pem", "127.0.0.1"));
    assert!(is_for("server.pem", "localhost") && !is_for("server.pem", "keycloak"));
    for odd in ["", "a/b", "..", "-x"] {
        assert!(Line::<dev_certs::DevCertsArgs>::try_parse_from(["test", "--also", odd]).is_err(), "{odd}");
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let directory = ready();
    let certs = directory.path("certs");
    let key = || fs::read_to_string(directory.path("certs/id-key")).unwrap();
    let before = key();
    let fault = dev_certs::make(&args(&["--dir", &certs])).err().unwrap().to_string();
    assert!(fault.starts_with("already there: ") && fault.contains("certs/id-key"), "{fault}");
    // One file there is enough to leave all alone.
    for name in ["ca.pem", "ca-key.pem", "server.pem", "server-key.pem", "token-key.pem", "token-jwks.json"] {
        fs::remove_file(directory.path(&format!("certs/{name}"))).unwrap();
    }
    assert!(dev_certs::make(&args(&["--dir", &certs])).is_err());
    assert_eq!((key(), fs::read_dir(&certs).unwrap().count()), (before.clone(), 1));
    fs::set_permissions(directory.path("certs/id-key"), fs::Permissions::from_mode(0o644)).unwrap();
    dev_certs::make(&args(&["--dir", &certs, "--force"])).map(|_| ()).unwrap();
    assert_ne!(key(), before);
    let mode = fs::metadata(directory.path("certs/id-key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn check_prints_every_fault() {
    let directory = ready();
    let config = directory.path("gate.toml");
    let check = |words: &[&str]| check::report(&args(&[&["--config", config.as_str()], words].concat()));
    let good = check(&[]).unwrap();
    assert!(good.contains("no faults") && !good.contains('\n'), "{good}");
    let good: serde_json::Value = serde_json::from_str(&check(&["--json"]).unwrap()).unwrap();
    assert_eq!((&good["ok"], &good["issuers"]), (&true.into(), &serde_json::json!(["dev"])));
    fs::write(directory.path("policy.toml"), "x = 1\ny = 2").unwrap();
    let bad = check(&[]).unwrap_err();
    assert_eq!(bad.exit, 1);
    let bad = bad.text;
    let places: Vec<_> = bad.lines().map(|line| line.starts_with(&directory.path("policy.toml:"))).collect();
    assert_eq!(places, [true, true], "{bad}");
    let bad: serde_json::Value = serde_json::from_str(&check(&["--json"]).unwrap_err().text).unwrap();
    assert_eq!((&bad["ok"], &bad["faults"][1]["line"]), (&false.into(), &2.into()));
}

/// Answers every request with this document.
fn issuer_with(document: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{document}", document.len());
        }
    });
    address
}

/// A Router that answers each request with the next of these, which are status, space, body.
fn router_with(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            for answer in answers {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let (status, body) = answer.split_once(' ').unwrap();
                let _ = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            }
        }
    });
    address
}

const WELL: [&str; 2] = ["200 true", r#"200 {"version":"27.0.0","modules":[]}"#];

/// The last column of the table, and whether its row is good.
fn said_of<'t>(text: &'t str, name: &str) -> (bool, &'t str) {
    let row = text.lines().find(|line| line.contains(name) && line.contains("  ")).unwrap_or_else(|| panic!("{text}"));
    let place = text.lines().find(|line| line.starts_with("ASKED")).unwrap().find("WHAT IT SAID").unwrap();
    (!row.contains("  FAULT  "), row.get(place..).unwrap())
}

#[test]
fn check_online_says_which_address_gives_no_keys() {
    let directory = ready();
    let config = directory.path("gate.toml");
    let check = |words: &[&str]| check::report(&args(&[&["--config", config.as_str()], words].concat()));
    let good = issuer_with(fs::read_to_string(directory.path("certs/token-jwks.json")).unwrap());
    let bad = issuer_with("{}".to_owned());
    let router = router_with(&WELL);
    let with = |address: SocketAddr| {
        let remote = format!(
            "jwks_url = \"http://{address}/jwks\"\nca_file = \"certs/ca.pem\"\n\
             keys_in_clear = \"i-accept-keys-in-clear\""
        );
        let text = CONFIG.replace("keys_file = \"certs/token-jwks.json\"", &remote);
        fs::write(&config, text.replace("127.0.0.1:8888", &router.to_string())).unwrap();
    };
    with(good);
    let text = check(&["--online"]).unwrap();
    assert_eq!(said_of(&text, "dev"), (true, "1 keys"));
    assert_eq!(said_of(&text, &router.to_string()), (true, "Druid 27.0.0, which takes the gate's account"));
    with(bad);
    assert!(!check(&[]).unwrap().contains('\n'), "nothing is asked that need not be");
    let fault = check(&["--online"]).unwrap_err();
    assert_eq!(fault.exit, 3);
    let told = format!("http://{bad}/jwks: not a JWKS: expected an object with an array `keys`");
    assert_eq!(said_of(&fault.text, "dev"), (false, told.as_str()));
    assert!(said_of(&fault.text, &router.to_string()).0);
    let json: serde_json::Value = serde_json::from_str(&check(&["--online", "--json"]).unwrap_err().text).unwrap();
    assert_eq!((&json["ok"], &json["faults"]), (&false.into(), &serde_json::json!([])));
    assert_eq!(json["asked"][0], serde_json::json!({"kind": "issuer", "name": "dev", "ok": false, "said": told}));
    assert_eq!((&json["asked"][1]["kind"], &json["asked"][1]["ok"]), (&"router".into(), &true.into()));
}

/// Every way in which a Router is no good, and what is told of it.
#[test]
fn check_online_says_what_is_wrong_with_a_router() {
    let directory = ready();
    let config = directory.path("gate.toml");
    let check = |druid: &str| {
        let named = "router = \"http://127.0.0.1:8888\"";
        fs::write(&config, CONFIG.replace(named, druid)).unwrap();
        check::report(&args(&["--config", config.as_str(), "--online"]))
    };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let routers = [
        (router_with(&["503 x"]), "answers /status/health with 503 Service Unavailable; is it a Router, and well?"),
        (router_with(&["200 true", "401 {}"]), "Druid does not know the gate's own account (401)"),
        (
            router_with(&["200 true", "403 {}"]),
            "Druid knows the gate's own account, and does not let it READ STATE (403)",
        ),
        (router_with(&["200 true", "500 {}"]), "answers /status with 500 Internal Server Error"),
        (router_with(&["200 true", "200 <html>"]), "answers /status with something else than Druid's status"),
        (router_with(&["200 true", r#"200 {"version":"a b"}"#]), "answers /status with something else"),
        (router_with(&[]), "does not answer in HTTP: "),
        (nobody, "cannot be reached: Connection refused (os error 111); is it up, and is this its host and port?"),
    ];
    let list: Vec<_> = routers.iter().map(|(address, _)| format!("\"http://{address}\"")).collect();
    let bad = check(&format!("routers = [{}]", list.join(", "))).unwrap_err();
    assert_eq!(bad.exit, 3);
    for (address, told) in routers {
        let (is_good, said) = said_of(&bad.text, &address.to_string());
        assert!(!is_good && said.starts_with(told), "{said}; {told}");
    }
    // TLS is spoken with one that does not speak it.
    let plain = router_with(&["200 true"]);
    let bad = check(&format!("router = \"https://{plain}\"\nca_file = \"certs/ca.pem\"")).unwrap_err();
    assert!(said_of(&bad.text, &plain.to_string()).1.starts_with("no TLS connection: "), "{}", bad.text);
    assert!(check("routers = [\"http://no-such-host.invalid:1\"]").unwrap_err().text.contains("cannot be reached: "));
}

#[test]
fn dev_token_tells_what_is_wrong_with_its_key() {
    let directory = ready();
    let token = |key: &str| {
        dev_token::token(&args(&["--sub", "a", "--key", &directory.path(key)]), SystemTime::now()).unwrap_err()
    };
    assert!(token("nope").contains("nope cannot be read"));
    assert!(token("certs/ca.pem").contains("not an ES256 key"));
}
