//! The real parts that the gate meets in life, on loopback: a Druid 27 from Maven's jars, its own authorizer in force,
//! and the gate in front. [`Bed`] is what integration tests use; `cargo bed` is the same by hand. Where the environment has
//! `MSQ_GATE_BED_DRUID=33`, all of this is about a second bed, of a Druid 33 without MSQ.

mod bed;
mod classes;
mod datasets;
pub mod demo;
mod druid;
mod error;
mod gate;
mod grant;
pub mod http;
mod jdbc;
mod keycloak;
mod maven;
mod places;
pub mod planner;
mod process;
mod progress;
mod second;
mod services;
mod state;
mod status;
mod tables;
mod tools;
mod up;
mod version;

pub use bed::Bed;
pub use error::{BedError, Result};
pub use gate::{GateOptions, built};
pub use grant::{SAMPLE_USERS, to_druid};
pub use jdbc::jdbc;
pub use keycloak::Keycloak;
pub use places::{log_of, tail};
pub use progress::{Progress, heed_signals, wait_for_signal};
pub use second::GateProcess;
pub use state::{BedFile, User};
pub use status::{ServiceStatus, aligned, service_names, status};
pub use tables::{TABLES, ensure_tables};
pub use tools::{chromium, docker_compose, h2spec, npm, python};
pub use up::{add_user, add_users, audit_file, down, up};
pub use version::Version;
