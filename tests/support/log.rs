//! The append-only log of a scripted carrier: what it took and when, in its own words, one JSON object a line.
//! A line is in the file before the carrier answers, so an auditor may believe it after `kill -9` of the sender.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// One carrier's log.
pub struct CarrierLog {
    path: PathBuf,
    file: Mutex<File>,
}

impl CarrierLog {
    /// A new log at `path`, or the old one continued.
    pub fn open(path: &Path) -> CarrierLog {
        let file = File::options().create(true).append(true).open(path);
        let file = file.unwrap_or_else(|e| panic!("{} cannot be opened: {e}", path.display()));
        CarrierLog { path: path.to_owned(), file: Mutex::new(file) }
    }

    /// Where the log lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `event` with the time, in microseconds since 1970, as `at`. One `write` for one line.
    pub fn write(&self, event: &str, mut fields: Value) {
        fields["event"] = json!(event);
        fields["at"] = json!(micros_now());
        let line = format!("{fields}\n");
        let mut file = self.file.lock().expect("no writer of the log panicked");
        file.write_all(line.as_bytes()).expect("the log can be written");
    }
}

/// All lines of the log at `path`, oldest first.
pub fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{} cannot be read: {e}", path.display()));
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("not a log line: {line}: {e}"));
    text.lines().map(parse).collect()
}

#[expect(clippy::disallowed_methods, reason = "a carrier stands outside the product and has its own clock")]
fn micros_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    u64::try_from(since.as_micros()).expect("the year is before 586,000")
}
