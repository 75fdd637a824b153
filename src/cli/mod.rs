//! The command line: one file per command. The only place, with `main.rs` and `config.rs`, that wires the parts.

pub mod bench;
mod beside;
pub mod carriers;
pub mod check;
pub mod clock;
pub mod demo;
pub mod doctor;
pub mod explore;
mod log;
pub mod migrate;
pub mod publish;
pub mod risk;
mod secret;
pub mod serve;
pub mod simulate;
pub mod site;
pub mod staff;
pub mod timeline;
pub mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Patient follow-up workflows for hospitals.
#[derive(Debug, Parser)]
#[command(name = "tend", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One variant per command; a command that is not built yet is absent.
#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Explore(explore::Explore),
    /// Print the schedule of one patient.
    Timeline(timeline::Timeline),
    Simulate(simulate::Simulate),
    /// Bring the database up to this release.
    Migrate(migrate::MigrateArgs),
    /// Prove that nobody is lost and that every row is what the histories say.
    Doctor(doctor::DoctorArgs),
    Why(why::WhyArgs),
    Replay(why::ReplayArgs),
    /// Measure this machine beside limits measured in the same run.
    Bench(bench::BenchArgs),
    /// A complete system in one command, with invented patients, a mailbox and a clock that moves.
    Demo(demo::DemoArgs),
    /// Pages and workers in one process.
    Serve(serve::ServeArgs),
    Site(site::SiteArgs),
    Staff(staff::StaffArgs),
    Publish(publish::Publish),
    /// Train a risk model, evaluate it, predict with it.
    Risk(risk::RiskArgs),
}

/// Runs the command of this process and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    log::begin();
    match cli.command {
        Command::Check(check) => check.run(),
        Command::Explore(args) => end(args.run()),
        Command::Timeline(args) => args.run(),
        Command::Simulate(args) => end(args.run()),
        Command::Why(args) => end(why::explain(&args)),
        Command::Replay(args) => end(why::replay(&args)),
        Command::Migrate(args) => end(migrate::run(&args)),
        Command::Doctor(args) => end(doctor::run(&args)),
        Command::Bench(args) => end(bench::run(args)),
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Site(args) => end(args.run()),
        Command::Staff(args) => end(args.run()),
        Command::Publish(publish) => end(publish.run()),
        Command::Risk(args) => end(risk::run(args)),
    }
}

/// Errors are sentences on standard error; the exit code says that there was one.
fn end<E: std::fmt::Display>(result: Result<ExitCode, E>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
