//! Where a JSON body names what it reads and writes.
//!
//! What it needs was found by a reading that knows each key by its place and refuses what looks like a name anywhere else
//! (`druid::naming`); so a name that stands where names stand is one.

use super::{Place, Reason, members};
use crate::json::Json;
use crate::permission::{Action, ResourceAction, ResourceType};
use crate::sql::ExternalRules;

/// Within these a spec names what it reads, everywhere else what it writes.
const READ_WITHIN: [&str; 5] = ["inputSource", "inputSpec", "ingestionSpec", "firehose", "segments"];

/// The streams, whose names are in the types of what reads them.
const STREAMS: [&str; 3] = ["kafka", "kinesis", "rabbit"];

/// The pointer of a member of what this one points to (RFC 6901, section 3).
pub fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// What a native query needs of the datasources that it names.
pub fn of_query(query: &Json) -> Vec<Reason> {
    let mut found = Vec::new();
    walk(query, "", &mut |pointer, name| {
        let needs = ResourceAction::new(Action::Read, ResourceType::Datasource, name);
        found.push(Reason { needs, at: Place::Body(pointer.to_owned()), why: "the query reads this datasource" });
    });
    found
}

/// What a task, a supervisor or a sampler needs, by its parts.
pub fn of_spec(spec: &Json, rules: &ExternalRules) -> Vec<Reason> {
    let mut found = Vec::new();
    walk(spec, "", &mut |pointer, name| {
        let is_read = pointer.split('/').any(|step| READ_WITHIN.contains(&step));
        let (action, why) = if is_read {
            (Action::Read, "the spec reads this datasource")
        } else {
            (Action::Write, "the spec writes this datasource")
        };
        let needs = ResourceAction::new(action, ResourceType::Datasource, name);
        found.push(Reason { needs, at: Place::Body(pointer.to_owned()), why });
    });
    let named = spec.get("type").and_then(Json::as_str).unwrap_or_default();
    for stream in STREAMS.into_iter().filter(|stream| named.contains(stream)) {
        let why = "it reads a stream of this type";
        found.push(Reason { needs: rules.of_source(stream), at: Place::Body("/type".to_owned()), why });
    }
    sources(spec, "", rules, &mut found);
    found
}

/// Calls back with each name of a datasource, and where it stands.
fn walk(part: &Json, pointer: &str, found: &mut impl FnMut(&str, &str)) {
    let kind = part.get("type").and_then(Json::as_str).unwrap_or_default();
    for (key, value) in members(part) {
        let at = below(pointer, key);
        let is_name = match key.as_str() {
            "dataSource" => true,
            "name" => matches!(kind, "table" | "globalTable"),
            "left" | "right" => kind == "join",
            "base" => matches!(kind, "unnest" | "filter"),
            _ => false,
        };
        if let Some(name) = value.as_str().filter(|_| is_name) {
            found(&at, name);
        }
        for (index, item) in value.as_array().unwrap_or_default().iter().enumerate() {
            let at = below(&at, &index.to_string());
            if let Some(name) = item.as_str().filter(|_| key == "dataSources") {
                found(&at, name);
            }
            walk(item, &at, found);
        }
        walk(value, &at, found);
    }
}

/// What is read from outside of Druid: input sources, and what Hadoop reads.
fn sources(part: &Json, pointer: &str, rules: &ExternalRules, found: &mut Vec<Reason>) {
    for (key, value) in members(part) {
        let at = below(pointer, key);
        let needs: Vec<ResourceAction> = match key.as_str() {
            "inputSource" => rules.of_spec(value).into_iter().flatten().collect(),
            "inputSpec" => vec![rules.of_source("hadoop")],
            _ => Vec::new(),
        };
        let outside = needs.into_iter().filter(|needs| needs.resource_type == ResourceType::External);
        let why = "it reads from outside of Druid";
        found.extend(outside.map(|needs| Reason { needs, at: Place::Body(at.clone()), why }));
        sources(value, &at, rules, found);
    }
}
