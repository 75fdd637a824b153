//! The `tend` binary.

use std::process::ExitCode;

/// Rows, facts and states are many small allocations, which this allocator hands out faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tend::cli::run()
}
