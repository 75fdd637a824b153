//! The figures of the README, re-measured here: each beside a limit measured in the same run on the same disk.

pub mod bare;
mod bare_client;
mod bare_postgres;
mod bare_sqlite;
mod browsers;
mod ground;
pub mod report;
pub mod score;
mod seed;
pub mod send;
mod sinks;
pub mod steps;
mod tasks;
pub mod worklist;
mod written;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// `tend bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Due patients decided and written per second, beside a bare loop that writes the same rows.
    Steps(steps::StepsArgs),
    /// Messages per second from the due step to the written receipt, beside a bare pipeline of the same writes.
    Send(send::SendArgs),
    /// The nurse's first page under eight connections, beside a route that returns constant bytes.
    Worklist(worklist::WorklistArgs),
    /// Scores per second and the time of one, beside a bare matrix multiplication of the same work.
    Score(score::ScoreArgs),
}

/// Why a bench could not run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BenchError(pub String);

impl BenchError {
    /// From whatever has words.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Runs a bench.
///
/// # Errors
/// [`BenchError`] with what to do.
pub fn run(args: BenchArgs) -> Result<ExitCode, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(BenchError::of)?;
    match args.what {
        What::Steps(args) => runtime.block_on(steps::run(args)),
        What::Send(args) => runtime.block_on(send::run(args)),
        What::Worklist(args) => runtime.block_on(worklist::run(args)),
        What::Score(args) => score::run(&args),
    }
}
