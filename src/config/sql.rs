//! The section `[sql]`: what SQL may say, and what it takes.

use std::collections::BTreeSet;

use super::settings::SqlSettings;
use crate::druid::context::ContextKeys;
use crate::sql::{Destinations, DruidSource, ExternalPermission, ExternalRules};
use crate::toml_reader::{Report, Section, Text};

const KEYS: [&str; 6] = [
    "external",
    "external_druid",
    "external_destinations",
    "query_context",
    "query_context_free",
    "query_context_secured",
];

/// Reads the section.
pub(super) fn read(section: &Section<'_>, report: &mut Report<'_>) -> SqlSettings {
    section.only(&KEYS, report);
    let permissions = [("any-type", ExternalPermission::AnyType), ("by-type", ExternalPermission::ByType)];
    let sources = [("refuse", DruidSource::Refuse), ("require-read", DruidSource::RequireRead)];
    SqlSettings {
        external: ExternalRules {
            permission: word(section, "external", permissions, report),
            druid: word(section, "external_druid", sources, report),
            destinations: destinations(section, report),
        },
        context_keys: context_keys(section, report),
    }
}

/// The value of the word under `key`; without one, the first.
fn word<T: Copy>(section: &Section<'_>, key: &str, words: [(&str, T); 2], report: &mut Report<'_>) -> T {
    let [(first, default), (second, _)] = words;
    let Some(found) = section.string(key, report) else { return default };
    let value = words.into_iter().find(|(word, _)| *word == found.text);
    if value.is_none() {
        report.add(found.at, format!("`{key}` is `{}`, expected {first} or {second}", found.text));
    }
    value.map_or(default, |(_, value)| value)
}

fn destinations(section: &Section<'_>, report: &mut Report<'_>) -> Option<Destinations> {
    let entries = section.strings("external_destinations", report)?;
    match Destinations::parse(entries.iter().map(|entry| entry.text)) {
        Ok(list) => Some(list),
        Err(odd) => {
            for (index, what) in odd {
                let at = entries.get(index).map_or(section.at(), |entry: &Text<'_>| entry.at);
                report.add(at, format!("`external_destinations`: {what}"));
            }
            None
        }
    }
}

fn context_keys(section: &Section<'_>, report: &mut Report<'_>) -> ContextKeys {
    let authorize = word(section, "query_context", [("ignore", false), ("authorize", true)], report);
    let lists = ["query_context_free", "query_context_secured"];
    let [free, secured] = lists.map(|key| {
        if section.has(key) && !authorize {
            report.add(section.place_of(key), format!("`{key}` without `query_context = \"authorize\"`"));
        }
        let keys = section.strings(key, report);
        keys.map(|keys| keys.into_iter().map(|key| key.text.to_owned()).collect::<BTreeSet<_>>())
    });
    // At Druid it would free every key, which is said aloud by `query_context = "ignore"`.
    if secured.as_ref().is_some_and(BTreeSet::is_empty) {
        report.add(
            section.place_of("query_context_secured"),
            "`query_context_secured` is empty, expected at least one key",
        );
    }
    if authorize { ContextKeys::Authorize { free: free.unwrap_or_default(), secured } } else { ContextKeys::Ignore }
}
