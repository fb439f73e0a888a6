//! `cargo bed`: the real parts, up and down.
fn main() {}
