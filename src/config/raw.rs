//! The configuration file: from TOML to settings, every fault at once.
//!
//! Each function reads one section; a fault of its own never keeps the others from being found.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::files::{read_text, without_newline};
use super::settings::{Config, DruidSettings, IdSettings, PolicySettings, Secret, ServerSettings, TlsSettings};
use super::{DEFAULT_GRACE_SECONDS, Limits, MAX_GRACE_SECONDS, MIN_ID_KEY_BYTES, issuers, limits};
use crate::auth::AuthSettings;
use crate::permission::Action;
use crate::toml_reader::{Report, Section, Text};

/// What the configuration must say to serve plain HTTP.
const PLAINTEXT_CONSENT: &str = "i-accept-that-tokens-travel-in-clear";

/// What a check can use of a configuration even when other parts of it are faulty.
#[derive(Default)]
pub(super) struct Partial {
    pub(super) policy_file: Option<PathBuf>,
    pub(super) issuer_names: Vec<String>,
}

/// Files named by the configuration, relative to it.
pub(super) struct Base<'p>(pub(super) &'p Path);

impl Base<'_> {
    fn path(&self, name: Text<'_>) -> PathBuf {
        self.0.parent().unwrap_or_else(|| Path::new("")).join(name.text)
    }

    /// The text of a file that `key` names.
    pub(super) fn read(&self, section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<String> {
        self.read_named(section.required_string(key, report)?, key, report)
    }

    fn read_named(&self, name: Text<'_>, key: &str, report: &mut Report<'_>) -> Option<String> {
        match read_text(&self.path(name)) {
            Ok(text) => Some(text),
            Err(fault) => {
                report.add(name.at, format!("`{key}`: {} {fault}", name.text));
                None
            }
        }
    }
}

pub(super) fn read(
    root: &Section<'_>,
    base: &Base<'_>,
    partial: &mut Partial,
    report: &mut Report<'_>,
) -> Option<Config> {
    root.only(&["server", "druid", "ids", "policy", "issuers", "limits"], report);
    let server = required(root, "server", report).and_then(|section| server(&section, base, report));
    let druid = required(root, "druid", report).and_then(|section| druid(&section, base, report));
    let ids = required(root, "ids", report).and_then(|section| ids(&section, base, report));
    let policy = required(root, "policy", report).and_then(|section| policy(&section, base, partial, report));
    let limits = root.section("limits", report).map_or_else(Limits::default, |section| limits::read(&section, report));
    let issuers = issuers::read(root, base, report);
    partial.issuer_names = issuers.names;
    let auth = AuthSettings { issuers: issuers.ready };
    Some(Config { server: server?, druid: druid?, ids: ids?, policy: policy?, auth, limits })
}

fn required<'d>(root: &Section<'d>, key: &str, report: &mut Report<'_>) -> Option<Section<'d>> {
    if !root.has(key) {
        report.add(0, format!("missing section [{key}]"));
    }
    root.section(key, report)
}

