//! Tasks. Druid: `OverlordResource`, `TaskResourceFilter`.

use super::{WRITE, WRITE_STATE, delete, get, integer, post, text};
use crate::druid::row::{Body, List, QueryParameter, Row, Rule};
use crate::permission::Action;

const fn tasks(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    get(name, path, Rule::FilteredList).query(query).list(List::Items).of_overlord()
}

const fn read(name: &'static str, path: &'static str) -> Row {
    get(name, path, Rule::ReadTask).of_overlord()
}

pub static ROWS: &[Row] = &[
    tasks(
        "task_list",
        "/druid/indexer/v1/tasks",
        &[text("state"), text("datasource"), text("createdTimeInterval"), integer("max"), text("type")],
    ),
    tasks("task_list_running", "/druid/indexer/v1/runningTasks", &[text("type")]),
    tasks("task_list_pending", "/druid/indexer/v1/pendingTasks", &[]),
    tasks("task_list_waiting", "/druid/indexer/v1/waitingTasks", &[]),
    tasks("task_list_complete", "/druid/indexer/v1/completeTasks", &[integer("n")]),
    post("task_statuses", "/druid/indexer/v1/taskStatus", WRITE_STATE).body(Body::TaskIds).of_overlord(),
    read("task_payload", "/druid/indexer/v1/task/{id}"),
    read("task_status", "/druid/indexer/v1/task/{id}/status"),
    read("task_reports", "/druid/indexer/v1/task/{id}/reports"),
    read("task_log", "/druid/indexer/v1/task/{id}/log").query(&[integer("offset")]),
    read("task_segments", "/druid/indexer/v1/task/{id}/segments"),
    post("task_cancel", "/druid/indexer/v1/task/{id}/shutdown", Rule::CancelTask).of_overlord(),
    post("task_cancel_all", "/druid/indexer/v1/datasources/{datasource}/shutdownAllTasks", Rule::Datasource(WRITE))
        .of_overlord(),
    delete(
        "pending_segments_delete",
        "/druid/indexer/v1/pendingSegments/{datasource}",
        Rule::Datasource(READ_AND_WRITE),
    )
    .query(&[text("interval")])
    .of_overlord(),
    post("locked_intervals_old", "/druid/indexer/v1/lockedIntervals", WRITE_STATE).json().until(30).of_overlord(),
    post("locked_intervals", "/druid/indexer/v1/lockedIntervals/v2", WRITE_STATE).json().since(29).of_overlord(),
    post("active_locks", "/druid/indexer/v1/activeLocks", WRITE_STATE).json().since(31).of_overlord(),
];

const READ_AND_WRITE: &[Action] = &[Action::Read, Action::Write];
