//! Tasks: their ids, and what the Overlord says of one.

use crate::json::{self, Json};

/// The datasource that stands for the results of every SELECT through MSQ. Druid: `MSQControllerTask.DUMMY_DATASOURCE_FOR_SELECT`.
pub const QUERY_SELECT: &str = "__query_select";

/// The type of the tasks that run MSQ queries. Druid: `MSQControllerTask.TYPE`.
pub const QUERY_CONTROLLER: &str = "query_controller";

/// Bytes of a task id; Druid's metadata store keeps 255.
const MAX_TASK_ID: usize = 255;

/// The id of a task, valid by Druid's rules (`IdUtils.validateId`): not empty, no leading dot, no slash, no whitespace
/// but the space, no control characters, and none of the characters that ZooKeeper refuses: those beyond U+FFFF, for
/// private use, and the last of the plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// The id, if it is valid.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let odd = |c: char| {
            matches!(c, '/' | '\\' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
                || c.is_control()
                || (c.is_whitespace() && c != ' ')
        };
        let valid = !text.is_empty() && text.len() <= MAX_TASK_ID && !text.starts_with('.') && !text.contains(odd);
        valid.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What decides who may do something with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// The datasource that is stored with the task.
    pub datasource: String,
    /// Its type, for example `query_controller`.
    pub task_type: String,
}

impl TaskFacts {
    /// Reads the Overlord's answer to `GET /task/{id}/status`; nothing if it is not about this task or incomplete.
    /// Druid: `TaskStatusResponse`.
    #[must_use]
    pub fn from_status(id: &TaskId, body: &[u8]) -> Option<Self> {
        let answer = json::parse_answer(body).ok()?;
        let status = answer.get("status")?;
        let text = |key| status.get(key).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        if answer.get("task").and_then(Json::as_str) != Some(id.as_str()) {
            return None;
        }
        Some(Self { datasource: text("dataSource")?, task_type: text("type")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_druids() {
        for good in ["query-1", "index_parallel_wiki_abc_2020-01-01T00:00:00.000Z", "a b", "é"] {
            assert!(TaskId::new(good).is_some(), "{good}");
        }
        for bad in
            ["", ".", "..", ".a", "a/b", "a\\b", "a\tb", "a\nb", "a\u{a0}b", "a\0", "\u{1f600}", "\u{e000}", "\u{fffd}"]
        {
            assert!(TaskId::new(bad).is_none(), "{bad:?}");
        }
        assert!(TaskId::new(&"a".repeat(255)).is_some());
        assert!(TaskId::new(&"a".repeat(256)).is_none());
    }

    #[test]
    fn facts_are_of_the_task_that_was_asked_for() {
        let id = TaskId::new("t").expect("valid");
        let facts = |body: &str| TaskFacts::from_status(&id, body.as_bytes());
        let whole = facts(r#"{"task":"t","status":{"id":"t","type":"noop","dataSource":"wiki"}}"#);
        assert_eq!(whole, Some(TaskFacts { datasource: "wiki".into(), task_type: "noop".into() }));
        // Druid cuts messages without regard for characters; such a task can still be watched and cancelled.
        let cut =
            facts(r#"{"task":"t","status":{"id":"t","type":"noop","dataSource":"wiki","errorMsg":"a\uD83D..."}}"#);
        assert_eq!(cut, whole);
        for body in [
            r#"{"task":"u","status":{"type":"noop","dataSource":"wiki"}}"#,
            r#"{"task":"t","status":{"type":"noop"}}"#,
            r#"{"task":"t","status":{"type":"noop","dataSource":""}}"#,
            r#"{"task":"t","status":{"type":"noop","dataSource":null}}"#,
            r#"{"task":"t","status":{"type":"noop","dataSource":"a","dataSource":"b"}}"#,
            r#"{"task":"t","status":null}"#,
            r#"{"status":{"type":"noop","dataSource":"wiki"}}"#,
            "",
        ] {
            assert_eq!(facts(body), None, "{body}");
        }
    }
}
