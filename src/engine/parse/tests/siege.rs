//! Two hundred files made to hurt, and a seeded loop that bends good ones: no panic, no hang, a place for each problem.
//! The loop runs for `TEND_FUZZ_SECONDS` (a few seconds unless told), and for ten minutes under `TEND_LONG=1`.

#![expect(clippy::disallowed_methods, reason = "a time budget of a test, not of the product")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use super::{super::compile, shipped};
use crate::{diagnostic::DIAGNOSTICS_PER_FILE_MAX, expr, parse::Compiled};

const SEED: u64 = 0x5eed_0003;
/// For one file. Debug builds are many times slower than what is shipped.
const AT_MOST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
/// More memory than this is never needed for one file.
const KILOBYTES_MAX: u64 = 100 * 1024;

fn head(steps: &str) -> String {
    format!(
        "workflow: bad\ntitle: {{en: x}}\nstatus: x\nlanguages: [en]\nanchors: {{a: {{label: {{en: a}}}}}}\nending: never\nsteps:\n{steps}"
    )
}

fn one_step(rest: &str) -> String {
    head(&format!("  s: {{title: {{en: x}}, score: m, {rest}}}\n"))
}

fn with_condition(condition: &str) -> String {
    head(&format!(
        "  s:\n    title: {{en: x}}\n    score: m\n    from: a\n    when: {{at: 1 day}}\n    only_if: {condition}\n"
    ))
}

