//! Query context keys that a client may not set.
//!
//! The envelope's `context` and `SET` statements in the text say the same thing to Druid, and `SET` wins (Druid 34 and
//! newer), so both are held to one list, and to one rule for what they need.

use std::collections::BTreeSet;

use crate::permission::{Action, ResourceAction, ResourceType};

/// The most keys that one request may set where each needs a permission: a 403 and a record name them all.
pub const MAX_KEYS: usize = 1_000;

/// Whether setting a context key takes WRITE QUERY_CONTEXT on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContextKeys {
    /// No key does.
    #[default]
    Ignore,
    /// Each key that the client sets does. Druid: `druid.auth.authorizeQueryContextParams`.
    Authorize {
        /// Keys that are free all the same. Druid: `druid.auth.unsecuredContextKeys`.
        free: BTreeSet<String>,
        /// If it is there, only these are not free. Druid: `druid.auth.securedContextKeys`.
        secured: Option<BTreeSet<String>>,
    },
}

impl ContextKeys {
    /// What setting these keys needs. Druid: `AuthConfig.contextKeysToAuthorize`, `AbstractStatement.authorize`.
    #[must_use]
    pub fn permissions<'k>(&self, keys: impl Iterator<Item = &'k str>) -> BTreeSet<ResourceAction> {
        match self {
            Self::Ignore => BTreeSet::new(),
            Self::Authorize { free, secured } => keys
                .filter(|key| !ALWAYS_FREE.contains(key) && !is_gate_owned(key) && !free.contains(*key))
                .filter(|key| secured.as_ref().is_none_or(|secured| secured.contains(*key)))
                .map(|key| ResourceAction::new(Action::Write, ResourceType::QueryContext, key))
                .collect(),
        }
    }
}

/// Free at Druid whatever is configured: its own servers set it, as they do `sqlQueryId`.
/// Druid: `AuthConfig.ALLOWED_CONTEXT_KEYS`.
const ALWAYS_FREE: [&str; 1] = ["sqlStringifyArrays"];

/// Keys of which the gate decides the value: a client's own id is taken from the envelope and mapped.
pub const GATE_OWNED: [&str; 2] = ["sqlQueryId", "queryId"];

/// Keys that Druid keeps for itself.
/// Druid: `NativeSqlEngine`, `MSQTaskSqlEngine` (`SYSTEM_CONTEXT_PARAMETERS`), `MSQTaskQueryMaker.USER_KEY`.
/// `dartQueryId` is among them here, since it would let a client choose an id that another's query has.
const RESERVED: [&str; 7] = [
    "__user",
    "__exportFileFormat",
    "__timeColumn",
    "sqlInsertSegmentGranularity",
    "sqlReplaceTimeChunks",
    "isReindex",
    "dartQueryId",
];

/// How keys of a task's context begin by which the process that runs it is started with other options: any code of any
/// machine, and Druid's own account with it. Druid: `ForkingTaskRunner`. No version is known to take them over from a query.
pub(super) const OF_PROCESSES: &str = "druid.indexer.";

/// Whether the key is one that Druid, or the gate for it, sets and no client may.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    RESERVED.contains(&key) || key.starts_with(OF_PROCESSES)
}

/// Whether the gate decides the value of the key.
#[must_use]
pub fn is_gate_owned(key: &str) -> bool {
    GATE_OWNED.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: &ContextKeys, keys: &[&str]) -> Vec<String> {
        rule.permissions(keys.iter().copied()).iter().map(ResourceAction::to_line).collect()
    }

    fn set(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    /// Druid 27 and 33: `AuthConfig.contextKeysToAuthorize` subtracts first what is free, then keeps what is secured.
    #[test]
    fn keys_need_write_unless_they_are_free() {
        let keys = ["timeout", "sqlQueryId", "queryId", "sqlStringifyArrays", "maxNumTasks", "timeout", "Timeout"];
        let authorize = |free: &[&str], secured: Option<&[&str]>| ContextKeys::Authorize {
            free: set(free),
            secured: secured.map(set),
        };
        assert!(lines(&ContextKeys::Ignore, &keys).is_empty());
        assert_eq!(
            lines(&authorize(&[], None), &keys),
            ["QUERY_CONTEXT|Timeout|WRITE", "QUERY_CONTEXT|maxNumTasks|WRITE", "QUERY_CONTEXT|timeout|WRITE"]
        );
        assert_eq!(lines(&authorize(&["timeout", "Timeout"], None), &keys), ["QUERY_CONTEXT|maxNumTasks|WRITE"]);
        assert_eq!(lines(&authorize(&[], Some(&["timeout", "other"])), &keys), ["QUERY_CONTEXT|timeout|WRITE"]);
        assert!(lines(&authorize(&["timeout"], Some(&["timeout", "sqlQueryId"])), &keys).is_empty());
        assert!(lines(&authorize(&[], None), &[]).is_empty());
    }
}
