//! Where an issuer's keys come from, and each fault of saying so.

use std::time::Duration;

use super::*;
use crate::auth::{IssuerKeys, KeyAddress, RemoteKeySettings, StaleAnswer, Startup};

const FILE: &str = "keys_file = \"certs/token.pem\"\nalgorithms = [\"ES256\"]\n";

/// The bench, its server's certificate a CA that nothing is asked of.
fn bench() -> Bench {
    Bench::new()
}

/// The good file with these lines instead of the `keys_file`; they begin at line 20.
fn with(lines: &str) -> String {
    assert!(GOOD.contains(FILE));
    GOOD.replace(FILE, &format!("{lines}\n"))
}

fn remote(bench: &Bench, lines: &str) -> RemoteKeySettings {
    let config = bench.load(&with(lines)).unwrap_or_else(|faults| panic!("{lines}: {faults:?}"));
    match &config.auth.issuers[0].keys {
        IssuerKeys::Remote(remote) => remote.as_ref().clone(),
        IssuerKeys::Fixed(_) => panic!("{lines}: not fetched"),
    }
}

const CA: &str = "ca_file = \"certs/server.pem\"";

#[test]
fn a_url_or_discovery_may_stand_for_the_file() {
    let bench = bench();
    let plain = remote(&bench, &format!("jwks_url = \"https://issuer.example/keys\"\n{CA}"));
    assert!(matches!(&plain.source.address, KeyAddress::Jwks(url) if url.to_string() == "https://issuer.example/keys"));
    assert_eq!(
        (plain.times.refresh, plain.times.unknown_key_interval),
        (Duration::from_mins(5), Duration::from_secs(10))
    );
    assert_eq!((plain.times.max_stale, plain.times.stale_answer), (Duration::from_hours(24), StaleAnswer::Unavailable));
    assert_eq!((plain.startup, plain.source.algorithms.len()), (Startup::Wait, 9));

    let full = remote(
        &bench,
        &format!(
            "discovery = true\n{CA}\nalgorithms = [\"ES256\"]\nrefresh_seconds = 60\nunknown_key_seconds = 5\n\
             max_stale_seconds = 3600\nstale_status = 401\nstartup = \"serve-unready\"\nbasic_password = true"
        ),
    );
    let KeyAddress::Discovery { document, issuer } = &full.source.address else { panic!("not by discovery") };
    assert_eq!(document.to_string(), "https://issuer.example/dev/.well-known/openid-configuration");
    assert_eq!(issuer, "https://issuer.example/dev");
    assert_eq!((full.times.refresh, full.times.unknown_key_interval), (Duration::from_mins(1), Duration::from_secs(5)));
    assert_eq!((full.times.max_stale, full.times.stale_answer), (Duration::from_hours(1), StaleAnswer::Unauthorized));
    assert_eq!((full.startup, full.source.algorithms.len()), (Startup::ServeUnready, 1));
    assert_eq!(remote(&bench, &format!("discovery = true\n{CA}\nstartup = \"fail\"")).startup, Startup::Fail);
    remote(&bench, &format!("jwks_url = \"http://127.0.0.1:1/\"\n{CA}\nkeys_in_clear = \"i-accept-keys-in-clear\""));
}

#[test]
fn tokens_as_passwords_must_be_asked_for() {
    let bench = bench();
    let allowed =
        |text: &str| bench.load(text).unwrap_or_else(|faults| panic!("{faults:?}")).auth.issuers[0].basic_password;
    assert!(!allowed(GOOD));
    assert!(!allowed(&format!("{GOOD}basic_password = false\n")));
    assert!(allowed(&format!("{GOOD}basic_password = true\n")));
}

