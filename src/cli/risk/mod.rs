//! `tend risk`: train, evaluate and predict on CSV files. Reads and writes; the model itself is `tend-risk`.

/// Writes a line to standard output; where nobody reads any more, the command ends quietly.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::risk::line(format_args!($($words)*)) };
}

mod card;
mod data;
mod evaluate;
mod folds;
mod monitor;
mod predict;
mod recalibrate;
mod site;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tend_risk::{OutcomeColumns, Roles};

/// Train a risk model, evaluate it, predict with it.
#[derive(Debug, Args)]
pub struct RiskArgs {
    #[command(subcommand)]
    command: RiskCommand,
}

#[derive(Debug, Subcommand)]
enum RiskCommand {
    /// Train a model on a CSV file and write it to a folder.
    Train(train::TrainArgs),
    /// Compare a model's predictions with what happened.
    Evaluate(evaluate::EvaluateArgs),
    /// Fit a model's level and spread to the outcomes of the place where it is used.
    Recalibrate(recalibrate::RecalibrateArgs),
    /// Compare newer patients and outcomes with what the model knew and said.
    Monitor(monitor::MonitorArgs),
    /// Write a model's card with other words, the weights untouched.
    Card(card::CardArgs),
    /// Write a prediction for every row of a CSV file.
    Predict(predict::PredictArgs),
    /// Write training rows from the site's own histories: what was known on each day, and what came after.
    Landmarks(site::LandmarksArgs),
    /// Read from a CSV file what became of patients.
    Outcomes(site::OutcomesArgs),
}

/// Why a command ended early; each is a sentence.
#[derive(Debug, thiserror::Error)]
pub enum RiskError {
    /// A file cannot be read or written.
    #[error("{path}: {problem}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The flags do not go together.
    #[error("{0}")]
    Flags(String),
    /// Training failed.
    #[error(transparent)]
    Fit(#[from] tend_risk::FitError),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] tend_risk::DataError),
    /// The data cannot be used, and this line says why.
    #[error("line {line}: {problem}")]
    Line {
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong; its row is the file's.
        problem: tend_risk::DataError,
    },
    /// Evaluation failed.
    #[error(transparent)]
    Evaluate(#[from] tend_risk::EvaluateError),
    /// The model cannot be used.
    #[error("the model in {path} cannot be used: {problem}")]
    Model {
        /// Folder.
        path: PathBuf,
        /// What is wrong.
        problem: tend_risk::ModelError,
    },
}

impl RiskError {
    fn file(path: &std::path::Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}

impl RiskError {
    /// The same with row and line as they are in the file, when it is about a row of this table.
    fn in_file(self, table: &tend_risk::RawTable) -> Self {
        let mut problem = match self {
            Self::Data(problem)
            | Self::Fit(tend_risk::FitError::Data(problem))
            | Self::Evaluate(tend_risk::EvaluateError::Data(problem)) => problem,
            other => return other,
        };
        let Some(row) = problem.row_mut() else { return Self::Data(problem) };
        let (own, line) = table.place(*row);
        *row = own;
        Self::Line { line, problem }
    }
}

#[expect(clippy::disallowed_methods, reason = "nobody reads any more, and nothing is open")]
fn line(words: std::fmt::Arguments) {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{words}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Ok(()) | Err(_) => {}
    }
}

/// Runs the command.
pub fn run(args: RiskArgs) -> Result<ExitCode, RiskError> {
    match args.command {
        RiskCommand::Train(args) => train::run(&args),
        RiskCommand::Evaluate(args) => evaluate::run(&args),
        RiskCommand::Recalibrate(args) => recalibrate::run(&args),
        RiskCommand::Monitor(args) => monitor::run(&args),
        RiskCommand::Card(args) => card::run(&args),
        RiskCommand::Predict(args) => predict::run(&args),
        RiskCommand::Landmarks(args) => site::landmarks(&args),
        RiskCommand::Outcomes(args) => site::outcomes(&args),
    }
}

/// Which column plays which part.
#[derive(Debug, Args)]
struct ColumnArgs {
    /// Column with the patient; rows of one patient stay together.
    #[arg(long, value_name = "COL")]
    id: Option<String>,
    /// Column with the time to the event or to the end of follow-up.
    #[arg(long, value_name = "COL", requires = "event", conflicts_with = "label")]
    time: Option<String>,
    /// Column with 1 where the event happened and 0 where follow-up ended without it.
    #[arg(long, value_name = "COL", requires = "time", conflicts_with = "label")]
    event: Option<String>,
    /// Column with 1 or 0, in place of --time and --event.
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// Column that orders the rows of a patient; with it inputs look back over earlier rows.
    #[arg(long, value_name = "COL")]
    order: Option<String>,
    /// Columns that are no inputs.
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    drop: Vec<String>,
    /// Columns whose numbers are names of categories.
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    categorical: Vec<String>,
    /// CSV file with columns row (from 0) and fold; without --fold its folds are the inner ones of training.
    #[arg(long, value_name = "FOLDS.csv")]
    folds: Option<PathBuf>,
    /// The fold that is held out of training, and the only one that is evaluated.
    #[arg(long, value_name = "K", requires = "folds")]
    fold: Option<usize>,
}

impl ColumnArgs {
    fn outcome(&self) -> Option<OutcomeColumns> {
        match (&self.label, &self.time, &self.event) {
            (Some(label), ..) => Some(OutcomeColumns::Label(label.clone())),
            (None, Some(time), Some(event)) => {
                Some(OutcomeColumns::Survival { time: time.clone(), event: event.clone() })
            }
            (None, _, _) => None,
        }
    }

    fn roles(&self) -> Result<Roles, RiskError> {
        let flags = |sentence: &str| RiskError::Flags(sentence.to_owned());
        Ok(Roles {
            id: self.id.clone().ok_or_else(|| flags("name the column with the patient: --id COL"))?,
            outcome: self
                .outcome()
                .ok_or_else(|| flags("name the outcome: --label COL, or --time COL and --event COL"))?,
            order: self.order.clone(),
            drop: self.drop.iter().filter(|name| !name.is_empty()).cloned().collect(),
            categorical: self.categorical.clone(),
        })
    }
}
