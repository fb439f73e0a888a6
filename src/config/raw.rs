//! The configuration file: from TOML to settings, every fault at once.
//!
//! Each function reads one section; a fault of its own never keeps the others from being found.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::files::{read_text, without_newline};
use super::settings::{Config, IdSettings, Origin, PolicySettings, Secret, ServerSettings, SqlSettings, TlsSettings};
use super::{
    DEFAULT_DRAIN_SECONDS, DEFAULT_GRACE_SECONDS, Limits, MAX_GRACE_SECONDS, MAX_OTHER_ID_KEYS, MIN_ID_KEY_BYTES,
    druid, issuers, limits, operations, sql,
};
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
    pub(super) files: Vec<PathBuf>,
}

/// Files named by the configuration, relative to it.
pub(super) struct Base<'p> {
    configuration: &'p Path,
    read: RefCell<Vec<PathBuf>>,
}

impl<'p> Base<'p> {
    pub(super) fn new(configuration: &'p Path) -> Self {
        Self { configuration, read: RefCell::new(vec![configuration.to_owned()]) }
    }

    pub(super) fn path(&self, name: Text<'_>) -> PathBuf {
        self.configuration.parent().unwrap_or_else(|| Path::new("")).join(name.text)
    }

    /// The text of a file that `key` names.
    pub(super) fn read(&self, section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<String> {
        self.read_named(section.required_string(key, report)?, key, report)
    }

    fn read_named(&self, name: Text<'_>, key: &str, report: &mut Report<'_>) -> Option<String> {
        let path = self.path(name);
        self.read.borrow_mut().push(path.clone());
        match read_text(&path) {
            Ok(text) => Some(text),
            Err(fault) => {
                report.add(name.at, format!("`{key}`: {} {fault}", name.text));
                None
            }
        }
    }

    /// The certificates of a PEM file that `key` names, at least one.
    pub(super) fn certificates(
        &self,
        section: &Section<'_>,
        key: &str,
        report: &mut Report<'_>,
    ) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.read(section, key, report)?;
        let chain: Option<Vec<_>> = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::ok).collect();
        let chain = chain.filter(|chain| !chain.is_empty());
        if chain.is_none() {
            report.add(section.place_of(key), format!("`{key}`: not a PEM file of certificates"));
        }
        chain
    }

    /// The private key of a PEM file that `key` names.
    pub(super) fn private_key(
        &self,
        section: &Section<'_>,
        key: &str,
        report: &mut Report<'_>,
    ) -> Option<PrivateKeyDer<'static>> {
        let text = self.read(section, key, report)?;
        let private = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok();
        if private.is_none() {
            report.add(section.place_of(key), format!("`{key}`: not a PEM file with a private key"));
        }
        private
    }
}

pub(super) fn read(
    root: &Section<'_>,
    base: &Base<'_>,
    partial: &mut Partial,
    report: &mut Report<'_>,
) -> Option<Config> {
    root.only(&["server", "druid", "ids", "policy", "issuers", "sql", "limits", "admin", "audit"], report);
    let server = required(root, "server", report).and_then(|section| server(&section, base, report));
    let druid = required(root, "druid", report).and_then(|section| druid::read(&section, base, report));
    let ids = required(root, "ids", report).and_then(|section| ids(&section, base, report));
    let policy = required(root, "policy", report).and_then(|section| policy(&section, base, partial, report));
    let sql = root.section("sql", report).map_or_else(SqlSettings::default, |section| sql::read(&section, report));
    let limits = root.section("limits", report).map_or_else(Limits::default, |section| limits::read(&section, report));
    let admin = match root.section("admin", report) {
        None => Some(None),
        Some(section) => operations::admin(&section, report).map(Some),
    };
    let audit = operations::audit(root.section("audit", report).as_ref(), base, report);
    let issuers = issuers::read(root, base, report);
    partial.issuer_names = issuers.names;
    let auth = AuthSettings { issuers: issuers.ready };
    let files = base.read.take();
    partial.files.clone_from(&files);
    Some(Config {
        server: server?,
        druid: druid?,
        ids: ids?,
        policy: policy?,
        auth,
        sql,
        limits,
        admin: admin?,
        audit: audit?,
        files,
    })
}

