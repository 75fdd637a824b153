//! What can be wrong with a table or a training run, each as a sentence that says where and what to do.

/// Rows are counted from 0, the header not counted, as in the output of `tend risk predict`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DataError {
    /// A name stands twice in the header.
    #[error(
        "column \"{column}\" stands twice in the header (columns {first} and {second}); rename or remove one"
    )]
    RepeatedColumn {
        /// The name.
        column: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A column without a name.
    #[error("column {position} of the header has no name; give it one or remove it")]
    UnnamedColumn {
        /// Position from 1.
        position: usize,
    },
    /// Too wide.
    #[error(
        "the file has {columns} columns, more than the {max} that are read; leave out what is not a fact about the patient",
        max = crate::table::MAX_COLUMNS
    )]
    TooManyColumns {
        /// How many it has.
        columns: usize,
    },
    /// A row with too few or too many cells.
    #[error(
        "row {row} has {cells} cells where the header has {columns}; look for a missing quote or a comma inside a text"
    )]
    RaggedRow {
        /// Row from 0.
        row: usize,
        /// Cells found.
        cells: usize,
        /// Cells expected.
        columns: usize,
    },
    /// A column that was named does not exist.
    #[error("there is no column \"{column}\"; the file has: {known}")]
    NoSuchColumn {
        /// The name asked for.
        column: String,
        /// The names there are.
        known: String,
    },
    /// A text where the rest of the column are numbers.
    #[error(
        "row {row}, column \"{column}\": \"{value}\" is not a finite number, but the rest of the column is; correct it, leave it empty, or force the column with --categorical {column}"
    )]
    NotANumber {
        /// Row from 0.
        row: usize,
        /// Column name.
        column: String,
        /// The cell.
        value: String,
    },
    /// An empty cell in a column that must be filled.
    #[error("row {row}, column \"{column}\" is empty; {mend}")]
    Empty {
        /// Row from 0.
        row: usize,
        /// Column name.
        column: String,
        /// What to do.
        mend: &'static str,
    },
    /// A cell of an outcome, id, order or fold column that cannot be read.
    #[error("row {row}, column \"{column}\": \"{value}\" {problem}")]
    BadCell {
        /// Row from 0.
        row: usize,
        /// Column name.
        column: String,
        /// The cell.
        value: String,
        /// What is wrong and what is expected.
        problem: &'static str,
    },
    /// Not enough to learn from.
    #[error("{found} {what} are not enough to train on; at least {least} are needed")]
    TooFew {
        /// How many there are.
        found: usize,
        /// Of what.
        what: &'static str,
        /// How many are needed.
        least: usize,
    },
    /// All rows have the same outcome.
    #[error("column \"{column}\" is {value} in every row; a model needs rows with and without the event")]
    OneOutcome {
        /// Outcome column.
        column: String,
        /// The value.
        value: u8,
    },
    /// Nothing to learn from.
    #[error(
        "no column is left as an input after the id, the outcome and the dropped ones; name fewer in --drop"
    )]
    NoInputs,
    /// The same column in two roles.
    #[error("column \"{column}\" is named both as {first} and as {second}; it can be only one")]
    TwoRoles {
        /// Column name.
        column: String,
        /// One role.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Rows of one id in two folds.
    #[error(
        "row {row}: id \"{id}\" is in fold {second}, but an earlier row of it is in fold {first}; all rows of an id must share a fold"
    )]
    IdInTwoFolds {
        /// Row from 0.
        row: usize,
        /// The id.
        id: String,
        /// Fold of the earlier row.
        first: usize,
        /// Fold of this row.
        second: usize,
    },
    /// A row without a fold, or the fold asked for has no rows.
    #[error("{0}")]
    Folds(String),
}

impl DataError {
    /// The row that it is about.
    pub fn row_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::RaggedRow { row, .. }
            | Self::NotANumber { row, .. }
            | Self::Empty { row, .. }
            | Self::BadCell { row, .. }
            | Self::IdInTwoFolds { row, .. } => Some(row),
            Self::RepeatedColumn { .. }
            | Self::UnnamedColumn { .. }
            | Self::TooManyColumns { .. }
            | Self::NoSuchColumn { .. }
            | Self::TooFew { .. }
            | Self::OneOutcome { .. }
            | Self::NoInputs
            | Self::TwoRoles { .. }
            | Self::Folds(_) => None,
        }
    }
}

/// Why a training run ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The data cannot be learned from.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The schema file does not fit the data.
    #[error("{0}")]
    Schema(String),
    /// Columns that know the outcome.
    #[error("{}", leak_sentence(.0))]
    Leaks(Vec<crate::leak::Leak>),
    /// The numerical library refused.
    #[error("the numerical library failed: {0}")]
    Numeric(#[from] candle_core::Error),
    /// The fit went to NaN or infinity.
    #[error("training did not converge in {0}; look for a column with extreme values, or drop columns")]
    Diverged(&'static str),
    /// The model could not be put together from its parts.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
}

fn leak_sentence(leaks: &[crate::leak::Leak]) -> String {
    let each: Vec<String> = leaks
        .iter()
        .map(|leak| format!("column \"{}\" looks as if it knew the outcome: {}", leak.column, leak.why))
        .collect();
    let names: Vec<&str> = leaks.iter().map(|leak| leak.column.as_str()).collect();
    let names = names.join(",");
    format!(
        "{}; leave out what is not known on the day of the score (--drop {names}), or keep it knowingly (--allow-leak {names})",
        each.join("; ")
    )
}