/// Every file with a name that says what it is.
fn hostile() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: String, text: String| all.push((name, text.into_bytes()));
    for open in ["[", "{a: ", "- ", "? ", "a:\n ", "[{a: ", "- - ", "\"", "'", "|\n", "&a [", "!t [", "- {"] {
        for times in [30, 1_000, 50_000] {
            add(format!("{times} times {open:?}"), open.repeat(times));
        }
    }
    for depth in [25, 40, 200, 3_000] {
        add(format!("balanced to {depth}"), "[ ".repeat(depth) + &"]".repeat(depth));
        add(format!("indented to {depth}"), (0..depth).map(|n| format!("{}a:\n", " ".repeat(n))).collect());
    }
    for width in [3, 9, 30] {
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..40 {
            let _ = writeln!(
                bomb,
                "a{level}: &a{level} [{}]",
                vec![format!("*a{}", level - 1); width].join(", ")
            );
        }
        add(format!("aliases {width} wide"), bomb);
    }
    for text in [
        "a: &a [*a]",
        "a: *b",
        "<<: {a: b}",
        "a: !!binary x",
        "a: !<tag:x> y",
        "%YAML 9.9\n---\na: b",
        "%TAG ! x\n---\na",
    ] {
        add(format!("yaml {text:?}"), text.to_owned());
    }
    for size in [1 << 20, (1 << 20) + 1, 10_000_000] {
        add(format!("{size} letters"), "a".repeat(size));
        add(format!("{size} spaces"), " ".repeat(size));
        add(format!("{size} line ends"), "\n".repeat(size));
        add(format!("{size} comment"), "#".repeat(size));
    }
    add("many values".into(), format!("[{}]", "a,".repeat(150_000)));
    add("many keys".into(), (0..40_000).map(|n| format!("key{n}: 1\n")).collect());
    add("one key often".into(), "a: 1\n".repeat(60_000));
    add("a long key".into(), "a".repeat(100_000) + ": 1");
    add("a long line".into(), format!("workflow: {}", "x ".repeat(200_000)));
    add(
        "ten thousand steps".into(),
        head(
            &(0..10_000)
                .map(|n| format!("  s{n}: {{title: {{en: x}}, score: m, from: a, when: {{at: 1 day}}}}\n"))
                .collect::<String>(),
        ),
    );
    add(
        "ten thousand facts".into(),
        format!(
            "facts:\n{}",
            (0..10_000).map(|n| format!("  f{n}: {{label: {{en: x}}, type: boolean}}\n")).collect::<String>()
        ),
    );
    add(
        "ten thousand languages".into(),
        format!("languages: [{}]", (0..10_000).map(|n| format!("l{n}")).collect::<Vec<_>>().join(",")),
    );
    for when in [
        "{every: 1 day, from: 1 day, to: 100 years}",
        "{every: 0 days, from: 1 day}",
        "{every: -1 day, from: 1 day}",
        "{every: 1 day, from: 1 day, to: 999999999999 years}",
        "{every: 1 day, from: 1 day, to: 2000000000 days}",
        "{every: 99999999999999999999 days, from: 0 days}",
        "{every: 1 minute, from: 1 day}",
        "{every: 1 second, from: 1 day}",
        "{at: [1 day, 1 day]}",
        "{at: [2 days, 1 day]}",
        "{at: []}",
        "{at: {}}",
        "{on: [], from: 1 day}",
        "{on: [mon, moon], from: 1 day}",
        "{at: [1 day], window: {before: 4000000000 days}}",
        "{at: [1 day], window: {before: 367 days}}",
        "{at: [1 day], window: 3}",
        "{at: 1 day, every: 1 day}",
        "{from: 1 day}",
        "{}",
        "[]",
        "7",
        "{at: -99999 days}",
        "{at: 1e9 days}",
        "{at: 0x10 days}",
        "{at: ١ days}",
    ] {
        add(format!("when {when}"), one_step(&format!("from: a, when: {when}")));
    }
    for time in
        ["25:00", "24:00", "9:00", "09:60", "09:00:00", "noon", "-1:00", "09.00", "", "09:00Z", "９:００"]
    {
        add(format!("time {time}"), one_step(&format!("from: a, when: {{at: 1 day}}, time: \"{time}\"")));
    }
    for date in [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-00-00",
        "99999-01-01",
        "26-01-01",
        "2026-1-1",
        "-2026-01-01",
        "2026-04-31",
        "tomorrow",
        "2026-01-01T00:00",
    ] {
        add(format!("calendar {date}"), format!("calendar: bad\ntitle: x\nsource: x\nholidays: [{date}]\n"));
    }
    for zone in [
        "Mars/Olympus",
        "Europe/Londn",
        "../../etc/passwd",
        "UTC+25",
        "GMT0GMT0",
        "Europe/London\\u0000",
        "''",
    ] {
        add(
            format!("zone {zone}"),
            format!(
                "case: x\nworkflow: hf-discharge-90d\nzone: {zone}\nenrol: {{on: 2026-03-02 10:00}}\nstory: []\n"
            ),
        );
    }
    for moment in
        ["day x 09:00", "day 1", "day 99999999999 09:00", "2026-02-30 10:00", "day 1 25:00", "yesterday"]
    {
        add(
            format!("moment {moment}"),
            format!(
                "case: x\nworkflow: hf-discharge-90d\nenrol: {{on: 2026-03-02 10:00}}\nstory:\n  - {{at: {moment}}}\n"
            ),
        );
    }
    let explosions = [
        "not ".repeat(2_000),
        "(".repeat(2_000),
        "(".repeat(41) + "true" + &")".repeat(41),
        "1 + ".repeat(5_000),
        "known(".repeat(300),
        "50 % of ".repeat(300),
        "a.b.c".into(),
        "1/0 > 1".into(),
        "'; drop table".into(),
        "days_since(a) > 99999999999999999999".into(),
        "days_since(a) > 0.00001".into(),
        "times(x > 1, 3 days) > 1".into(),
        "lowest(a, 9999 days) > 1".into(),
        "lowest(a, 0 days) > 1".into(),
        "a in [".to_owned() + &"1, ".repeat(3_000) + "1]",
        "days_since(days_since(a)) > 1".into(),
        "true = true = true".into(),
        "= 1".into(),
        "and".into(),
        "\u{202e}true".into(),
        "true\u{0}".into(),
        "１ > 0".into(),
        "\"\\ud800\"".into(),
        "x".repeat(1_025),
        "日".repeat(600),
        "points() > 1".into(),
        "band(x) = y".into(),
        "outcome(s) = done".into(),
        "previous(, 3 days) = 1".into(),
        "2026-99-99 > 2026-01-01".into(),
        "a = b = c".into(),
        "[1, 2] in a".into(),
        "not".into(),
        "known".into(),
        "known()".into(),
        "50 % of".into(),
        "1 kg kg > 1".into(),
        ">>>> 1".into(),
        "!true".into(),
        "true && false".into(),
        "true || false".into(),
        "a ? b : c".into(),
        "f(f(f(f)))".into(),
        "1_000 > 1".into(),
        "0x10 > 1".into(),
        "1e9 > 1".into(),
        ".5 > 1".into(),
        "5. > 1".into(),
        "1 kg > 1 lb".into(),
        "- - 1 > 0".into(),
    ];
    for condition in explosions {
        let quoted = condition.replace('\\', "\\\\").replace('"', "\\\"");
        add(
            format!("condition {}", condition.chars().take(30).collect::<String>()),
            with_condition(&format!("\"{quoted}\"")),
        );
    }
    for (label, text) in [("doubling", "d and d"), ("tripling", "d or d or d")] {
        let mut define = "define:\n  d0: true\n".to_owned();
        for n in 1..60 {
            let _ = writeln!(define, "  d{n}: {}", text.replace('d', &format!("d{}", n - 1)));
        }
        add(format!("{label} definitions"), head("") + &define);
    }
    for braces in ["{", "}", "{{", "{link", "{link}{link}", "{}", "{ }", "{a{b}c}", "{\u{1f600}}"] {
        add(
            format!("braces {braces}"),
            head(&format!(
                "  s: {{title: {{en: x}}, tell: {{en: '{}'}}, from: a, when: {{at: 1 day}}}}\n",
                braces
            )),
        );
    }
    let raw: [(&str, Vec<u8>); 12] = [
        ("no UTF-8", b"workflow: \xff\xfe".to_vec()),
        ("a cut letter", "title: 膝".as_bytes()[..9].to_vec()),
        ("overlong", b"a: \xc0\xaf".to_vec()),
        ("a surrogate", b"a: \xed\xa0\x80".to_vec()),
        ("zero bytes", vec![0; 64]),
        ("UTF-16", b"\xff\xfea\0:\0 \0b\0".to_vec()),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec()),
        ("escape codes", b"workflow: \x1b[2J".to_vec()),
        ("a form feed", b"a\x0c: b".to_vec()),
        ("carriage returns", b"a: b\r\r\rc: d".to_vec()),
        ("tabs", b"a:\n\tb: c".to_vec()),
        ("random", (0..4096_u32).map(|n| u8::try_from((n * 7919 + n / 3) % 256).unwrap_or(0)).collect()),
    ];
    all.extend(raw.map(|(name, bytes)| (name.to_owned(), bytes)));
    all
}

