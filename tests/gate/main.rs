//! What the gate promises, asked from outside: over TLS, in front of a real Druid.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod attacks;
mod bodies;
mod canaries;
mod cases;
mod client;
mod clients;
mod console;
mod coverage;
mod differential;
mod doors;
mod examples;
mod explain;
mod external;
mod faults;
mod h2;
mod h2spec;
mod house;
mod keycloak;
mod lifecycle;
mod listener;
mod lists;
mod matrix;
mod operations;
mod pydruid;
mod recorder;
mod records;
mod roles;
mod rolling;
mod shipping;
mod sign_in;
mod smuggling;
mod standin;
mod submissions;
mod support;
mod tasks;
