//! Bodies that name datasources: how they may be odd, and parts of them that name none.
//!
//! Druid ignores keys that it does not know and reads some that no documentation names. So what the gate does not read of a
//! body may be anything, but nothing in it may look as if it named a datasource or a place to read from.

use std::collections::BTreeSet;

use super::context::OF_PROCESSES;
use crate::json::{self, Json};

/// The most datasources that one body may name: a 403 and a record name them all.
pub const MAX_DATASOURCES: usize = 1_000;

/// Words that stand in no key but of what names a datasource, a query or a source; without regard to case.
const NAMING_WORDS: [&str; 7] =
    ["datasource", "dataschema", "querytype", "inputsource", "inputspec", "ingestionspec", "firehose"];

/// Types that nothing has but what names a datasource or a source.
const NAMING_TYPES: [&str; 10] =
    ["druid", "external", "globalTable", "ingestSegment", "join", "query", "restrict", "table", "union", "unnest"];

/// Why a body is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddBody {
    /// Not JSON with one reading.
    #[error("the body is not JSON that can be read in one way only: {0}")]
    Json(#[from] json::Fault),
    /// A value of the wrong type, or none where one must be.
    #[error("[{0}] must be {1}")]
    Type(&'static str, &'static str),
    /// A type that the gate does not know.
    #[error("{0} of a type that the gate does not know; it knows {1}")]
    UnknownType(&'static str, String),
    /// A type that Druid knows and clients may not send.
    #[error("{0}")]
    NotForClients(&'static str),
    /// A key where the gate knows of none that could be read.
    #[error("{0} has a key that the gate does not know for this type; leave it out")]
    UnknownKey(&'static str),
    /// What looks as if it named a datasource or a source, where the gate knows of none.
    #[error(
        "[{0}] holds a key or a type that would name a datasource or a source where Druid reads none; leave it out"
    )]
    StrayName(&'static str),
    /// A context key that clients may not set.
    #[error("the context key [{0}] may not be set by clients here")]
    ReservedKey(String),
    /// More than [`MAX_DATASOURCES`].
    #[error("the body names more than {MAX_DATASOURCES} datasources")]
    TooManyDatasources,
}

impl OddBody {
    /// The word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "odd_json",
            Self::Type(..) => "wrong_type",
            Self::UnknownType(..) => "unknown_type",
            Self::NotForClients(_) => "not_for_clients",
            Self::UnknownKey(_) => "unknown_key",
            Self::StrayName(_) => "stray_name",
            Self::ReservedKey(_) => "reserved_context_key",
            Self::TooManyDatasources => "too_many_resources",
        }
    }
}

/// The members of what must be an object.
pub(super) fn members<'j>(value: &'j Json, name: &'static str) -> Result<&'j [(String, Json)], OddBody> {
    match value {
        Json::Object(members) => Ok(members),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err(OddBody::Type(name, "an object"))
        }
    }
}

/// The items of what must be an array.
pub(super) fn items<'j>(value: &'j Json, name: &'static str) -> Result<&'j [Json], OddBody> {
    value.as_array().ok_or(OddBody::Type(name, "an array"))
}

/// A name that must be there.
pub(super) fn text<'j>(value: &'j Json, name: &'static str) -> Result<&'j str, OddBody> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(OddBody::Type(name, "a string that is not empty"))
}

/// Which of these types the value of `key` is; `what` is how the object is called.
pub(super) fn type_of<T: Copy>(
    object: &Json,
    key: &'static str,
    what: &'static str,
    known: &[(&'static str, T)],
) -> Result<(&'static str, T), OddBody> {
    let named = object.get(key).ok_or(OddBody::Type(key, "said: it is missing"))?;
    let named = text(named, key)?;
    let listed = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    known.iter().find(|(name, _)| *name == named).copied().ok_or_else(|| OddBody::UnknownType(what, listed()))
}

/// A member that the gate does not read further.
pub(super) fn unread(key: &str, value: &Json, within: &'static str) -> Result<(), OddBody> {
    if key.starts_with(OF_PROCESSES) {
        let message =
            "a key that begins with druid.indexer. sets options of the process that runs a task; leave it out";
        return Err(OddBody::NotForClients(message));
    }
    if is_naming(key) {
        return Err(OddBody::StrayName(within));
    }
    names_nothing(value, within)
}

/// A part that may be anything but what would name a datasource or a source.
pub(super) fn names_nothing(part: &Json, within: &'static str) -> Result<(), OddBody> {
    match part {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        Json::Array(items) => items.iter().try_for_each(|item| names_nothing(item, within)),
        Json::Object(members) => members.iter().try_for_each(|(key, value)| {
            refuse_naming_type(key, value, within)?;
            unread(key, value, within)
        }),
    }
}

/// A part in which each `dataSource` is one that is read, such as a list of segments.
pub(super) fn reads_each_named(part: &Json, within: &'static str, reads: &mut BTreeSet<String>) -> Result<(), OddBody> {
    match part {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        Json::Array(items) => items.iter().try_for_each(|item| reads_each_named(item, within, reads)),
        Json::Object(members) => members.iter().try_for_each(|(key, value)| {
            if key == "dataSource" {
                reads.insert(text(value, "dataSource")?.to_owned());
                return Ok(());
            }
            refuse_naming_type(key, value, within)?;
            if is_naming(key) {
                return Err(OddBody::StrayName(within));
            }
            reads_each_named(value, within, reads)
        }),
    }
}

fn refuse_naming_type(key: &str, value: &Json, within: &'static str) -> Result<(), OddBody> {
    let is_naming = key == "type" && value.as_str().is_some_and(|named| NAMING_TYPES.contains(&named));
    if is_naming { Err(OddBody::StrayName(within)) } else { Ok(()) }
}

fn is_naming(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    NAMING_WORDS.iter().any(|word| lower.contains(word))
}
