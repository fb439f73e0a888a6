//! Supervisors that there are: their ids, and what the Overlord says of one.

use std::collections::BTreeSet;

use super::task::TaskId;
use crate::json::{self, Json};
use crate::permission::{Action, Permissions, ResourceAction, ResourceType};

/// The id of a supervisor; what may be one is what may be a task's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorId(TaskId);

impl SupervisorId {
    /// The id, if it is valid.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        TaskId::new(text).map(Self)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What decides who may do something with a supervisor: the datasources of its spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorFacts {
    /// Nothing where the spec is of a type that the gate does not know, or names none: it could be about any.
    datasources: Option<BTreeSet<String>>,
}

impl SupervisorFacts {
    /// Reads a spec as the Overlord writes it. Druid: `SupervisorSpec.getDataSources` of each type.
    #[must_use]
    pub fn of_spec(spec: &Json) -> Self {
        let text = |path: &[&str]| {
            let found = path.iter().try_fold(spec, |json, key| json.get(key))?;
            found.as_str().map(str::to_owned)
        };
        let found: Option<BTreeSet<String>> = match spec.get("type").and_then(Json::as_str).unwrap_or_default() {
            // Druid reads the second place where there is no first, and writes both.
            "kafka" | "kinesis" | "rabbit" => {
                let places = [text(&["spec", "dataSchema", "dataSource"]), text(&["dataSchema", "dataSource"])];
                Some(places.into_iter().flatten().collect())
            }
            "autocompact" => text(&["spec", "dataSource"]).map(|datasource| BTreeSet::from([datasource])),
            "scheduled_batch" => text(&["dataSource"]).map(|datasource| BTreeSet::from([datasource])),
            // Also what takes a terminated one's place.
            "NoopSupervisorSpec" | "noop" => {
                let items = spec.get("dataSources").and_then(Json::as_array).unwrap_or_default();
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        Self { datasources: found.filter(|datasources| !datasources.is_empty()) }
    }

    /// Reads the Overlord's answer to `GET /supervisor/{id}`; nothing if it is not a spec.
    #[must_use]
    pub fn from_answer(body: &[u8]) -> Option<Self> {
        let spec = json::parse_answer(body).ok()?;
        spec.get("type").map(|_| Self::of_spec(&spec))
    }

    /// Reads the Overlord's answer to `GET /supervisor?full`; nothing if one of them is not readable.
    #[must_use]
    pub fn all_from_answer(body: &[u8]) -> Option<Vec<(SupervisorId, Self)>> {
        let list = json::parse_answer(body).ok()?;
        let one = |item: &Json| {
            let id = SupervisorId::new(item.get("id")?.as_str()?)?;
            Some((id, Self::of_spec(item.get("spec")?)))
        };
        list.as_array()?.iter().map(one).collect()
    }

    /// What it takes to do `action` to the supervisor.
    #[must_use]
    pub fn needs(&self, action: Action) -> Permissions {
        let names = self.datasources.iter().flatten();
        let set = names.map(|name| ResourceAction::new(action, ResourceType::Datasource, name.as_str())).collect();
        Permissions::from_set(set)
            .unwrap_or_else(|| Permissions::one(ResourceAction::every(action, ResourceType::Datasource)))
    }

    /// The datasources.
    pub fn datasources(&self) -> impl Iterator<Item = &str> {
        self.datasources.iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(spec: &str) -> String {
        let facts = SupervisorFacts::from_answer(spec.as_bytes()).expect("a spec");
        facts.needs(Action::Write).to_sentence()
    }

    #[test]
    fn datasources_are_where_each_type_has_them() {
        for (spec, needed) in [
            (r#"{"type":"kafka","spec":{"dataSchema":{"dataSource":"a"}}}"#, "WRITE DATASOURCE a"),
            (r#"{"type":"kinesis","dataSchema":{"dataSource":"a"}}"#, "WRITE DATASOURCE a"),
            (
                r#"{"type":"rabbit","spec":{"dataSchema":{"dataSource":"a"}},"dataSchema":{"dataSource":"b"}}"#,
                "WRITE DATASOURCE a, WRITE DATASOURCE b",
            ),
            (r#"{"type":"autocompact","spec":{"dataSource":"a"}}"#, "WRITE DATASOURCE a"),
            (r#"{"type":"scheduled_batch","dataSource":"a","spec":{"query":"x"}}"#, "WRITE DATASOURCE a"),
            (
                r#"{"type":"NoopSupervisorSpec","id":"s","dataSources":["b","a"],"type":"noop"}"#,
                "WRITE DATASOURCE a, WRITE DATASOURCE b",
            ),
        ] {
            assert_eq!(needs(spec), needed, "{spec}");
        }
    }

    /// What is not read might be about any datasource.
    #[test]
    fn what_is_not_known_needs_all() {
        for spec in [
            r#"{"type":"kafka"}"#,
            r#"{"type":"derivativeDataSource","dataSource":"a"}"#,
            r#"{"type":"NoopSupervisorSpec","dataSources":[]}"#,
            r#"{"type":"NoopSupervisorSpec","dataSources":["a",1]}"#,
            r#"{"type":1,"dataSource":"a"}"#,
        ] {
            assert_eq!(needs(spec), "WRITE DATASOURCE *", "{spec}");
        }
        for odd in ["", "[]", "{}", "null", r#"{"type":"kafka","dataSchema":{},"dataSchema":{}}"#] {
            assert!(SupervisorFacts::from_answer(odd.as_bytes()).is_none(), "{odd}");
        }
    }
}
