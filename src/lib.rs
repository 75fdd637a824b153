//! Tend.
