//! CSV for downloads. A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula; such
//! a cell gets an apostrophe in front, so that it is shown as text.

/// A line of cells, quoted, with formulas neutralised.
#[must_use]
pub fn safe_line(cells: &[&str]) -> String {
    let cells: Vec<String> =
        cells.iter().map(|cell| format!("\"{}\"", safe(cell).replace('"', "\"\""))).collect();
    cells.join(",") + "\r\n"
}

fn safe(cell: &str) -> String {
    let formula = cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r', '\n']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::safe_line;

    #[test]
    fn formulas_are_text() {
        assert_eq!(safe_line(&["=1+1", "a\"b", "-2", " @x"]), "\"'=1+1\",\"a\"\"b\",\"'-2\",\"' @x\"\r\n");
        assert_eq!(safe_line(&["plain, with comma"]), "\"plain, with comma\"\r\n");
    }
}
