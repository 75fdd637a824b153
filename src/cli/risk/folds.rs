//! Folds given in a file: columns `row` (from 0) and `fold`.

use std::collections::HashMap;
use std::path::Path;

use tend_risk::{DataError, RawTable};

use super::{RiskError, data};

/// The fold of every row of `table`.
pub(super) fn read(path: &Path, table: &RawTable, id: &str) -> Result<Vec<usize>, RiskError> {
    let folds = data::read(path)?.table;
    let (row_column, fold_column) = (folds.column("row")?, folds.column("fold")?);
    let whole = |row: usize, column: usize| -> Result<usize, DataError> {
        folds.cell(row, column).parse().map_err(|_| DataError::BadCell {
            row,
            column: folds.header()[column].clone(),
            value: folds.cell(row, column).to_owned(),
            problem: "is not a whole number from 0",
        })
    };
    let mut out: Vec<Option<usize>> = vec![None; table.rows()];
    for line in 0..folds.rows() {
        let whole = |column| whole(line, column).map_err(|e| RiskError::Data(e).in_file(&folds));
        let (row, fold) = (whole(row_column)?, whole(fold_column)?);
        let Some(slot) = out.get_mut(row) else {
            return Err(problem(format!(
                "{}: row {row} is named, but the data has only {} rows; the folds belong to another file",
                path.display(),
                table.rows()
            )));
        };
        if slot.replace(fold).is_some() {
            return Err(problem(format!("{}: row {row} has two folds; keep one", path.display())));
        }
    }
    let out: Vec<usize> = out
        .iter()
        .enumerate()
        .map(|(row, fold)| {
            fold.ok_or_else(|| {
                problem(format!("{}: row {row} of the data has no fold; add it", path.display()))
            })
        })
        .collect::<Result<_, _>>()?;
    together(table, id, &out)?;
    Ok(out)
}

fn problem(sentence: String) -> RiskError {
    RiskError::Data(DataError::Folds(sentence))
}

/// All rows of an id must share a fold.
fn together(table: &RawTable, id: &str, folds: &[usize]) -> Result<(), RiskError> {
    let column = table.column(id)?;
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (row, fold) in folds.iter().enumerate() {
        let id = table.cell(row, column);
        let first = *seen.entry(id).or_insert(*fold);
        if first != *fold {
            let second = *fold;
            let problem = DataError::IdInTwoFolds { row, id: id.to_owned(), first, second };
            return Err(RiskError::Data(problem).in_file(table));
        }
    }
    Ok(())
}

/// Rows outside and inside fold `k`.
pub(super) fn split(folds: &[usize], k: usize) -> Result<(Vec<usize>, Vec<usize>), RiskError> {
    let (inside, outside): (Vec<usize>, Vec<usize>) = (0..folds.len()).partition(|row| folds[*row] == k);
    if inside.is_empty() {
        return Err(problem(format!("no row is in fold {k}; folds are counted from 0")));
    }
    Ok((outside, inside))
}