fn required<'d>(root: &Section<'d>, key: &str, report: &mut Report<'_>) -> Option<Section<'d>> {
    if !root.has(key) {
        report.add(0, format!("missing section [{key}]"));
    }
    root.section(key, report)
}

fn server(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<ServerSettings> {
    let keys = ["listen", "origin", "certificate", "key", "plaintext", "drain_seconds", "grace_seconds"];
    section.only(&keys, report);
    let listen = address(section, report);
    let origin = origin(section, report);
    let tls = if section.has("plaintext") { plaintext(section, report) } else { tls(section, base, report).map(Some) };
    let grace = section.integer("grace_seconds", 0..=MAX_GRACE_SECONDS, "seconds", report);
    let drain = section.integer("drain_seconds", 0..=MAX_GRACE_SECONDS, "seconds", report);
    Some(ServerSettings {
        listen: listen?,
        origin: origin?,
        tls: tls?,
        drain_seconds: drain.unwrap_or(DEFAULT_DRAIN_SECONDS),
        grace_seconds: grace.unwrap_or(DEFAULT_GRACE_SECONDS),
    })
}

/// The address under `listen`.
pub(super) fn address(section: &Section<'_>, report: &mut Report<'_>) -> Option<SocketAddr> {
    let listen = section.required_string("listen", report)?;
    let address = listen.text.parse::<SocketAddr>().ok();
    if address.is_none() {
        report.add(listen.at, format!("`listen` is `{}`, expected ADDRESS:PORT such as 127.0.0.1:8443", listen.text));
    }
    address
}

/// `Some(None)` where there is none.
fn origin(section: &Section<'_>, report: &mut Report<'_>) -> Option<Option<Origin>> {
    if !section.has("origin") {
        return Some(None);
    }
    let text = section.string("origin", report)?;
    let origin = Origin::parse(text.text);
    if origin.is_none() {
        let expected =
            "expected what browsers show: https://HOST or https://HOST:PORT, in lower case and without a path";
        report.add(text.at, format!("`origin` is `{}`, {expected}", druid::redact_user(text.text)));
    }
    origin.map(Some)
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
    let certificates = base.certificates(section, "certificate", report);
    let key = base.private_key(section, "key", report);
    let (certificates, key) = (certificates?, key?);
    if let Err(error) = CertifiedKey::from_der(certificates.clone(), key.clone_key(), &aws_lc_rs::default_provider()) {
        report.add(section.place_of("key"), format!("`key` cannot serve with `certificate`: {error}"));
        return None;
    }
    Some(TlsSettings { certificates, key })
}

fn ids(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<IdSettings> {
    section.only(&["key_file", "other_key_files"], report);
    let key = section.required_string("key_file", report).and_then(|name| id_key("key_file", name, base, report));
    let names = section.strings("other_key_files", report).unwrap_or_default();
    if names.len() > MAX_OTHER_ID_KEYS {
        let message = format!("`other_key_files` has {} files, expected at most {MAX_OTHER_ID_KEYS}", names.len());
        report.add(section.place_of("other_key_files"), message);
    }
    let others: Vec<_> = names.into_iter().map(|name| id_key("other_key_files", name, base, report)).collect();
    let other_keys = others.into_iter().collect::<Option<_>>()?;
    Some(IdSettings { key: key?, other_keys })
}

fn id_key(key: &str, name: Text<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<Secret<Vec<u8>>> {
    let text = base.read_named(name, key, report)?;
    let bytes = STANDARD.decode(without_newline(&text)).ok().filter(|bytes| bytes.len() >= MIN_ID_KEY_BYTES);
    if bytes.is_none() {
        report.add(name.at, format!("`{key}`: expected at least {MIN_ID_KEY_BYTES} random bytes in base64"));
    }
    bytes.map(Secret::new)
}

fn policy(
    section: &Section<'_>,
    base: &Base<'_>,
    partial: &mut Partial,
    report: &mut Report<'_>,
) -> Option<PolicySettings> {
    section.only(&["file", "task_cancel", "statements_by_state"], report);
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
    let statements_by_state = section.boolean("statements_by_state", report).unwrap_or(true);
    Some(PolicySettings { file: file?, task_cancel: task_cancel?, statements_by_state })
}
