//! What operators add: an admin listener, audit files, accounts, TLS to Druid, and the environment.

use super::*;

pub(super) fn read(bench: &Bench, text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    bench.write("gate.toml", text);
    let pairs = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let (config, _, faults) = read_with(&bench.0.join("gate.toml"), pairs);
    config.ok_or_else(|| bench.lines(&faults))
}

#[test]
fn the_environment_wins_over_the_file() {
    let bench = Bench::new();
    let environment = [
        ("MSQ_GATE__SERVER__LISTEN", "127.0.0.1:9999"),
        ("MSQ_GATE__SERVER__GRACE_SECONDS", "7"),
        ("MSQ_GATE__LIMITS__STREAMS", "12"),
        ("MSQ_GATE__ADMIN__LISTEN", "'127.0.0.1:9998'"),
        ("MSQ_GATE__DRUID__ROUTER", "http://druid:1"),
        ("MSQ_GATE_BIN", "not for us"),
        ("PATH", "/bin"),
    ];
    let config = read(&bench, GOOD, &environment).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9999");
    assert_eq!((config.server.grace_seconds, config.limits.streams), (7, 12));
    assert_eq!(config.admin.unwrap().to_string(), "127.0.0.1:9998");
    assert_eq!(config.druid.routers[0].to_string(), "http://druid:1/");
    assert_eq!(config.auth.issuer_names(), ["dev"]);
}

#[test]
fn a_faulty_variable_is_named() {
    let bench = Bench::new();
    for (variable, value, fault) in [
        ("MSQ_GATE__SERVER__LISTEN", "nowhere", "`listen` is `nowhere`, expected ADDRESS:PORT"),
        ("MSQ_GATE__SERVER__GRACE_SECONDS", "soon", "`grace_seconds`: expected an integer"),
        ("MSQ_GATE__SERVER__GRACE_SECONDS", "1\nlisten = 2", "`grace_seconds`: expected an integer"),
        ("MSQ_GATE__SERVER__LSITEN", "127.0.0.1:1", "unknown key `lsiten` in [server]"),
        ("MSQ_GATE__SEVRER__LISTEN", "127.0.0.1:1", "unknown key `sevrer` in the file"),
        ("MSQ_GATE__DRUID__PASSWORD_FILE", "/nope", "`password_file`: /nope cannot be read"),
        ("MSQ_GATE__DRUID__USERNAME", "a:b", "`username` has a colon"),
        ("MSQ_GATE__DRUID__USERNAME", "12", "`username` is an integer, expected a string"),
        ("MSQ_GATE__ISSUERS__NAME", "x", "issuers are a list"),
        ("MSQ_GATE__LISTEN", "x", "expected MSQ_GATE__SECTION__KEY"),
        ("MSQ_GATE__A__B__C", "x", "expected MSQ_GATE__SECTION__KEY"),
        ("MSQ_GATE__SERVER__A B", "x", "expected MSQ_GATE__SECTION__KEY"),
        ("MSQ_GATE____LISTEN", "x", "expected MSQ_GATE__SECTION__KEY"),
    ] {
        let faults = read(&bench, GOOD, &[(variable, value)]).err().unwrap_or_default();
        assert_eq!(faults.len(), 1, "{variable}={value}: {faults:?}");
        assert!(faults[0].starts_with(&format!("{variable}: {fault}")), "{variable}={value}: {faults:?}");
    }
    // Faults of the file keep their lines.
    let text = GOOD.replace("task_cancel = \"WRITE\"", "task_cancel = 1");
    let faults = read(&bench, &text, &[("MSQ_GATE__SERVER__GRACE_SECONDS", "x")]).err().unwrap();
    assert_eq!(faults.len(), 2);
    assert!(faults[0].starts_with("gate.toml:15:15: `task_cancel`"), "{faults:?}");
    assert!(faults[1].starts_with("MSQ_GATE__SERVER__GRACE_SECONDS: "), "{faults:?}");
}

