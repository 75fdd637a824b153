//! Reading CSV files, plain or compressed, and model folders.

use std::fs;
use std::io::Read;
use std::path::Path;

use tend_risk::{Model, RawTable, sha256};

use super::RiskError;

/// Larger files (unpacked) are refused.
const MAX_BYTES: u64 = 1 << 30;

/// A table with the hash of its text.
pub(super) struct Data {
    /// The cells.
    pub table: RawTable,
    /// SHA-256 of the unpacked bytes.
    pub sha256: String,
}

/// Reads a CSV file; one that ends in `.gz` is unpacked.
pub(super) fn read(path: &Path) -> Result<Data, RiskError> {
    let bytes = unpacked(path)?;
    let table = parse(path, &bytes)?;
    Ok(Data { table, sha256: sha256::hex(&bytes) })
}

fn unpacked(path: &Path) -> Result<Vec<u8>, RiskError> {
    let file = fs::File::open(path).map_err(|e| RiskError::file(path, format!("cannot be opened: {e}")))?;
    let packed = path.extension().is_some_and(|ext| ext == "gz");
    let reader: Box<dyn Read> =
        if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| RiskError::file(path, format!("cannot be read: {e}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(RiskError::file(path, "is larger than 1 GiB; split it or leave out columns"));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<RawTable, RiskError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let broken = |e: csv::Error| {
        RiskError::file(path, format!("is not a CSV file in UTF-8 ({e}); save it as CSV, UTF-8"))
    };
    let header = reader.headers().map_err(broken)?;
    if header.is_empty() {
        return Err(RiskError::file(path, "is empty; the first line must name the columns"));
    }
    if let [only] = header.iter().collect::<Vec<_>>().as_slice()
        && let Some((mark, name)) =
            [(';', "semicolons"), ('\t', "tabs")].into_iter().find(|(m, _)| only.contains(*m))
    {
        return Err(RiskError::file(
            path,
            format!(
                "has {name} ({mark:?}) between its columns; save it with commas, and with points in its numbers"
            ),
        ));
    }
    let in_file = |e: tend_risk::DataError| RiskError::file(path, e);
    let mut table = RawTable::new(header.iter().map(str::to_owned).collect()).map_err(in_file)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(table.rows() + 2, |at| usize::try_from(at.line()).unwrap_or(0));
        let at_line = |e: tend_risk::DataError| RiskError::file(path, format!("line {line}: {e}"));
        table.push_line(line, record.iter()).map_err(at_line)?;
    }
    Ok(table)
}

/// Loads the model of a folder.
pub(super) fn model(folder: &Path) -> Result<Model, RiskError> {
    let toml = folder.join("model.toml");
    let weights = folder.join("model.safetensors");
    let missing = |path: &Path, e: std::io::Error| {
        RiskError::file(path, format!("cannot be read ({e}); give the folder of a trained model"))
    };
    let toml = fs::read_to_string(&toml).map_err(|e| missing(&toml, e))?;
    let weights = fs::read(&weights).map_err(|e| missing(&weights, e))?;
    Model::from_bytes(&toml, &weights)
        .map_err(|problem| RiskError::Model { path: folder.to_owned(), problem })
}

/// Horizons as written, with their numbers.
pub(super) fn horizons(written: &[String]) -> Result<Vec<(String, f64)>, RiskError> {
    let mut out: Vec<(String, f64)> = Vec::new();
    for text in written {
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(h) if h.is_finite() && h > 0.0 => out.push((text.to_owned(), h)),
            Ok(_) | Err(_) => {
                return Err(RiskError::Flags(format!(
                    "--horizons: \"{text}\" is not a time above 0; write numbers with commas between, as 30,180"
                )));
            }
        }
    }
    Ok(out)
}

/// The model's own horizons, as text and number.
pub(super) fn own_horizons(model: &Model) -> Vec<(String, f64)> {
    model.file().horizons.iter().map(|h| (h.to_string(), *h)).collect()
}
