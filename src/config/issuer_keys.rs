//! The keys of an issuer: a file, or where to fetch them and when.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::raw::Base;
use super::{
    DEFAULT_MAX_STALE_SECONDS, DEFAULT_REFRESH_SECONDS, DEFAULT_UNKNOWN_KEY_SECONDS, MAX_STALE_SECONDS,
    REFRESH_SECONDS, UNKNOWN_KEY_SECONDS,
};
use crate::auth::{
    self, ClearText, Fetcher, IssuerKeys, KeyAddress, KeySet, KeySource, KeyTimes, KeyUrl, RemoteKeySettings,
    SignatureAlgorithm, StaleAnswer, Startup,
};
use crate::toml_reader::{Report, Section};

/// What the configuration must say to fetch keys over plain HTTP, which only this machine itself may then serve.
const CLEAR_TEXT_CONSENT: &str = "i-accept-keys-in-clear";

/// Of these an issuer has exactly one.
const SOURCES: [&str; 3] = ["keys_file", "jwks_url", "discovery"];

/// What means nothing beside a `keys_file`.
const REMOTE_ONLY: [&str; 7] = [
    "ca_file",
    "keys_in_clear",
    "refresh_seconds",
    "unknown_key_seconds",
    "max_stale_seconds",
    "stale_status",
    "startup",
];

