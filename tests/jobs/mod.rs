//! Background workers: lanes against scripted carriers, and what apalis must not do to us.

mod fake;
mod lane;
mod traps;
