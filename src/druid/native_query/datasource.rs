//! What a query reads from. Druid: `DataSource` and its sub-types, found by the property `type`.
//!
//! Druid takes what has no type, or one that it does not know, for a table; here a type must be said.

use std::collections::BTreeSet;

use super::Place;
use crate::druid::naming::{self, OddBody};
use crate::json::Json;

/// The kinds of datasources.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Union,
    Join,
    Query,
    Lookup,
    Inline,
    Unnest,
    Filter,
    /// What Druid's services say to each other.
    Internal,
}

const KINDS: [(&str, Kind); 13] = [
    ("table", Kind::Table),
    ("globalTable", Kind::Table),
    ("union", Kind::Union),
    ("join", Kind::Join),
    ("query", Kind::Query),
    ("lookup", Kind::Lookup),
    ("inline", Kind::Inline),
    ("unnest", Kind::Unnest),
    ("filter", Kind::Filter),
    ("restrict", Kind::Internal),
    ("external", Kind::Internal),
    ("inputNumber", Kind::Internal),
    ("frame", Kind::Internal),
];

const WHAT: &str = "a datasource";

/// Adds what is read from `source` to `reads`.
pub fn read(source: &Json, reads: &mut BTreeSet<String>) -> Result<(), OddBody> {
    if source.as_str().is_some() {
        reads.insert(naming::text(source, "dataSource")?.to_owned());
        return Ok(());
    }
    let members = naming::members(source, "dataSource")?;
    let (_, kind) = naming::type_of(source, "type", WHAT, &KINDS)?;
    if kind == Kind::Internal {
        let message = "a datasource of this type is only for Druid's own services; name a table";
        return Err(OddBody::NotForClients(message));
    }
    for needed in needed(kind) {
        if !members.iter().any(|(key, _)| key == needed) {
            return Err(OddBody::Type(needed, "there"));
        }
    }
    let mut others = members.iter().filter(|(key, _)| key != "type");
    others.try_for_each(|(key, value)| member(kind, key, value, reads))
}

fn member(kind: Kind, key: &str, value: &Json, reads: &mut BTreeSet<String>) -> Result<(), OddBody> {
    match (kind, key) {
        (Kind::Table, "name") => {
            reads.insert(naming::text(value, "name")?.to_owned());
            Ok(())
        }
        (Kind::Union, "dataSources") => {
            naming::items(value, "dataSources")?.iter().try_for_each(|source| read(source, reads))
        }
        (Kind::Join, "left" | "right") | (Kind::Unnest | Kind::Filter, "base") => read(value, reads),
        (Kind::Query, "query") => super::read(value, Place::Within, reads).map(drop),
        // Rows are what they are.
        (Kind::Inline, "rows" | "columnNames" | "columnTypes") | (Kind::Lookup, "lookup") => Ok(()),
        (Kind::Join, "rightPrefix" | "condition" | "joinType" | "leftFilter" | "joinAlgorithm")
        | (Kind::Unnest, "virtualColumn" | "unnestFilter" | "column" | "outputName" | "allowList" | "allowSet")
        | (Kind::Filter, "filter") => naming::names_nothing(value, WHAT),
        (_, _) => Err(OddBody::UnknownKey(WHAT)),
    }
}

/// The keys without which a datasource of this kind is none.
const fn needed(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Table => &["name"],
        Kind::Union => &["dataSources"],
        Kind::Join => &["left", "right"],
        Kind::Query => &["query"],
        Kind::Lookup => &["lookup"],
        Kind::Inline => &["rows"],
        Kind::Unnest | Kind::Filter => &["base"],
        Kind::Internal => &[],
    }
}
