//! The `[[issuers]]` sections.

use std::time::Duration;

use super::raw::Base;
use super::{DEFAULT_LEEWAY_SECONDS, MAX_LEEWAY_SECONDS, issuer_keys};
use crate::auth::{AccessTokenRule, ClaimPointer, IssuerSettings};
use crate::toml_reader::{Report, Section, Text};

const KEYS: [&str; 20] = [
    "name",
    "issuer",
    "audiences",
    "keys_file",
    "jwks_url",
    "discovery",
    "ca_file",
    "keys_in_clear",
    "refresh_seconds",
    "unknown_key_seconds",
    "max_stale_seconds",
    "stale_status",
    "startup",
    "algorithms",
    "typ",
    "azp",
    "name_claim",
    "groups_claim",
    "leeway_seconds",
    "basic_password",
];

/// The issuers, and the names of the faulty ones too: a policy that binds to one of those is not itself at fault.
pub(super) struct Issuers {
    pub(super) ready: Vec<IssuerSettings>,
    pub(super) names: Vec<String>,
}

pub(super) fn read(root: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Issuers {
    let sections = root.sections("issuers", report);
    if sections.is_empty() && !root.has("issuers") {
        report.add(0, "missing section [[issuers]]: no token could be accepted");
    }
    let ready = sections.iter().filter_map(|section| issuer(section, base, report)).collect();
    let names = unique(&sections, "name", report);
    unique(&sections, "issuer", report);
    Issuers { ready, names }
}

/// The values of `key`, each of which only one section may have. Faults of type were reported when it was read.
fn unique(sections: &[Section<'_>], key: &str, report: &mut Report<'_>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for section in sections {
        let Some(value) = section.string(key, &mut Report::new("")) else { continue };
        if seen.iter().any(|earlier| earlier == value.text) {
            report.add(value.at, format!("`{key}` is `{}`, which an earlier issuer has", value.text));
        } else {
            seen.push(value.text.to_owned());
        }
    }
    seen
}

fn issuer(section: &Section<'_>, base: &Base<'_>, report: &mut Report<'_>) -> Option<IssuerSettings> {
    section.only(&KEYS, report);
    let name = section.required_string("name", report);
    let issuer = section.required_string("issuer", report);
    let audiences = section.required_strings("audiences", report);
    let keys = issuer_keys::read(section, base, report);
    let access_token = access_token(section, report);
    let name_claim = pointer(section, "name_claim", report);
    let groups_claim = pointer(section, "groups_claim", report);
    let leeway = section.integer("leeway_seconds", 0..=MAX_LEEWAY_SECONDS, "seconds", report);
    let basic_password = section.boolean("basic_password", report);
    Some(IssuerSettings {
        name: name?.text.to_owned(),
        issuer: issuer?.text.to_owned(),
        audiences: owned(&audiences),
        keys: keys?,
        access_token: access_token?,
        name_claim,
        groups_claim,
        leeway: Duration::from_secs(leeway.unwrap_or(DEFAULT_LEEWAY_SECONDS)),
        basic_password: basic_password.unwrap_or(false),
    })
}

fn access_token(section: &Section<'_>, report: &mut Report<'_>) -> Option<AccessTokenRule> {
    let typ = section.string("typ", report).map(|typ| typ.text);
    let azp = if section.has("azp") { section.required_strings("azp", report) } else { Vec::new() };
    let rule = AccessTokenRule::new(typ, owned(&azp));
    if rule.is_none() && !section.has("typ") && !section.has("azp") {
        report.add(
            section.at(),
            format!(
                "{} has neither `typ` nor `azp`, expected at least one: without it an id token would pass for an access \
                 token (common: typ = \"at+jwt\")",
                section.name()
            ),
        );
    }
    rule
}

fn pointer(section: &Section<'_>, key: &str, report: &mut Report<'_>) -> Option<ClaimPointer> {
    let text = section.string(key, report)?;
    let pointer = ClaimPointer::parse(text.text);
    if pointer.is_none() {
        report.add(text.at, format!("`{key}` is `{}`, expected a JSON pointer such as /groups", text.text));
    }
    pointer
}

fn owned(texts: &[Text<'_>]) -> Vec<String> {
    texts.iter().map(|text| text.text.to_owned()).collect()
}
