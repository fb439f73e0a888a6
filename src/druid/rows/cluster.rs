//! The servers of the cluster. Druid: `ClusterResource`, `ServersResource`, `TiersResource`.

use super::{READ_STATE, flag, get, text};
use crate::druid::row::{QueryParameter, Row};

const fn state(name: &'static str, path: &'static str, query: &'static [QueryParameter]) -> Row {
    get(name, path, READ_STATE).query(query).of_coordinator()
}

pub static ROWS: &[Row] = &[
    state("cluster", "/druid/coordinator/v1/cluster", &[flag("full"), text("simple")]),
    state("cluster_role", "/druid/coordinator/v1/cluster/{role}", &[flag("full"), text("simple")]),
    state("server_list", "/druid/coordinator/v1/servers", &[text("full"), text("simple")]),
    state("server", "/druid/coordinator/v1/servers/{server}", &[text("simple")]),
    state("server_segments", "/druid/coordinator/v1/servers/{server}/segments", &[text("full")]),
    state("server_segment", "/druid/coordinator/v1/servers/{server}/segments/{segment}", &[]),
    state("tier_list", "/druid/coordinator/v1/tiers", &[text("simple")]),
    state("tier", "/druid/coordinator/v1/tiers/{tier}", &[text("simple")]),
];