#[test]
fn druid_takes_a_token_and_tls_where_they_are_named() {
    let bench = Bench::new();
    bench.write("token", "abc.def\n");
    let account = "username = \"msq_gate\"\npassword_file = \"gate-password\"\n";
    let bearer = GOOD.replace(account, "token_file = \"token\"\n");
    let config = read(&bench, &bearer, &[]).unwrap_or_else(|faults| panic!("{faults:?}"));
    let Account::Bearer { token } = config.druid.account else { panic!("another account") };
    assert_eq!(token.expose(), "abc.def");
    bench.write("token", "abc def");
    let faults = read(&bench, &bearer, &[]).err().unwrap();
    assert_eq!(faults, ["gate.toml:8:1: `token_file`: expected one token of visible ASCII"]);
    let both = read(&bench, GOOD, &[("MSQ_GATE__DRUID__TOKEN_FILE", "certs/id-key")]).err().unwrap();
    assert_eq!(both.len(), 2, "{both:?}");

    let tls = GOOD.replace("http://127.0.0.1:8888\"", "https://127.0.0.1:8888\"\nca_file = \"certs/server.pem\"");
    assert!(read(&bench, &tls, &[]).unwrap_or_else(|faults| panic!("{faults:?}")).druid.tls.is_some());
    let shown = [
        ("MSQ_GATE__DRUID__CLIENT_CERTIFICATE", "certs/server.pem"),
        ("MSQ_GATE__DRUID__CLIENT_KEY", "certs/server-key.pem"),
    ];
    assert!(read(&bench, &tls, &shown).is_ok());
    let [certificate, key] = shown;
    for (given, missing) in [(certificate, "client_key"), (key, "client_certificate")] {
        let faults = read(&bench, &tls, &[given]).err().unwrap();
        assert_eq!(faults, [format!("gate.toml:6:2: missing key `{missing}` in [druid]")]);
    }
    bench.write("certs/other.pem", &KeyPair::generate().unwrap().serialize_pem());
    let other = [certificate, ("MSQ_GATE__DRUID__CLIENT_KEY", "certs/other.pem")];
    assert!(read(&bench, &tls, &other).err().unwrap()[0].contains("cannot be used with `client_certificate`"));
    let faults = read(&bench, GOOD, &shown[..1]).err().unwrap();
    assert!(faults[0].contains("without https"), "{faults:?}");
    let mixed = GOOD.replace(
        "router = \"http://127.0.0.1:8888\"",
        "routers = [\"http://a:1\", \"https://b:1\"]\nca_file = \"certs/server.pem\"",
    );
    assert!(read(&bench, &mixed, &[]).err().unwrap()[0].contains("expected all alike"));
}

#[test]
fn audit_records_go_where_they_are_told_to() {
    let bench = Bench::new();
    let load = |section: &str| bench.load(&format!("{GOOD}{section}"));
    let config = load("[audit]\nfile = \"audit.jsonl\"\nmax_bytes = 5000\nkeep = 0\nfailure = \"report\"\n");
    let audit = config.unwrap_or_else(|faults| panic!("{faults:?}")).audit;
    let out = AuditOut::File { path: bench.0.join("audit.jsonl"), max_bytes: 5000, keep: 0 };
    assert_eq!(audit, AuditSettings { out, failure: AuditFailure::Report });
    for (section, fault) in [
        ("[audit]\nkeep = 1\n", "`keep` without `file`"),
        ("[audit]\nfailure = \"ignore\"\n", "`failure` is `ignore`, expected refuse or report"),
        ("[audit]\nfile = \"a\"\nmax_bytes = 1\n", "`max_bytes`: expected an integer from 4096"),
        ("[admin]\n", "missing key `listen` in [admin]"),
        ("[admin]\nlisten = \"x\"\n", "`listen` is `x`"),
    ] {
        let faults = load(section).err().unwrap();
        assert!(faults.len() == 1 && faults[0].contains(fault), "{section}: {faults:?}");
    }
}
