//! What the gate promises, asked from outside: over TLS, in front of a real Druid.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod client;
mod coverage;
mod differential;
mod doors;
mod lifecycle;
mod listener;
mod recorder;
mod records;
mod sign_in;
mod submissions;
mod support;
mod tasks;