pub(super) fn read(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<IssuerKeys> {
    let algorithms = algorithms(section, report);
    let given: Vec<_> = SOURCES.into_iter().filter(|key| section.has(key)).collect();
    match given.as_slice() {
        [] => {
            let expected = "expected one of `keys_file`, `jwks_url` or `discovery = true`";
            report.add(section.at(), format!("{} has no keys, {expected}", section.name()));
            None
        }
        ["keys_file"] => {
            for key in REMOTE_ONLY.into_iter().filter(|key| section.has(key)) {
                report.add(section.place_of(key), format!("`{key}` beside `keys_file`, which is not fetched"));
            }
            from_file(section, base, &algorithms, report).map(IssuerKeys::Fixed)
        }
        [source] => {
            let by_discovery = *source == "discovery";
            remote(section, base, by_discovery, algorithms, report).map(|remote| IssuerKeys::Remote(Box::new(remote)))
        }
        [first, others @ ..] => {
            for other in others {
                report.add(section.place_of(other), format!("`{other}` beside `{first}`, expected only one of them"));
            }
            None
        }
    }
}

fn remote(
    section: &Section<'_>,
    base: &Base<'_>,
    by_discovery: bool,
    algorithms: Vec<SignatureAlgorithm>,
    report: &mut Report<'_>,
) -> Option<RemoteKeySettings> {
    let clear_text = clear_text(section, report);
    let address =
        if by_discovery { discovery(section, clear_text, report) } else { jwks_url(section, clear_text, report) };
    let fetcher = fetcher(section, base, report);
    let times = times(section, report);
    let startup = startup(section, report);
    let source = KeySource { address: address?, fetcher: fetcher?, clear_text, algorithms };
    Some(RemoteKeySettings { source, times: times?, startup: startup? })
}

fn clear_text(section: &Section<'_>, report: &mut Report<'_>) -> ClearText {
    let Some(consent) = section.string("keys_in_clear", report) else { return ClearText::Refused };
    if consent.text != CLEAR_TEXT_CONSENT {
        let only = "and then only from this machine itself";
        report.add(consent.at, format!("`keys_in_clear`: expected \"{CLEAR_TEXT_CONSENT}\", {only}, or https"));
    }
    // After a fault too, so that it is not told twice.
    ClearText::FromLoopback
}

fn jwks_url(section: &Section<'_>, clear_text: ClearText, report: &mut Report<'_>) -> Option<KeyAddress> {
    let url = section.string("jwks_url", report)?;
    match KeyUrl::parse(url.text, clear_text) {
        Ok(url) => Some(KeyAddress::Jwks(url)),
        Err(fault) => {
            report.add(url.at, format!("`jwks_url` is {fault}, expected such as https://issuer.example/jwks.json"));
            None
        }
    }
}

fn discovery(section: &Section<'_>, clear_text: ClearText, report: &mut Report<'_>) -> Option<KeyAddress> {
    if !section.boolean("discovery", report)? {
        let at = section.place_of("discovery");
        report.add(at, "`discovery` is false, expected true, or `keys_file` or `jwks_url` instead");
        return None;
    }
    let issuer = section.string("issuer", &mut Report::new(""))?;
    match KeyAddress::discovery(issuer.text, clear_text) {
        Ok(address) => Some(address),
        Err(fault) => {
            report.add(
                issuer.at,
                format!("`issuer` is {fault}, and `discovery` asks it, expected such as https://issuer.example"),
            );
            None
        }
    }
}

/// Whose certificates are trusted: the `ca_file`'s alone, else the system's, which the operator keeps up to date and where
/// a company has its own.
fn fetcher(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<Fetcher> {
    let (at, made) = if section.has("ca_file") {
        let text = base.read(section, "ca_file", report)?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let made = read.map_err(|_| "not PEM".to_owned()).and_then(Fetcher::trusting);
        (section.place_of("ca_file"), made.map_err(|fault| format!("`ca_file`: {fault}")))
    } else {
        let made = Fetcher::trusting(rustls_native_certs::load_native_certs().certs);
        let told = |fault| format!("{} has no `ca_file`, and in the system's store is {fault}", section.name());
        (section.at(), made.map_err(told))
    };
    match made {
        Ok(fetcher) => Some(fetcher),
        Err(fault) => {
            report.add(at, fault);
            None
        }
    }
}

fn times(section: &Section<'_>, report: &mut Report<'_>) -> Option<KeyTimes> {
    let seconds = |key, range, default, report: &mut Report<'_>| {
        Duration::from_secs(section.integer(key, range, "seconds", report).unwrap_or(default))
    };
    let refresh = seconds("refresh_seconds", REFRESH_SECONDS, DEFAULT_REFRESH_SECONDS, report);
    let unknown_key_interval = seconds("unknown_key_seconds", UNKNOWN_KEY_SECONDS, DEFAULT_UNKNOWN_KEY_SECONDS, report);
    let max_stale = seconds("max_stale_seconds", MAX_STALE_SECONDS, DEFAULT_MAX_STALE_SECONDS, report);
    if max_stale < refresh.saturating_mul(2) {
        let at = section.place_of("max_stale_seconds");
        report.add(at, "`max_stale_seconds` is less than two refreshes: one failure of the issuer would be an outage");
    }
    let stale_answer = match section.integer("stale_status", 401..=503, "401 or 503", report) {
        None | Some(503) => StaleAnswer::Unavailable,
        Some(401) => StaleAnswer::Unauthorized,
        Some(_) => {
            report.add(section.place_of("stale_status"), "`stale_status`: expected 401 or 503");
            return None;
        }
    };
    Some(KeyTimes { refresh, unknown_key_interval, max_stale, stale_answer })
}

fn startup(section: &Section<'_>, report: &mut Report<'_>) -> Option<Startup> {
    let Some(word) = section.string("startup", report) else { return Some(Startup::Wait) };
    match word.text {
        "wait" => Some(Startup::Wait),
        "serve-unready" => Some(Startup::ServeUnready),
        "fail" => Some(Startup::Fail),
        other => {
            report.add(word.at, format!("`startup` is `{other}`, expected wait, serve-unready or fail"));
            None
        }
    }
}

/// A file that begins like a JSON object is a JWKS; PEM may have text before its first section.
fn from_file(
    section: &Section<'_>,
    base: &Base<'_>,
    algorithms: &[SignatureAlgorithm],
    report: &mut Report<'_>,
) -> Option<KeySet> {
    let text = base.read(section, "keys_file", report)?;
    let at = section.place_of("keys_file");
    let read = if !text.trim_start().starts_with('{') && text.contains("-----BEGIN ") {
        if !section.has("algorithms") {
            report.add(at, "`keys_file` is PEM, which does not say the algorithm, expected `algorithms` beside it");
        }
        auth::read_pem(&text, algorithms)
    } else {
        auth::read_jwks(&text, algorithms)
    };
    match read {
        Ok(keys) => Some(keys),
        Err(faults) => {
            for fault in faults {
                report.add(at, format!("`keys_file`: {fault}"));
            }
            None
        }
    }
}

/// The allowed algorithms; all when none are named, or a named one is faulty, so that the keys are still looked at.
fn algorithms(section: &Section<'_>, report: &mut Report<'_>) -> Vec<SignatureAlgorithm> {
    if !section.has("algorithms") {
        return SignatureAlgorithm::ALL.to_vec();
    }
    let words = section.required_strings("algorithms", report);
    let mut algorithms = Vec::new();
    for word in &words {
        match SignatureAlgorithm::from_word(word.text) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let expected = SignatureAlgorithm::words();
                report.add(word.at, format!("unknown algorithm `{}`, expected some of: {expected}", word.text));
            }
        }
    }
    if algorithms.is_empty() { SignatureAlgorithm::ALL.to_vec() } else { algorithms }
}