fn path_of(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"case:") {
        "workflows/bad/cases/bad.yaml"
    } else if bytes.starts_with(b"calendar:") {
        "workflows/calendars/bad.yaml"
    } else {
        "workflows/bad/workflow.yaml"
    }
}

fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[track_caller]
fn places_exist(compiled: &Compiled, name: &str) {
    for found in &compiled.diagnostics {
        assert!(found.line >= 1 && found.column >= 1, "{name}: {found:?}");
        assert!(!found.message.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn two_hundred_hostile_files_are_refused_quickly_with_a_place() {
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
    let before = peak_kilobytes();
    for (name, bytes) in files {
        let path = path_of(&bytes);
        let mut set = if path.contains("cases") { library.clone() } else { BTreeMap::new() };
        set.insert(path.to_owned(), bytes);
        let begun = Instant::now();
        let compiled = compile(&set);
        let took = begun.elapsed();
        assert!(took < AT_MOST, "{name} took {took:?}");
        assert!(compiled.diagnostics.iter().any(|found| found.file == path), "{name} was not refused");
        assert!(compiled.workflow("bad").is_none() && compiled.cases.is_empty(), "{name} was used");
        assert!(compiled.diagnostics.len() <= DIAGNOSTICS_PER_FILE_MAX + 1, "{name}");
        places_exist(&compiled, &name);
    }
    let grew = peak_kilobytes().saturating_sub(before);
    // Other tests run beside this one, so this is an upper bound.
    assert!(grew < 4 * KILOBYTES_MAX, "{grew} kB");
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
