//! Which column plays which part, and the outcomes read from them.

use crate::error::DataError;
use crate::hazard::Observed;
use crate::table::{RawTable, number};

/// Where the outcome stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeColumns {
    /// One column with 0 and 1.
    Label(String),
    /// Time to the event or the end of follow-up, and 1 where it was the event.
    Survival {
        /// Time column.
        time: String,
        /// Event column.
        event: String,
    },
}

impl Default for OutcomeColumns {
    fn default() -> Self {
        Self::Label("label".to_owned())
    }
}

/// Roles of the columns of a training file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Patient; rows of one id stay together.
    pub id: String,
    /// Outcome.
    pub outcome: OutcomeColumns,
    /// Order of the rows of an id; only with it do features look back.
    pub order: Option<String>,
    /// Columns that are no inputs; of what looking back makes too (`@gap`, `age@previous` …).
    pub drop: Vec<String>,
    /// Columns whose numbers are names of categories.
    pub categorical: Vec<String>,
}

impl Roles {
    /// Positions of the input columns, in file order.
    pub fn inputs(&self, table: &RawTable) -> Result<Vec<usize>, DataError> {
        let mut taken = vec![(self.id.as_str(), "the id")];
        match &self.outcome {
            OutcomeColumns::Label(label) => taken.push((label, "the label")),
            OutcomeColumns::Survival { time, event } => {
                taken.push((time, "the time"));
                taken.push((event, "the event"));
            }
        }
        for (i, (column, second)) in taken.iter().enumerate() {
            table.column(column)?;
            if let Some((_, first)) = taken[..i].iter().find(|(other, _)| other == column) {
                return Err(DataError::TwoRoles { column: (*column).to_owned(), first, second });
            }
        }
        // What looking back makes has an @ in its name and is no column.
        let columns = self.drop.iter().filter(|name| !name.contains('@'));
        for name in columns.chain(&self.categorical).chain(&self.order) {
            table.column(name)?;
        }
        let out: Vec<usize> = (0..table.header().len())
            .filter(|i| {
                let name = &table.header()[*i];
                !self.drop.contains(name) && taken.iter().all(|(other, _)| other != name)
            })
            .collect();
        if out.is_empty() {
            return Err(DataError::NoInputs);
        }
        Ok(out)
    }
}

/// The outcome of every row.
pub fn observed(table: &RawTable, outcome: &OutcomeColumns) -> Result<Vec<Observed>, DataError> {
    match outcome {
        OutcomeColumns::Label(label) => {
            let column = table.column(label)?;
            (0..table.rows())
                .map(|row| Ok(Observed { time: 0.0, event: zero_one(table, row, column)? }))
                .collect()
        }
        OutcomeColumns::Survival { time, event } => {
            let (time, event) = (table.column(time)?, table.column(event)?);
            (0..table.rows())
                .map(|row| {
                    Ok(Observed { time: duration(table, row, time)?, event: zero_one(table, row, event)? })
                })
                .collect()
        }
    }
}

fn zero_one(table: &RawTable, row: usize, column: usize) -> Result<bool, DataError> {
    let cell = table.cell(row, column);
    match number(cell) {
        Ok(Some(0.0)) => Ok(false),
        Ok(Some(1.0)) => Ok(true),
        Ok(None) => Err(DataError::Empty {
            row,
            column: table.header()[column].clone(),
            mend: "write 0 or 1, or leave the row out",
        }),
        Ok(Some(_)) | Err(()) => Err(DataError::BadCell {
            row,
            column: table.header()[column].clone(),
            value: cell.chars().take(60).collect(),
            problem: "is not an outcome; write 1 where the event happened and 0 where it did not",
        }),
    }
}

fn duration(table: &RawTable, row: usize, column: usize) -> Result<f64, DataError> {
    let cell = table.cell(row, column);
    match number(cell) {
        Ok(Some(time)) if time >= 0.0 => Ok(time),
        Ok(None) => Err(DataError::Empty {
            row,
            column: table.header()[column].clone(),
            mend: "write the time that the patient was followed for, or leave the row out",
        }),
        Ok(Some(_)) | Err(()) => Err(DataError::BadCell {
            row,
            column: table.header()[column].clone(),
            value: cell.chars().take(60).collect(),
            problem: "is not a time; write a number that is not negative",
        }),
    }
}
