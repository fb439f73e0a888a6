//! The Overlord itself, its workers, its compaction and its view of datasources. Druid: `OverlordResource`,
//! `OverlordCompactionResource`, `OverlordDataSourcesResource`.

use http::Method;

use super::{HISTORY, READ, READ_CONFIG, READ_STATE, WRITE, WRITE_CONFIG, WRITE_STATE, get, post, row};
use crate::druid::row::{List, Row, Rule};

const fn write(name: &'static str, method: Method, path: &'static str) -> Row {
    row(name, method, path, Rule::Datasource(WRITE)).since(32).of_overlord()
}

const fn read(name: &'static str, path: &'static str) -> Row {
    get(name, path, Rule::Datasource(READ)).since(31).of_overlord()
}

const fn filtered(name: &'static str, path: &'static str, member: &'static str) -> Row {
    get(name, path, Rule::FilteredList).list(List::Wrapped(member)).since(31).of_overlord()
}

pub static ROWS: &[Row] = &[
    get("overlord_leader", "/druid/indexer/v1/leader", READ_STATE).of_overlord(),
    get("overlord_is_leader", "/druid/indexer/v1/isLeader", Rule::AnyIdentity).of_overlord(),
    get("worker_list", "/druid/indexer/v1/workers", READ_STATE).of_overlord(),
    get("worker_scaling", "/druid/indexer/v1/scaling", READ_STATE).of_overlord(),
    get("worker_capacity", "/druid/indexer/v1/totalWorkerCapacity", READ_CONFIG).of_overlord(),
    get("worker_config", "/druid/indexer/v1/worker", READ_CONFIG).of_overlord(),
    post("worker_config_set", "/druid/indexer/v1/worker", WRITE_CONFIG).json().of_overlord(),
    get("worker_config_history", "/druid/indexer/v1/worker/history", READ_CONFIG).query(HISTORY).of_overlord(),
    post("worker_enable", "/druid/indexer/v1/worker/{host}/enable", WRITE_STATE).of_overlord(),
    post("worker_disable", "/druid/indexer/v1/worker/{host}/disable", WRITE_STATE).of_overlord(),
    // Druid: `KubernetesTaskExecutionConfigResource`, of an extension.
    get("kubernetes_config", "/druid/indexer/v1/k8s/taskrunner/executionconfig", READ_CONFIG).since(31).of_overlord(),
    post("kubernetes_config_set", "/druid/indexer/v1/k8s/taskrunner/executionconfig", WRITE_CONFIG)
        .json()
        .since(31)
        .of_overlord(),
    get("kubernetes_config_history", "/druid/indexer/v1/k8s/taskrunner/executionconfig/history", READ_CONFIG)
        .query(HISTORY)
        .since(31)
        .of_overlord(),
    get("kubernetes_templates", "/druid/indexer/v1/k8s/taskrunner/podTemplates", READ_CONFIG).since(38).of_overlord(),
    get("compaction_supervised", "/druid/indexer/v1/compaction/isSupervisorEnabled", READ_CONFIG)
        .since(31)
        .of_overlord(),
    get("compaction_cluster", "/druid/indexer/v1/compaction/config/cluster", READ_CONFIG).since(31).of_overlord(),
    post("compaction_cluster_set", "/druid/indexer/v1/compaction/config/cluster", WRITE_CONFIG)
        .json()
        .since(31)
        .of_overlord(),
    post("compaction_simulate_all", "/druid/indexer/v1/compaction/simulate", WRITE_CONFIG)
        .json()
        .since(31)
        .of_overlord(),
    filtered("compaction_statuses", "/druid/indexer/v1/compaction/status/datasources", "latestStatus"),
    read("datasource_compaction_status", "/druid/indexer/v1/compaction/status/datasources/{datasource}"),
    filtered("compaction_configs", "/druid/indexer/v1/compaction/config/datasources", "compactionConfigs"),
    read("datasource_compaction", "/druid/indexer/v1/compaction/config/datasources/{datasource}"),
    row(
        "datasource_compaction_delete",
        Method::DELETE,
        "/druid/indexer/v1/compaction/config/datasources/{datasource}",
        Rule::Datasource(WRITE),
    )
    .since(31)
    .of_overlord(),
    read("datasource_compaction_history", "/druid/indexer/v1/compaction/config/datasources/{datasource}/history")
        .query(HISTORY),
    write("overlord_mark_all_used", Method::POST, "/druid/indexer/v1/datasources/{datasource}"),
    write("overlord_mark_all_unused", Method::DELETE, "/druid/indexer/v1/datasources/{datasource}"),
    write("overlord_mark_used", Method::POST, "/druid/indexer/v1/datasources/{datasource}/markUsed").json(),
    write("overlord_mark_unused", Method::POST, "/druid/indexer/v1/datasources/{datasource}/markUnused").json(),
    write("overlord_segment_mark_used", Method::POST, "/druid/indexer/v1/datasources/{datasource}/segments/{segment}"),
    write(
        "overlord_segment_mark_unused",
        Method::DELETE,
        "/druid/indexer/v1/datasources/{datasource}/segments/{segment}",
    ),
];
