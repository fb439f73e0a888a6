//! Dynamic configuration of the Coordinator, and lookups. Druid: `CoordinatorDynamicConfigsResource`,
//! `CoordinatorCompactionConfigsResource`, `LookupCoordinatorResource`.

use http::Method;

use super::{HISTORY, READ_CONFIG, READ_STATE, WRITE_CONFIG, flag, get, integer, row, text};
use crate::druid::row::{QueryParameter, Row};

const fn read(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    get(name, path, READ_CONFIG).query(query).of_coordinator()
}

const fn write(name: &'static str, method: Method, path: &'static str) -> Row {
    row(name, method, path, WRITE_CONFIG).of_coordinator()
}

pub static ROWS: &[Row] = &[
    read("coordinator_config", "/druid/coordinator/v1/config", &[]),
    write("coordinator_config_set", Method::POST, "/druid/coordinator/v1/config").json(),
    read("coordinator_config_history", "/druid/coordinator/v1/config/history", HISTORY),
    get("synced_brokers", "/druid/coordinator/v1/config/syncedBrokers", READ_STATE).since(34).of_coordinator(),
    get("clone_status", "/druid/coordinator/v1/config/cloneStatus", READ_STATE).since(34).of_coordinator(),
    read("broker_config", "/druid/coordinator/v1/broker/config", &[]).since(37),
    write("broker_config_set", Method::POST, "/druid/coordinator/v1/broker/config").json().since(37),
    read("broker_config_history", "/druid/coordinator/v1/broker/config/history", HISTORY).since(37),
    read("compaction_config_list", "/druid/coordinator/v1/config/compaction", &[]),
    write("compaction_task_slots", Method::POST, "/druid/coordinator/v1/config/compaction/taskslots").query(&[
        text("ratio"),
        integer("max"),
        flag("useAutoScaleSlots"),
    ]),
    read("compaction_config", "/druid/coordinator/v1/config/compaction/{datasource}", &[]),
    write("compaction_config_delete", Method::DELETE, "/druid/coordinator/v1/config/compaction/{datasource}"),
    read("compaction_config_history", "/druid/coordinator/v1/config/compaction/{datasource}/history", HISTORY),
    read("lookup_tiers", "/druid/coordinator/v1/lookups/config", &[flag("discover")]),
    write("lookup_config_set", Method::POST, "/druid/coordinator/v1/lookups/config").json(),
    read("lookup_config_all", "/druid/coordinator/v1/lookups/config/all", &[]),
    read("lookup_tier", "/druid/coordinator/v1/lookups/config/{tier}", &[flag("detailed")]),
    write("lookup_tier_delete", Method::DELETE, "/druid/coordinator/v1/lookups/config/{tier}"),
    read("lookup", "/druid/coordinator/v1/lookups/config/{tier}/{lookup}", &[]),
    write("lookup_set", Method::POST, "/druid/coordinator/v1/lookups/config/{tier}/{lookup}").json(),
    write("lookup_delete", Method::DELETE, "/druid/coordinator/v1/lookups/config/{tier}/{lookup}"),
    read("lookup_status_all", "/druid/coordinator/v1/lookups/status", &[flag("detailed")]),
    read("lookup_tier_status", "/druid/coordinator/v1/lookups/status/{tier}", &[flag("detailed")]),
    read("lookup_status", "/druid/coordinator/v1/lookups/status/{tier}/{lookup}", &[flag("detailed")]),
    read("lookup_nodes", "/druid/coordinator/v1/lookups/nodeStatus", &[flag("discover"), flag("detailed")]),
    read("lookup_tier_nodes", "/druid/coordinator/v1/lookups/nodeStatus/{tier}", &[]),
    read("lookup_node", "/druid/coordinator/v1/lookups/nodeStatus/{tier}/{host}", &[]),
];
