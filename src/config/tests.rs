//! Each fault of a configuration, and a configuration without.

mod issuer_keys;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::KeyPair;

use super::*;
use crate::permission::Action;

mod operations;
mod sql;

const GOOD: &str = r#"[server]
listen = "127.0.0.1:8443"
certificate = "certs/server.pem"
key = "certs/server-key.pem"
grace_seconds = 5
[druid]
router = "http://127.0.0.1:8888"
username = "msq_gate"
password_file = "gate-password"
# The account that only the gate has.
[ids]
key_file = "certs/id-key"
[policy]
file = "policy.toml"
task_cancel = "WRITE"
[[issuers]]
name = "dev"
issuer = "https://issuer.example/dev"
audiences = ["msq-gate"]
keys_file = "certs/token.pem"
algorithms = ["ES256"]
typ = "at+jwt"
name_claim = "/name"
groups_claim = "/groups"
leeway_seconds = 30
"#;

const POLICY: &str =
    "[roles.r]\npermissions = [\"READ VIEW v\"]\n[[bindings]]\nissuer = \"dev\"\ngroup = \"g\"\nroles = [\"r\"]\n";

/// A directory with a configuration and all it names, gone when dropped.
struct Bench(PathBuf);

impl Bench {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("msq-gate-config-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let bench = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(bench.0.join("certs")).unwrap();
        let server = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        bench.write("certs/server.pem", &server.cert.pem());
        bench.write("certs/server-key.pem", &server.signing_key.serialize_pem());
        bench.write("certs/token.pem", &KeyPair::generate().unwrap().public_key_pem());
        bench.write("certs/id-key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
        bench.write("gate-password", "pass word\n");
        bench.write("policy.toml", POLICY);
        bench
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Loads `text` as the configuration; faults without the directory's name.
    fn load(&self, text: &str) -> Result<Config, Vec<String>> {
        self.write("gate.toml", text);
        Config::load(&self.0.join("gate.toml")).map_err(|faults| self.lines(&faults))
    }

    fn lines(&self, faults: &Faults) -> Vec<String> {
        let directory = format!("{}/", self.0.display());
        faults.to_string().lines().map(|line| line.replace(&directory, "")).collect()
    }

    /// The faults after one line is replaced.
    fn faults(&self, line: &str, by: &str) -> Vec<String> {
        assert!(GOOD.contains(&format!("{line}\n")), "no such line: {line}");
        self.load(&GOOD.replace(&format!("{line}\n"), &format!("{by}\n"))).err().unwrap_or_default()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_good_file_says_everything() {
    let bench = Bench::new();
    let Config { server, druid, ids, policy, auth, sql, limits, admin, audit, files } =
        bench.load(GOOD).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(server.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(server.grace_seconds, 5);
    assert_eq!(server.origin, None);
    assert_eq!(server.tls.unwrap().certificates.len(), 1);
    assert_eq!(druid.routers[0].authority().unwrap(), "127.0.0.1:8888");
    let Account::Basic { username, password } = druid.account else { panic!("another account") };
    assert_eq!((username.as_str(), password.expose().as_str()), ("msq_gate", "pass word"));
    assert!(druid.tls.is_none());
    assert_eq!((admin, server.drain_seconds), (None, DEFAULT_DRAIN_SECONDS));
    assert_eq!(audit, AuditSettings { out: AuditOut::Stdout, failure: AuditFailure::Refuse });
    assert_eq!(files.len(), 6, "{files:?}");
    assert_eq!(limits, Limits::default());
    assert_eq!(sql, SqlSettings::default());
    assert_eq!(ids.key.expose(), &(0..32).collect::<Vec<u8>>());
    assert!(ids.other_keys.is_empty() && policy.statements_by_state);
    assert_eq!((policy.file, policy.task_cancel), (bench.0.join("policy.toml"), Action::Write));
    assert_eq!(auth.issuer_names(), ["dev"]);
    let issuer = &auth.issuers[0];
    assert_eq!(issuer.issuer, "https://issuer.example/dev");
    assert_eq!(issuer.audiences, ["msq-gate"]);
    assert!(matches!(&issuer.keys, crate::auth::IssuerKeys::Fixed(keys) if keys.count() == 1));
    assert_eq!(issuer.leeway.as_secs(), 30);
}

#[test]
fn what_is_left_out_has_its_default() {
    let bench = Bench::new();
    let mut text = GOOD.to_owned();
    for line in ["grace_seconds = 5", "task_cancel = \"WRITE\"", "leeway_seconds = 30"] {
        text = text.replace(line, "");
    }
    let config = bench.load(&text).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.server.grace_seconds, 30);
    assert_eq!(config.policy.task_cancel, Action::Read);
    assert_eq!(config.auth.issuers[0].leeway.as_secs(), 60);
}

#[test]
fn clear_text_must_be_asked_for_in_full() {
    let bench = Bench::new();
    let without = GOOD.replace("certificate = \"certs/server.pem\"\nkey = \"certs/server-key.pem\"\n", "PLAIN\n");
    let load = |line: &str| bench.load(&without.replace("PLAIN", line));
    let consent = "plaintext = \"i-accept-that-tokens-travel-in-clear\"";
    assert!(load(consent).unwrap_or_else(|faults| panic!("{faults:?}")).server.tls.is_none());
    assert_eq!(load("").err().unwrap(), ["gate.toml:1:2: [server] has no `certificate` and `key` for TLS"]);
    for almost in ["\"yes\"", "\"I-accept-that-tokens-travel-in-clear\"", "true", "\"\""] {
        assert_eq!(load(&format!("plaintext = {almost}")).err().unwrap().len(), 1, "{almost}");
    }
    let faults = load(&format!("{consent}\ncertificate = \"certs/server.pem\"")).err().unwrap();
    assert_eq!(faults, ["gate.toml:4:1: `certificate` beside `plaintext`, expected only one of them"]);
}

/// One line changed, one fault found, at that line.
#[test]
fn each_fault_is_told_with_its_place() {
    let bench = Bench::new();
    bench.write("empty", "\n");
    bench.write("two-lines", "a\nb\n");
    bench.write("short-key", "AAAA");
    bench.write("other-key.pem", &KeyPair::generate().unwrap().serialize_pem());
    bench.write("jwks.json", r#"{"keys":[{"kty":"oct","kid":"s","k":"AAAA"}]}"#);
    fs::write(bench.0.join("latin1"), b"\xe9").unwrap();
    let listen = "listen = \"127.0.0.1:8443\"";
    let router = "router = \"http://127.0.0.1:8888\"";
    let keys = "keys_file = \"certs/token.pem\"";
    for (line, by, expected) in [
        (listen, "listen = \"localhost:8443\"", "2:10: `listen` is `localhost:8443`, expected ADDRESS:PORT"),
        (listen, "listen = 8443", "2:10: `listen` is an integer, expected a string"),
        (listen, "", "1:2: missing key `listen` in [server]"),
        (listen, "listen = \"[::1]:1\"\nport = 1", "3:1: unknown key `port` in [server], expected one of: listen"),
        ("certificate = \"certs/server.pem\"", "", "1:2: missing key `certificate`"),
        ("certificate = \"certs/server.pem\"", "certificate = \"empty\"", "3:1: `certificate`: not a PEM file"),
        (
            "certificate = \"certs/server.pem\"",
            "certificate = \"nope\"",
            "3:15: `certificate`: nope cannot be read: No such",
        ),
        (
            "certificate = \"certs/server.pem\"",
            "certificate = \"certs\"",
            "3:15: `certificate`: certs cannot be read: not a file",
        ),
        ("certificate = \"certs/server.pem\"", "certificate = \"latin1\"", "3:15: `certificate`: latin1 is not UTF-8"),
        (
            "key = \"certs/server-key.pem\"",
            "key = \"certs/token.pem\"",
            "4:1: `key`: not a PEM file with a private key",
        ),
        ("key = \"certs/server-key.pem\"", "key = \"other-key.pem\"", "4:1: `key` cannot serve with `certificate`"),
        (
            "grace_seconds = 5",
            "grace_seconds = -1",
            "5:17: `grace_seconds`: expected an integer from 0 to 3600 (seconds)",
        ),
        ("grace_seconds = 5", "grace_seconds = 3601", "5:17: `grace_seconds`: expected"),
        ("grace_seconds = 5", "grace_seconds = \"5\"", "5:17: `grace_seconds`: expected"),
        (
            router,
            "router = \"ftp://127.0.0.1:8888\"",
            "7:10: `router` is `ftp://127.0.0.1:8888`, expected http://HOST:PORT",
        ),
        (router, "router = \"https://127.0.0.1:8888\"", "6:2: missing key `ca_file` in [druid]"),
        (router, "router = \"http://u:secret@h:1\"", "7:10: `router` is `[redacted]@h:1`, expected"),
        (router, "router = \"http://h:1/druid\"", "7:10: `router`"),
        (router, "router = \"http://h:1/?a\"", "7:10: `router`"),
        (router, "router = \"http://h:1#a\"", "7:10: `router`"),
        (router, "router = \"h:1\"", "7:10: `router`"),
        (router, "router = \"//h:1\"", "7:10: `router`"),
        (router, "router = \"\"", "7:10: `router` is empty"),
        ("username = \"msq_gate\"", "username = \"a:b\"", "8:12: `username` has a colon"),
        (
            "password_file = \"gate-password\"",
            "password_file = \"empty\"",
            "9:1: `password_file`: the password is empty",
        ),
        (
            "password_file = \"gate-password\"",
            "password_file = \"two-lines\"",
            "9:1: `password_file`: the password is empty or has control",
        ),
        (
            "password_file = \"gate-password\"",
            "password = \"x\"\npassword_file = \"gate-password\"",
            "9:1: unknown key `password` in [druid]",
        ),
        (
            "key_file = \"certs/id-key\"",
            "key_file = \"short-key\"",
            "12:12: `key_file`: expected at least 32 random bytes",
        ),
        (
            "key_file = \"certs/id-key\"",
            "key_file = \"gate-password\"",
            "12:12: `key_file`: expected at least 32 random bytes",
        ),
        (
            "key_file = \"certs/id-key\"",
            "key_file = \"certs/id-key\"\nother_key_files = [\"certs/id-key\", \"short-key\"]",
            "13:36: `other_key_files`: expected at least 32 random bytes",
        ),
        (
            "key_file = \"certs/id-key\"",
            "key_file = \"certs/id-key\"\nother_key_files = [\"certs/id-key\", \"certs/id-key\", \"certs/id-key\"]",
            "13:1: `other_key_files` has 3 files, expected at most 2",
        ),
        ("file = \"policy.toml\"", "", "13:2: missing key `file` in [policy]"),
        ("task_cancel = \"WRITE\"", "task_cancel = \"read\"", "15:15: `task_cancel` is `read`, expected READ or WRITE"),
        ("[policy]", "[pol]", "13:2: unknown key `pol` in the file"),
        ("name = \"dev\"", "name = \"\"", "17:8: `name` is empty"),
        ("audiences = [\"msq-gate\"]", "audiences = []", "19:1: `audiences` is empty, expected at least one string"),
        (
            "audiences = [\"msq-gate\"]",
            "audiences = \"msq-gate\"",
            "19:13: `audiences` is a string, expected an array of strings",
        ),
        (keys, "keys_file = \"jwks.json\"", "20:1: `keys_file`: key 1 (kid `s`): a symmetric key (oct)"),
        (keys, "keys_file = \"certs/server-key.pem\"", "20:1: `keys_file`: a PEM section of the kind PrivateKey"),
        (keys, "keys_file = \"empty\"", "20:1: `keys_file`: not JSON"),
        ("algorithms = [\"ES256\"]", "", "20:1: `keys_file` is PEM, which does not say the algorithm"),
        (
            "algorithms = [\"ES256\"]",
            "algorithms = [\"HS256\"]",
            "21:15: unknown algorithm `HS256`, expected some of: RS256",
        ),
        ("algorithms = [\"ES256\"]", "algorithms = [\"none\"]", "21:15: unknown algorithm `none`"),
        (
            "algorithms = [\"ES256\"]",
            "algorithms = [\"RS256\"]",
            "20:1: `keys_file`: no key that can verify signatures",
        ),
        ("typ = \"at+jwt\"", "", "16:1: [[issuers]] has neither `typ` nor `azp`, expected at least one"),
        ("typ = \"at+jwt\"", "azp = []", "22:1: `azp` is empty"),
        ("name_claim = \"/name\"", "name_claim = \"name\"", "23:14: `name_claim` is `name`, expected a JSON pointer"),
        (
            "groups_claim = \"/groups\"",
            "groups_claim = \"/a~b\"",
            "24:16: `groups_claim` is `/a~b`, expected a JSON pointer",
        ),
        ("leeway_seconds = 30", "leeway_seconds = 301", "25:18: `leeway_seconds`: expected an integer from 0 to 300"),
        ("leeway_seconds = 30", "secret = \"x\"", "25:1: unknown key `secret` in [[issuers]]"),
    ] {
        let faults = bench.faults(line, by);
        let told: Vec<_> = faults.iter().filter(|fault| fault.starts_with(&format!("gate.toml:{expected}"))).collect();
        assert_eq!(told.len(), 1, "{by:?} should give {expected:?}: {faults:#?}");
        let also_missing = usize::from(by == "[pol]");
        assert_eq!(faults.len(), 1 + also_missing, "{by:?}: {faults:#?}");
    }
}

#[test]
fn names_and_urls_of_issuers_are_unique() {
    let bench = Bench::new();
    let second = GOOD.split_once("[[issuers]]").unwrap().1;
    let faults = bench.load(&format!("{GOOD}[[issuers]]{second}")).err().unwrap();
    assert_eq!(
        faults,
        [
            "gate.toml:27:8: `name` is `dev`, which an earlier issuer has",
            "gate.toml:28:10: `issuer` is `https://issuer.example/dev`, which an earlier issuer has",
        ]
    );
    let other = second.replace("\"dev\"", "\"two\"").replace("/dev", "/two");
    let config = bench.load(&format!("{GOOD}[[issuers]]{other}")).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.auth.issuer_names(), ["dev", "two"]);
}

#[test]
fn an_empty_file_lacks_everything() {
    let bench = Bench::new();
    let faults = bench.load("").err().unwrap();
    assert_eq!(faults.len(), 5, "{faults:?}");
    for section in ["[server]", "[druid]", "[ids]", "[policy]", "[[issuers]]"] {
        let told = format!("gate.toml:1:1: missing section {section}");
        assert!(faults.iter().any(|fault| fault.starts_with(&told)), "{section}: {faults:?}");
    }
}

#[test]
fn a_check_tells_the_faults_of_both_files() {
    let bench = Bench::new();
    let check = || super::check(&bench.0.join("gate.toml")).map(|_| ()).map_err(|faults| bench.lines(&faults));
    bench.write("gate.toml", GOOD);
    assert_eq!(check(), Ok(()));
    bench.write("gate.toml", &GOOD.replace("8443", "x").replace("\"certs/token.pem\"", "\"nope\""));
    bench.write("policy.toml", &POLICY.replace("\"r\"", "\"s\""));
    let faults = check().unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("gate.toml:2:10: `listen`"), "{faults:?}");
    assert!(faults[1].starts_with("gate.toml:20:13: `keys_file`: nope cannot be read"), "{faults:?}");
    // The issuer is known although its keys are not.
    assert_eq!(faults[2], "policy.toml:6:10: unknown role `s`, expected one of: r");
    bench.write("gate.toml", GOOD);
    fs::remove_file(bench.0.join("policy.toml")).unwrap();
    assert!(check().unwrap_err()[0].starts_with("policy.toml: cannot be read: No such file"));
}

#[test]
fn files_have_their_bound() {
    let bench = Bench::new();
    let path = bench.0.join("large");
    let at_bound = usize::try_from(MAX_FILE_BYTES).unwrap();
    fs::write(&path, vec![b'#'; at_bound]).unwrap();
    assert_eq!(read_text(&path).unwrap().len(), at_bound);
    fs::write(&path, vec![b'#'; at_bound + 1]).unwrap();
    assert!(read_text(&path).unwrap_err().contains("larger than"));
}

#[test]
fn one_newline_is_dropped() {
    for (text, trimmed) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("", "")] {
        assert_eq!(without_newline(text), trimmed);
    }
}

#[test]
fn a_secret_does_not_print() {
    let secret = Secret::new("canary".to_owned());
    assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[redacted] Some(\n    [redacted],\n)");
}

#[test]
fn limits_are_read_within_their_ranges() {
    let bench = Bench::new();
    let text = format!("{GOOD}\n[limits]\nconnections = 7\nsql_body_bytes = 1000\nhead_seconds = 3\nstreams = 200\n");
    let limits = bench.load(&text).unwrap_or_else(|faults| panic!("{faults:?}")).limits;
    assert_eq!((limits.connections, limits.sql_body_bytes, limits.streams), (7, 1000, 200));
    assert_eq!(limits.head.as_secs(), 3);
    assert_eq!(limits.requests, Limits::default().requests);
    for (line, expected) in
        [("connections = 0", "from 1 to"), ("idle_seconds = 100000", "from 1 to"), ("x = 1", "unknown key")]
    {
        let faults = bench.load(&format!("{GOOD}\n[limits]\n{line}\n")).err().map(|faults| faults.join("\n"));
        assert!(faults.as_ref().is_some_and(|faults| faults.contains(expected)), "{line}: {faults:?}");
    }
}

/// Each key sets a limit of its own.
#[test]
fn every_limit_has_a_key() {
    let bench = Bench::new();
    let with = |key: &str| {
        let text = format!("{GOOD}\n[limits]\n{key} = {}\n", if key == "head_bytes" { 9_000 } else { 77 });
        format!("{:?}", bench.load(&text).unwrap_or_else(|faults| panic!("{faults:?}")).limits)
    };
    let mut seen = vec![format!("{:?}", Limits::default())];
    for key in limits::KEYS {
        seen.push(with(key));
    }
    let fields = seen[0].matches(": ").count();
    assert_eq!(fields, limits::KEYS.len());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1 + limits::KEYS.len());
}

#[test]
fn routers_are_one_or_several() {
    let bench = Bench::new();
    let line = GOOD.lines().find(|line| line.starts_with("router =")).expect("a router");
    let several = GOOD.replace(line, r#"routers = ["http://a:1", "http://b:2"]"#);
    assert_eq!(bench.load(&several).unwrap_or_else(|faults| panic!("{faults:?}")).druid.routers.len(), 2);
    for bad in ["routers = []", r#"routers = ["https://a:1"]"#, &format!("{line}\nrouters = [\"http://a:1\"]"), ""] {
        assert!(bench.load(&GOOD.replace(line, bad)).is_err(), "{bad}");
    }
}

#[test]
fn an_origin_is_written_as_browsers_write_it() {
    for good in ["https://druid.example", "https://127.0.0.1:8443", "https://[::1]:8443", "https://a-b.c:1"] {
        assert_eq!(Origin::parse(good).unwrap().as_str(), good);
    }
    for odd in [
        "",
        "null",
        "druid.example",
        "//druid.example",
        "http://druid.example",
        "https://",
        "https://:8443",
        "https://druid.example/",
        "https://druid.example:443",
        "https://druid.example:08443",
        "https://druid.example:",
        "https://Druid.example",
        "HTTPS://druid.example",
        "https://user@druid.example",
        "https://druid.example?x",
        "https://druid.example#x",
        "https://druid.example https://evil.example",
    ] {
        assert_eq!(Origin::parse(odd), None, "{odd}");
    }
    let bench = Bench::new();
    let with = |origin: &str| GOOD.replace("[druid]", &format!("origin = \"{origin}\"\n[druid]"));
    let config = bench.load(&with("https://druid.example")).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.server.origin.unwrap().as_str(), "https://druid.example");
    let faults = bench.load(&with("https://a:b@Druid.example/")).err().unwrap();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("gate.toml:6:10: `origin` is `[redacted]@Druid.example/`, expected"), "{faults:?}");
}
