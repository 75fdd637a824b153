//! Two hundred files made to hurt, and a seeded loop that bends good ones: no panic, no hang, a place for each problem.
//! The loop runs for `TEND_FUZZ_SECONDS` (a few seconds unless told), and for ten minutes under `TEND_LONG=1`.

#![expect(clippy::disallowed_methods, reason = "a time budget of a test, not of the product")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{super::compile, hostile_files::hostile, shipped};
use crate::{diagnostic::DIAGNOSTICS_PER_FILE_MAX, expr, parse::Compiled};

const SEED: u64 = 0x5eed_0003;
/// For one file. Debug builds are many times slower than what is shipped.
const AT_MOST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
/// More memory than this is never needed for one file.
const KILOBYTES_MAX: u64 = 100 * 1024;

fn path_of(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"case:") {
        "workflows/bad/cases/bad.yaml"
    } else if bytes.starts_with(b"calendar:") {
        "workflows/calendars/bad.yaml"
    } else {
        "workflows/bad/workflow.yaml"
    }
}

/// The memory that this process holds, and the most that it held since the mark was last taken down.
fn kilobytes() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[track_caller]
fn places_exist(compiled: &Compiled, name: &str) {
    for found in &compiled.diagnostics {
        assert!(found.line >= 1 && found.column >= 1, "{name}: {found:?}");
        assert!(!found.message.is_empty(), "{name}: {found:?}");
    }
}

/// Set in the process that is alone with the files, so that their memory can be told from that of other tests.
const ALONE: &str = "TEND_HOSTILE_FILES_ALONE";

#[test]
fn two_hundred_hostile_files_are_refused_quickly_within_their_memory_with_a_place() {
    if std::env::var_os(ALONE).is_some() {
        return refuse_all();
    }
    let this = std::env::current_exe().expect("the test's own program");
    let name =
        "parse::tests::siege::two_hundred_hostile_files_are_refused_quickly_within_their_memory_with_a_place";
    let output = std::process::Command::new(this)
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("the test's own program runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn refuse_all() {
    let files = hostile();
    assert!(files.len() >= 200, "{} files", files.len());
    let mut library = shipped();
    library.retain(|path, _| {
        path.ends_with("standard.yaml")
            || path.contains("hf-discharge-90d/workflow")
            || path.contains("questionnaires")
    });
    let standing = compile(&library).diagnostics.len();
    assert_eq!(standing, 0);
    for (name, bytes) in files {
        let path = path_of(&bytes);
        let mut set = if path.contains("cases") { library.clone() } else { BTreeMap::new() };
        set.insert(path.to_owned(), bytes);
        // Takes the mark of the most memory down to what is held now.
        std::fs::write("/proc/self/clear_refs", "5").expect("the mark can be taken down");
        let (held, _) = kilobytes();
        let begun = Instant::now();
        let compiled = compile(&set);
        let took = begun.elapsed();
        let grew = kilobytes().1.saturating_sub(held);
        assert!(took < AT_MOST, "{name} took {took:?}");
        assert!(grew < KILOBYTES_MAX, "{name} needed {grew} kB");
        assert!(compiled.diagnostics.iter().any(|found| found.file == path), "{name} was not refused");
        assert!(compiled.workflow("bad").is_none() && compiled.cases.is_empty(), "{name} was used");
        assert!(compiled.diagnostics.len() <= DIAGNOSTICS_PER_FILE_MAX + 1, "{name}");
        places_exist(&compiled, &name);
    }
}

fn budget() -> Duration {
    if std::env::var_os("TEND_LONG").is_some() {
        return Duration::from_secs(600);
    }
    let seconds = std::env::var("TEND_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(4))
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % sides.max(1) as u64).unwrap_or(0)
    }
}

const BITS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "\n",
    "\n  ",
    "- ",
    "\"",
    "'",
    "|",
    ">",
    "#",
    "&a",
    "*a",
    "!x",
    "0",
    "-1",
    "99999999999",
    "1 day",
    "not ",
    " and ",
    " or ",
    "(",
    ")",
    "%",
    " of ",
    "≥",
    "膝",
    "\u{0}",
    "\t",
    "known(",
    "times(",
    "started",
    "never",
    "en: ",
    "{link}",
    "when:",
];

/// Cuts, doubles, moves, inserts, replaces.
fn bend(dice: &mut Dice, text: &mut Vec<char>) {
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(text.len() + 1);
        let length = dice.roll(40).min(text.len() - at);
        match dice.roll(5) {
            0 => drop(text.drain(at..at + length)),
            1 => {
                let part = text[at..at + length].to_vec();
                text.splice(at..at, part);
            }
            2 => {
                let part: Vec<char> = text.drain(at..at + length).collect();
                let to = dice.roll(text.len() + 1);
                text.splice(to..to, part);
            }
            3 => {
                let bit = BITS[dice.roll(BITS.len())];
                text.splice(at..at, bit.chars());
            }
            _ => {
                let bit = BITS[dice.roll(BITS.len())];
                text.splice(at..at + length.min(3), bit.chars());
            }
        }
    }
}

#[test]
fn bent_files_and_conditions_never_panic_or_hang() {
    let until = Instant::now() + budget();
    let mut dice = Dice(SEED);
    let mut files = shipped();
    files.retain(|path, _| !path.contains("/cases/"));
    let sources: Vec<(String, Vec<char>)> = files
        .iter()
        .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).chars().collect()))
        .collect();
    let conditions: Vec<&str> = vec![
        "weight_esc and not doubtful(weight) and weight - lowest(weight, 3 days) > 2 kg",
        "times(glucose_low < 3.0 mmol/L, 7 days) >= 1 or band(total) = low",
        "(a in [b, c] or known(previous(d, 3 days))) and 50 % of (e + f) <= 2026-01-01",
    ];
    let scope = expr::Scope {
        facts: &[],
        anchors: &[],
        steps: &BTreeMap::new(),
        define: &[],
        questionnaires: &BTreeMap::new(),
        answer: None,
    };
    let mut rounds = 0_u64;
    while Instant::now() < until {
        rounds += 1;
        for _ in 0..50 {
            let mut text: Vec<char> = conditions[dice.roll(conditions.len())].chars().collect();
            bend(&mut dice, &mut text);
            let text: String = text.into_iter().collect();
            if let Ok(ast) = expr::ast::parse(&text) {
                assert_eq!(expr::ast::parse(&ast.to_string()).as_ref(), Ok(&ast), "{text:?}");
            }
            let _ = expr::compile(&text, &scope);
        }
        let (path, source) = &sources[dice.roll(sources.len())];
        let mut text = source.clone();
        bend(&mut dice, &mut text);
        let bytes = text.into_iter().collect::<String>().into_bytes();
        // Alone, and now and then among the others.
        let mut set = if dice.roll(20) == 0 { files.clone() } else { BTreeMap::new() };
        set.insert(path.clone(), bytes);
        let begun = Instant::now();
        let compiled = compile(&set);
        assert!(begun.elapsed() < AT_MOST, "round {rounds} of seed {SEED}: {path}");
        places_exist(&compiled, path);
    }
    assert!(rounds > 0);
}
