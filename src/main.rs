//! Tend.
fn main() {}
