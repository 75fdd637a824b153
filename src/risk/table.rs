//! A table of text cells as it was read from a CSV file, before anything is known about its columns.

use crate::error::DataError;

/// More columns than this are refused: no ward keeps so many facts, and training would not end.
pub const MAX_COLUMNS: usize = 2_000;

/// Header and cells; the cells lie in one string, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTable {
    header: Vec<String>,
    text: String,
    ends: Vec<usize>,
    /// Per row its number in the file, from 0, and its line, from 1.
    places: Vec<(usize, usize)>,
}

impl RawTable {
    /// An empty table with these column names.
    pub fn new(header: Vec<String>) -> Result<Self, DataError> {
        if header.len() > MAX_COLUMNS {
            return Err(DataError::TooManyColumns { columns: header.len() });
        }
        let header: Vec<String> =
            header.iter().map(|name| name.trim().trim_start_matches('\u{feff}').to_owned()).collect();
        for (i, name) in header.iter().enumerate() {
            if name.is_empty() {
                return Err(DataError::UnnamedColumn { position: i + 1 });
            }
            if let Some(first) = header[..i].iter().position(|other| other == name) {
                return Err(DataError::RepeatedColumn {
                    column: name.clone(),
                    first: first + 1,
                    second: i + 1,
                });
            }
        }
        Ok(Self { header, text: String::new(), ends: Vec::new(), places: Vec::new() })
    }

    /// Appends one row; it must have a cell for every column. A cell that says in words that it is missing is empty.
    pub fn push_row<'a>(&mut self, cells: impl Iterator<Item = &'a str> + Clone) -> Result<(), DataError> {
        // One line a row, after the header.
        self.push_line(self.rows() + 2, cells)
    }

    /// The same of a row that begins on this line of the file.
    pub fn push_line<'a>(
        &mut self,
        line: usize,
        cells: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), DataError> {
        let count = cells.clone().count();
        if count != self.header.len() {
            return Err(DataError::RaggedRow { row: self.rows(), cells: count, columns: self.header.len() });
        }
        self.places.push((self.rows(), line));
        for cell in cells.map(str::trim) {
            self.text.push_str(if is_missing(cell) { "" } else { cell });
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// Column names in file order.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ends.len().checked_div(self.header.len()).unwrap_or(0)
    }

    /// The cell at `row` and `column`, without surrounding spaces; empty when missing.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.header.len() + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// Number of a row in its file, from 0, and its line there; of the row after the last too.
    pub fn place(&self, row: usize) -> (usize, usize) {
        self.places.get(row).copied().unwrap_or((row, row + 2))
    }

    /// Position of a column, or a sentence that says which there are.
    pub fn column(&self, name: &str) -> Result<usize, DataError> {
        self.find(name)
            .ok_or_else(|| DataError::NoSuchColumn { column: name.to_owned(), known: self.header.join(", ") })
    }

    /// Position of a column, if the file has it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|other| other == name)
    }

    /// The rows named, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut out = Self {
            header: self.header.clone(),
            text: String::new(),
            ends: Vec::with_capacity(rows.len() * self.header.len()),
            places: rows.iter().map(|row| self.place(*row)).collect(),
        };
        for &row in rows {
            for column in 0..self.header.len() {
                out.text.push_str(self.cell(row, column));
                out.ends.push(out.text.len());
            }
        }
        out
    }
}

/// Whether a cell says that nothing is known.
pub(crate) fn is_missing(cell: &str) -> bool {
    cell.is_empty() || matches!(cell, "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL")
}

/// A finite number, `Ok(None)` for an empty cell, `Err(())` for anything else.
pub(crate) fn number(cell: &str) -> Result<Option<f64>, ()> {
    if is_missing(cell) {
        return Ok(None);
    }
    match cell.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        Ok(_) | Err(_) => Err(()),
    }
}
