//! msq-gate: the entry point of an Apache Druid cluster.
//!
//! ARCHITECTURE.md walks one request through these rooms.

pub mod auth;
pub mod commands;
pub mod config;
pub mod druid;
pub mod inspect;
pub mod json;
pub mod permission;
pub mod policy;
pub mod proxy;
pub mod query_id;
pub mod reading_pool;
pub mod server;
pub mod sql;
pub mod telemetry;
mod toml_reader;
pub mod upstream;
