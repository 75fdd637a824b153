//! The program's log, on standard error: what an operator has to know, a line each. It holds ids and no name, address or answer.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The variable that says how much is logged, for example `tend=debug` or `error`.
pub const LOG_VARIABLE: &str = "TEND_LOG";
/// What is logged unless the variable says otherwise.
const LOGGED: &str = "warn,tend=info";

/// Begins to log. A filter that cannot be read is named, and the usual one taken.
pub fn begin() {
    let wanted = std::env::var(LOG_VARIABLE).unwrap_or_default();
    let asked = if wanted.is_empty() { LOGGED } else { &wanted };
    let filter = EnvFilter::try_new(asked).unwrap_or_else(|error| {
        eprintln!("warning: {LOG_VARIABLE} is not a filter ({error}); \"{LOGGED}\" is used");
        EnvFilter::new(LOGGED)
    });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // One that was set before goes on: a process has one.
    let _ = log.try_init();
}