#[test]
fn each_fault_of_the_keys_is_told_with_its_place() {
    let bench = bench();
    let url = format!("{CA}\njwks_url = \"https://issuer.example/keys\"");
    bench.write("empty", "");
    let clear = "keys_in_clear = \"i-accept-keys-in-clear\"";
    for (lines, expected) in [
        (String::new(), "16:1: [[issuers]] has no keys, expected one of `keys_file`, `jwks_url` or `discovery = true`"),
        (format!("{FILE}{url}"), "23:1: `jwks_url` beside `keys_file`, expected only one of them"),
        (format!("{url}\ndiscovery = true"), "22:1: `discovery` beside `jwks_url`, expected only one of them"),
        (format!("{FILE}{CA}"), "22:1: `ca_file` beside `keys_file`, which is not fetched"),
        (format!("{FILE}startup = \"wait\""), "22:1: `startup` beside `keys_file`, which is not fetched"),
        (format!("{FILE}refresh_seconds = 60"), "22:1: `refresh_seconds` beside `keys_file`"),
        (format!("{CA}\ndiscovery = false"), "21:1: `discovery` is false, expected true, or `keys_file`"),
        (format!("{CA}\ndiscovery = \"true\""), "21:13: `discovery` is a string, expected true or false"),
        (format!("{CA}\njwks_url = \"http://127.0.0.1/\""), "21:12: `jwks_url` is not https, expected such as"),
        (
            format!("{clear}\n{CA}\njwks_url = \"http://a.example/\""),
            "22:12: `jwks_url` is http and not on this machine",
        ),
        (format!("{CA}\njwks_url = \"https://u:canary@a.example/\""), "21:12: `jwks_url` is a URL with a user"),
        (format!("{url}\nkeys_in_clear = \"yes\""), "22:17: `keys_in_clear`: expected \"i-accept-keys-in-clear\""),
        (format!("{url}\nrefresh_seconds = 9"), "22:19: `refresh_seconds`: expected an integer from 10 to 86400"),
        (format!("{url}\nunknown_key_seconds = 0"), "22:23: `unknown_key_seconds`: expected an integer from 1 to 300"),
        (format!("{url}\nmax_stale_seconds = 599"), "22:1: `max_stale_seconds` is less than two refreshes"),
        (format!("{url}\nmax_stale_seconds = 2592001"), "22:21: `max_stale_seconds`: expected an integer"),
        (format!("{url}\nstale_status = 500"), "22:1: `stale_status`: expected 401 or 503"),
        (
            format!("{url}\nstale_status = 200"),
            "22:16: `stale_status`: expected an integer from 401 to 503 (401 or 503)",
        ),
        (format!("{url}\nstartup = \"later\""), "22:11: `startup` is `later`, expected wait, serve-unready or fail"),
        (url.replace("server.pem", "nope"), "20:11: `ca_file`: certs/nope cannot be read"),
        (url.replace("certs/server.pem", "empty"), "20:1: `ca_file`: no certificate of an authority"),
        (url.replace("server.pem", "token.pem"), "20:1: `ca_file`: no certificate of an authority"),
        (format!("{url}\nalgorithms = [\"HS256\"]"), "22:15: unknown algorithm `HS256`"),
        (format!("{url}\nbasic_password = 1"), "22:18: `basic_password` is an integer, expected true or false"),
    ] {
        let faults = bench.load(&with(&lines)).err().unwrap_or_default();
        assert!(
            faults.len() == 1 && faults[0].starts_with(&format!("gate.toml:{expected}")),
            "{lines}\nshould give {expected}: {faults:#?}"
        );
        assert!(!faults[0].contains("canary"));
    }
    let faults =
        bench.load(&with(&format!("{CA}\ndiscovery = true")).replace("https://issuer", "urn:issuer")).err().unwrap();
    assert!(faults.len() == 1 && faults[0].starts_with("gate.toml:18:10: `issuer` is not"), "{faults:?}");
}

#[test]
fn all_faults_of_the_keys_are_told_at_once() {
    let bench = bench();
    let faults = bench
        .load(&with(
            "jwks_url = \"http://a\"\nca_file = \"nope\"\nrefresh_seconds = 1\nstartup = \"x\"\nstale_status = 1",
        ))
        .err()
        .unwrap();
    assert_eq!(faults.len(), 5, "{faults:#?}");
}
