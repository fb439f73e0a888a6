//! What each service tells of itself, and the Router. Druid: `StatusResource`, `SelfDiscoveryResource`, `RouterResource`.

use super::{READ_CONFIG, READ_STATE, get};
use crate::druid::row::{Row, Rule};

pub static ROWS: &[Row] = &[
    get("status_health", "/status/health", Rule::Open),
    get("status_health_coordinator", "/proxy/coordinator/status/health", Rule::AnyIdentity),
    get("status_health_overlord", "/proxy/overlord/status/health", Rule::AnyIdentity),
    get("status_ready", "/status/ready", Rule::AnyIdentity).since(37),
    get("status_ready_coordinator", "/proxy/coordinator/status/ready", Rule::AnyIdentity).since(37),
    get("status_ready_overlord", "/proxy/overlord/status/ready", Rule::AnyIdentity).since(37),
    get("status", "/status", READ_STATE),
    get("status_coordinator", "/proxy/coordinator/status", READ_STATE),
    get("status_overlord", "/proxy/overlord/status", READ_STATE),
    get("status_properties", "/status/properties", READ_CONFIG),
    get("status_properties_coordinator", "/proxy/coordinator/status/properties", READ_CONFIG),
    get("status_properties_overlord", "/proxy/overlord/status/properties", READ_CONFIG),
    get("self_discovered", "/status/selfDiscovered", READ_STATE),
    get("self_discovered_coordinator", "/proxy/coordinator/status/selfDiscovered", READ_STATE),
    get("self_discovered_overlord", "/proxy/overlord/status/selfDiscovered", READ_STATE),
    get("self_discovered_status", "/status/selfDiscovered/status", READ_STATE),
    get("self_discovered_status_coordinator", "/proxy/coordinator/status/selfDiscovered/status", READ_STATE),
    get("self_discovered_status_overlord", "/proxy/overlord/status/selfDiscovered/status", READ_STATE),
    get("router_brokers", "/druid/router/v1/brokers", READ_STATE),
    get("proxy_enabled", "/proxy/enabled", Rule::AnyIdentity).since(29),
];
