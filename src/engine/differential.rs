//! The condition language and recurrences beside evaluators that share nothing with them: a Python program written from
//! the documentation, and python-dateutil. Ten thousand random ones each, from a printed seed.

#![cfg(test)]

mod conditions;
mod recurrences;
mod world;
mod zones;

use std::{path::PathBuf, process::Command};

/// How many are compared.
const COMPARED: usize = 10_000;

/// A small generator, so that a seed says everything.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn number(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.roll(u64::try_from(to - from + 1).unwrap_or(1))).unwrap_or(0)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.roll(all.len() as u64)).unwrap_or(0)]
    }

    fn often(&mut self, of_ten: u64) -> bool {
        self.roll(10) < of_ten
    }
}

/// Gives the lines to a script beside this file and returns what it prints.
fn compared_by(script: &str, lines: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("differential").join(script);
    let given = std::env::temp_dir().join(format!("tend-{}-{script}.jsonl", std::process::id()));
    std::fs::write(&given, lines).expect("written");
    let input = std::fs::File::open(&given).expect("just written");
    let output = Command::new("python3")
        .arg(path)
        .stdin(input)
        .output()
        .expect("python3 is installed, with python3-dateutil: tests/run sees to it");
    std::fs::remove_file(&given).expect("removed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed; is python3-dateutil installed?\n{errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[track_caller]
fn agree(script: &str, lines: &str, seed: u64) {
    let said = compared_by(script, lines);
    let expected = format!("{COMPARED} compared, 0 differ");
    let first: Vec<&str> = said.lines().take(5).collect();
    assert_eq!(said.lines().last(), Some(expected.as_str()), "seed {seed}:\n{}", first.join("\n"));
}
