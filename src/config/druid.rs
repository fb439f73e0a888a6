//! The section `[druid]`: where Druid is, and who the gate is there.

use std::sync::Arc;

use http::Uri;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use super::files::without_newline;
use super::raw::Base;
use super::settings::{Account, DruidSettings, RouterTls, Secret};
use crate::toml_reader::{Report, Section, Text};

const KEYS: [&str; 8] =
    ["router", "routers", "username", "password_file", "token_file", "ca_file", "client_certificate", "client_key"];

/// Reads the section.
pub(super) fn read(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<DruidSettings> {
    section.only(&KEYS, report);
    let routers = routers(section, report);
    let account = account(section, base, report);
    let is_tls = routers.as_ref().is_some_and(|uris| uris.iter().any(|uri| uri.scheme_str() == Some("https")));
    let tls = if is_tls {
        tls(section, base, report).map(Some)
    } else {
        for key in ["ca_file", "client_certificate", "client_key"] {
            if routers.is_some() && section.has(key) {
                report.add(section.place_of(key), format!("`{key}` without https in the address of the Router"));
            }
        }
        Some(None)
    };
    Some(DruidSettings { routers: routers?, account: account?, tls: tls? })
}

/// By a token, by name and password, or by nothing but the certificate that is shown.
fn account(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<Account> {
    let has_name = section.has("username") || section.has("password_file");
    if section.has("token_file") {
        bearer(section, base, report)
    } else if section.has("client_certificate") && !has_name {
        Some(Account::Certificate)
    } else {
        basic(section, base, report)
    }
}

fn basic(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<Account> {
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
    Some(Account::Basic { username: username?.text.to_owned(), password: Secret::new(password?.to_owned()) })
}

fn bearer(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<Account> {
    for key in ["username", "password_file"] {
        if section.has(key) {
            report.add(section.place_of(key), format!("`{key}` beside `token_file`, expected only one account"));
        }
    }
    let text = base.read(section, "token_file", report)?;
    let token = without_newline(&text);
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        report.add(section.place_of("token_file"), "`token_file`: expected one token of visible ASCII");
        return None;
    }
    Some(Account::Bearer { token: Secret::new(token.to_owned()) })
}

/// The texts of the files that TLS is made of, by which a reload sees whether they are others.
const TLS_FILES: [&str; 3] = ["ca_file", "client_certificate", "client_key"];

/// Trusts the named authority and no other, and shows a certificate if one is named.
fn tls(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<RouterTls> {
    let roots = roots(section, base, report);
    // Faults are told where they are used.
    let text = |key: &&str| section.has(key).then(|| base.read(section, key, &mut Report::new(""))).flatten();
    let texts = Secret::new(TLS_FILES.iter().map(text).map(Option::unwrap_or_default).collect());
    let shown = if section.has("client_certificate") || section.has("client_key") {
        let chain = base.certificates(section, "client_certificate", report);
        let key = base.private_key(section, "client_key", report);
        Some(chain.zip(key)?)
    } else {
        None
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots?), Arc::clone(&provider)).build();
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .ok()?
        .with_webpki_verifier(verifier.ok()?);
    let client = match shown {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key),
    };
    match client {
        Ok(client) => Some(RouterTls { client, files: texts }),
        Err(error) => {
            let at = section.place_of("client_key");
            report.add(at, format!("`client_key` cannot be used with `client_certificate`: {error}"));
            None
        }
    }
}

fn roots(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in base.certificates(section, "ca_file", report)? {
        if let Err(error) = roots.add(certificate) {
            report.add(section.place_of("ca_file"), format!("`ca_file`: {error}"));
            return None;
        }
    }
    Some(roots)
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
    let uris = uris.filter(|uris| !uris.is_empty())?;
    if uris.iter().any(|uri| uri.scheme_str() != uris.first().and_then(Uri::scheme_str)) {
        report.add(section.place_of("routers"), "`routers`: some are http and some https, expected all alike");
        return None;
    }
    Some(uris)
}

fn router(text: Text<'_>, report: &mut Report<'_>) -> Option<Uri> {
    let uri = text.text.parse::<Uri>().ok().filter(|uri| {
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let host_only = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        matches!(uri.scheme_str(), Some("http" | "https")) && bare && host_only && !text.text.contains('#')
    });
    if uri.is_none() {
        report.add(
            text.at,
            format!(
                "`router` is `{}`, expected http://HOST:PORT or https://HOST:PORT without user, path or query",
                redact_user(text.text)
            ),
        );
    }
    uri
}

/// A URL with a user may have a password, which a message must not repeat.
pub(super) fn redact_user(url: &str) -> String {
    url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("[redacted]@{host}"))
}
