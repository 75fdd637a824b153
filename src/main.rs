//! The `tend` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tend::cli::run()
}
