//! msq-gate.
fn main() {}
