//! Query context keys that a client may not set.
//!
//! The envelope's `context` and `SET` statements in the text say the same thing to Druid, and `SET` wins (Druid 34 and
//! newer), so both are held to one list.

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

/// Whether the key is one that Druid, or the gate for it, sets and no client may.
#[must_use]
pub fn is_reserved(key: &str) -> bool {
    RESERVED.contains(&key)
}

/// Whether the gate decides the value of the key.
#[must_use]
pub fn is_gate_owned(key: &str) -> bool {
    GATE_OWNED.contains(&key)
}
