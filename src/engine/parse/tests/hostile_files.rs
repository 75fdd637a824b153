//! The two hundred files.

use std::fmt::Write as _;

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
pub(super) fn hostile() -> Vec<(String, Vec<u8>)> {
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