fn server(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<ServerSettings> {
    section.only(&["listen", "certificate", "key", "plaintext", "grace_seconds"], report);
    let listen = section.required_string("listen", report);
    let listen = listen.and_then(|listen| {
        let address = listen.text.parse::<SocketAddr>().ok();
        if address.is_none() {
            report
                .add(listen.at, format!("`listen` is `{}`, expected ADDRESS:PORT such as 127.0.0.1:8443", listen.text));
        }
        address
    });
    let tls = if section.has("plaintext") { plaintext(section, report) } else { tls(section, base, report).map(Some) };
    let grace = section.integer("grace_seconds", 0..=MAX_GRACE_SECONDS, "seconds", report);
    Some(ServerSettings { listen: listen?, tls: tls?, grace_seconds: grace.unwrap_or(DEFAULT_GRACE_SECONDS) })
}

/// No certificate at all, if the configuration says so in full.
fn plaintext(section: &Section<'_>, report: &mut Report<'_>) -> Option<Option<TlsSettings>> {
    for key in ["certificate", "key"] {
        if section.has(key) {
            report.add(section.place_of(key), format!("`{key}` beside `plaintext`, expected only one of them"));
        }
    }
    let consent = section.string("plaintext", report)?;
    if consent.text == PLAINTEXT_CONSENT {
        return Some(None);
    }
    report.add(consent.at, format!("`plaintext`: expected \"{PLAINTEXT_CONSENT}\", or a `certificate` and a `key`"));
    None
}

fn tls(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<TlsSettings> {
    if !section.has("certificate") && !section.has("key") {
        report.add(section.at(), format!("{} has no `certificate` and `key` for TLS", section.name()));
        return None;
    }
    let certificate = base.read(section, "certificate", report);
    let key = base.read(section, "key", report);
    let certificates = certificate.and_then(|text| {
        let chain: Option<Vec<_>> = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::ok).collect();
        let chain = chain.filter(|chain| !chain.is_empty());
        if chain.is_none() {
            report.add(section.place_of("certificate"), "`certificate`: not a PEM file of certificates");
        }
        chain
    });
    let key = key.and_then(|text| {
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok();
        if key.is_none() {
            report.add(section.place_of("key"), "`key`: not a PEM file with a private key");
        }
        key
    });
    let (certificates, key) = (certificates?, key?);
    if let Err(error) = CertifiedKey::from_der(certificates.clone(), key.clone_key(), &aws_lc_rs::default_provider()) {
        report.add(section.place_of("key"), format!("`key` cannot serve with `certificate`: {error}"));
        return None;
    }
    Some(TlsSettings { certificates, key })
}

fn druid(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<DruidSettings> {
    section.only(&["router", "routers", "username", "password_file"], report);
    let routers = routers(section, report);
    let username = section.required_string("username", report);
    if let Some(username) = username.filter(|name| name.text.contains(':') || name.text.chars().any(char::is_control)) {
        // RFC 7617 section 2: the first colon ends the user-id.
        report
            .add(username.at, "`username` has a colon or control characters, which Basic authentication cannot carry");
    }
    let password = base.read(section, "password_file", report);
    let password = password.as_deref().map(without_newline);
    if password.is_some_and(|password| password.is_empty() || password.chars().any(char::is_control)) {
        report
            .add(section.place_of("password_file"), "`password_file`: the password is empty or has control characters");
    }
    Some(DruidSettings {
        routers: routers?,
        username: username?.text.to_owned(),
        password: Secret::new(password?.to_owned()),
    })
}

/// `router` with one address, or `routers` with several.
fn routers(section: &Section<'_>, report: &mut Report<'_>) -> Option<Vec<Uri>> {
    if !section.has("routers") {
        return section.required_string("router", report).and_then(|text| router(text, report)).map(|uri| vec![uri]);
    }
    if section.has("router") {
        report.add(section.place_of("routers"), "`routers` beside `router`, expected only one of them");
    }
    let texts = section.required_strings("routers", report);
    let uris: Option<Vec<Uri>> = texts.into_iter().map(|text| router(text, report)).collect();
    uris.filter(|uris| !uris.is_empty())
}

fn router(text: Text<'_>, report: &mut Report<'_>) -> Option<Uri> {
    let uri = text.text.parse::<Uri>().ok().filter(|uri| {
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let host_only = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        uri.scheme_str() == Some("http") && bare && host_only && !text.text.contains('#')
    });
    if uri.is_none() {
        report.add(
            text.at,
            format!("`router` is `{}`, expected http://HOST:PORT without user, path or query", redact_user(text.text)),
        );
    }
    uri
}

/// A URL with a user may have a password, which a message must not repeat.
fn redact_user(url: &str) -> String {
    url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("[redacted]@{host}"))
}

fn ids(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<IdSettings> {
    section.only(&["key_file"], report);
    let text = base.read(section, "key_file", report)?;
    let key = STANDARD.decode(without_newline(&text)).ok().filter(|key| key.len() >= MIN_ID_KEY_BYTES);
    if key.is_none() {
        let expected = format!("`key_file`: expected at least {MIN_ID_KEY_BYTES} random bytes in base64");
        report.add(section.place_of("key_file"), expected);
    }
    Some(IdSettings { key: Secret::new(key?) })
}

fn policy(
    section: &Section<'_>,
    base: &Base<'_>,
    partial: &mut Partial,
    report: &mut Report<'_>,
) -> Option<PolicySettings> {
    section.only(&["file", "task_cancel"], report);
    let file = section.required_string("file", report).map(|name| base.path(name));
    partial.policy_file.clone_from(&file);
    let task_cancel = match section.string("task_cancel", report) {
        None => Some(Action::Read),
        Some(word) => {
            let action = Action::from_word(word.text);
            if action.is_none() {
                report.add(word.at, format!("`task_cancel` is `{}`, expected READ or WRITE", word.text));
            }
            action
        }
    };
    Some(PolicySettings { file: file?, task_cancel: task_cancel? })
}
