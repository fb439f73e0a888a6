//! Supervisors. Druid: `SupervisorResource`, `SupervisorResourceFilter`.

use super::{flag, get, integer, post, text};
use crate::druid::row::{List, Row, Rule, Shown};
use crate::permission::Action;

const fn read(name: &'static str, path: &'static str) -> Row {
    get(name, path, Rule::Supervisor(Action::Read)).of_overlord()
}

const fn write(name: &'static str, path: &'static str) -> Row {
    post(name, path, Rule::Supervisor(Action::Write)).of_overlord()
}

const fn each(name: &'static str, path: &'static str, row: &'static Row) -> Row {
    post(name, path, Rule::EachSupervisor(row)).of_overlord()
}

/// Rows of their own, since those of all supervisors lead to them.
pub static RESUME: Row = write("supervisor_resume", "/druid/indexer/v1/supervisor/{id}/resume");
pub static SUSPEND: Row = write("supervisor_suspend", "/druid/indexer/v1/supervisor/{id}/suspend");
pub static TERMINATE: Row = write("supervisor_terminate", "/druid/indexer/v1/supervisor/{id}/terminate");

pub static ROWS: &[Row] = &[
    // Druid shows here only what may be written to, though it shows each for READ.
    get("supervisor_list", "/druid/indexer/v1/supervisor", Rule::FilteredList)
        .query(&[text("full"), flag("state"), text("system")])
        .list(List::Supervisors(Shown::Id))
        .of_overlord(),
    get("supervisor_histories", "/druid/indexer/v1/supervisor/history", Rule::FilteredList)
        .list(List::Histories)
        .of_overlord(),
    each("supervisor_suspend_all", "/druid/indexer/v1/supervisor/suspendAll", &SUSPEND),
    each("supervisor_resume_all", "/druid/indexer/v1/supervisor/resumeAll", &RESUME),
    each("supervisor_terminate_all", "/druid/indexer/v1/supervisor/terminateAll", &TERMINATE),
    get("supervisor_history", "/druid/indexer/v1/supervisor/{id}/history", Rule::FilteredList)
        .query(&[integer("count")])
        .list(List::History)
        .of_overlord(),
    read("supervisor", "/druid/indexer/v1/supervisor/{id}"),
    read("supervisor_status", "/druid/indexer/v1/supervisor/{id}/status"),
    read("supervisor_health", "/druid/indexer/v1/supervisor/{id}/health"),
    read("supervisor_stats", "/druid/indexer/v1/supervisor/{id}/stats"),
    read("supervisor_parse_errors", "/druid/indexer/v1/supervisor/{id}/parseErrors"),
    write("supervisor_shutdown", "/druid/indexer/v1/supervisor/{id}/shutdown"),
    write("supervisor_reset", "/druid/indexer/v1/supervisor/{id}/reset"),
    write("supervisor_reset_offsets", "/druid/indexer/v1/supervisor/{id}/resetOffsets").json().since(28),
    write("supervisor_handoff", "/druid/indexer/v1/supervisor/{id}/taskGroups/handoff").json().since(31),
];
