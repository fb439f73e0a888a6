//! msq-gate: the entry point of an Apache Druid cluster.
//!
//! ARCHITECTURE.md walks one request through these rooms.

pub mod json;
pub mod permission;
