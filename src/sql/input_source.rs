//! What the JSON of EXTERN's input source reads.
//!
//! Druid: `InputSource` and its sub-types, found by Jackson through the property `type`.

use std::collections::BTreeSet;

use super::refusal::RefusalCode;
use crate::json::{self, Json};

/// The input sources that read files or make up rows. `combining` and `iceberg` hold other sources.
const TYPES: [&str; 12] = [
    "azure",
    "azureStorage",
    "combining",
    "delta",
    "generator",
    "google",
    "hdfs",
    "http",
    "iceberg",
    "inline",
    "local",
    "s3",
];

/// The types that parts of an input source may have: where passwords come from, catalogs and filters of iceberg and
/// delta. None of them reads a datasource.
const PART_TYPES: [&str; 23] = [
    "<",
    "<=",
    "=",
    ">",
    ">=",
    "and",
    "default",
    "environment",
    "equals",
    "glue",
    "hive",
    "interval",
    "local",
    "not",
    "or",
    "range",
    "rest",
    "s3",
    "hdfs",
    "google",
    "azure",
    "timeWindow",
    "timeRange",
];

/// The types of the sources that `text` reads, or why it is refused. What is said holds nothing of the text.
pub(super) fn types(text: &str) -> Result<BTreeSet<&'static str>, (RefusalCode, &'static str)> {
    let source = json::parse(text).map_err(|_| {
        (
            RefusalCode::ExternalJson,
            "EXTERN's input source is not JSON of one reading; write one object with each key once",
        )
    })?;
    let mut types = BTreeSet::new();
    read_source(&source, &mut types)?;
    Ok(types)
}

fn read_source(source: &Json, types: &mut BTreeSet<&'static str>) -> Result<(), (RefusalCode, &'static str)> {
    let Json::Object(members) = source else {
        return Err((
            RefusalCode::ExternalJson,
            "EXTERN's input source is not an object; write a JSON object with a type",
        ));
    };
    let named = source.get("type").and_then(Json::as_str).ok_or((
        RefusalCode::ExternalJson,
        "an input source of EXTERN does not say its type; add the key type with a string",
    ))?;
    let known = known(named, &TYPES)?;
    if known != "combining" {
        types.insert(known);
    }
    for (key, value) in members {
        match (known, key.as_str()) {
            ("combining", "delegates") => {
                let Json::Array(delegates) = value else {
                    return Err((
                        RefusalCode::ExternalJson,
                        "the delegates of an input source are not a list; write an array of input sources",
                    ));
                };
                delegates.iter().try_for_each(|delegate| read_source(delegate, types))?;
            }
            _ => read_part(value)?,
        }
    }
    Ok(())
}

/// Parts of a source are no sources, but one that says a type that is not known may be anything.
fn read_part(part: &Json) -> Result<(), (RefusalCode, &'static str)> {
    match part {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        Json::Array(items) => items.iter().try_for_each(read_part),
        Json::Object(members) => members.iter().try_for_each(|(key, value)| {
            if key == "type" {
                let named = value.as_str().ok_or((RefusalCode::ExternalUnknownType, UNKNOWN))?;
                return known(named, &PART_TYPES).map(|_| ());
            }
            read_part(value)
        }),
    }
}

const UNKNOWN: &str =
    "EXTERN's input source, or a part of it, is of a type that the gate does not know; use a type of Druid's own";

fn known(named: &str, list: &[&'static str]) -> Result<&'static str, (RefusalCode, &'static str)> {
    match named {
        "druid" => Err((RefusalCode::ExternalDruid, "EXTERN may not read datasources; name the datasource in FROM")),
        "sql" => Err((
            RefusalCode::ExternalSql,
            "EXTERN may not read databases; write what is read there into files, and read those",
        )),
        other => {
            list.iter().find(|listed| **listed == other).copied().ok_or((RefusalCode::ExternalUnknownType, UNKNOWN))
        }
    }
}
