//! The Coordinator itself, and retention. Druid: `CoordinatorResource`, `RulesResource`, `CoordinatorCompactionResource`.

use super::{HISTORY, READ, READ_STATE, WRITE, WRITE_CONFIG, WRITE_STATE, get, post, text};
use crate::druid::row::{Row, Rule};

pub static ROWS: &[Row] = &[
    get("coordinator_leader", "/druid/coordinator/v1/leader", READ_STATE).of_coordinator(),
    get("coordinator_is_leader", "/druid/coordinator/v1/isLeader", Rule::AnyIdentity).of_coordinator(),
    get("load_status", "/druid/coordinator/v1/loadstatus", READ_STATE)
        .query(&[text("simple"), text("full"), text("computeUsingClusterView")])
        .of_coordinator(),
    get("load_queue", "/druid/coordinator/v1/loadqueue", READ_STATE)
        .query(&[text("simple"), text("full")])
        .of_coordinator(),
    get("coordinator_duties", "/druid/coordinator/v1/duties", READ_STATE).since(32).of_coordinator(),
    get("rule_list", "/druid/coordinator/v1/rules", READ_STATE).of_coordinator(),
    get("rule_history", "/druid/coordinator/v1/rules/history", READ_STATE).query(HISTORY).of_coordinator(),
    get("datasource_rules", "/druid/coordinator/v1/rules/{datasource}", Rule::Datasource(READ))
        .query(&[text("full")])
        .of_coordinator(),
    post("datasource_rules_set", "/druid/coordinator/v1/rules/{datasource}", Rule::Datasource(WRITE))
        .json()
        .of_coordinator(),
    get("datasource_rule_history", "/druid/coordinator/v1/rules/{datasource}/history", Rule::Datasource(READ))
        .query(HISTORY)
        .of_coordinator(),
    post("compaction_run", "/druid/coordinator/v1/compaction/compact", WRITE_CONFIG).of_coordinator(),
    get("compaction_progress", "/druid/coordinator/v1/compaction/progress", READ_STATE)
        .query(&[text("dataSource")])
        .of_coordinator(),
    get("compaction_status", "/druid/coordinator/v1/compaction/status", READ_STATE)
        .query(&[text("dataSource")])
        .of_coordinator(),
    post("compaction_simulate", "/druid/coordinator/v1/compaction/simulate", WRITE_STATE)
        .json()
        .since(31)
        .of_coordinator(),
];
