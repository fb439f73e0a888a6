//! msq-gate: the entry point of an Apache Druid cluster.
//!
//! ARCHITECTURE.md walks one request through these rooms.

pub mod auth;
pub mod commands;
pub mod config;
pub mod json;
pub mod permission;
pub mod policy;
pub mod sql;
mod toml_reader;
