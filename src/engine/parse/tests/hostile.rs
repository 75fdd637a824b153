//! Files made to hurt: each is refused with a position, quickly.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    super::{Compiled, compile, tree::FILE_BYTES_MAX},
    shipped,
};
use crate::model::condition::{EXPR_BYTES_MAX, EXPR_DEPTH_MAX};

fn check(bytes: &[u8]) -> Compiled {
    compile(&BTreeMap::from([("workflows/bad/workflow.yaml".to_owned(), bytes.to_vec())]))
}

#[track_caller]
fn refused(bytes: &[u8], code: &str) {
    let compiled = check(bytes);
    assert!(compiled.workflows.is_empty());
    let found: Vec<_> = compiled.diagnostics.iter().map(|d| (d.code, d.line, d.column)).collect();
    assert!(found.iter().any(|(known, ..)| *known == code), "{code} is not among {found:?}");
    assert!(found.iter().all(|(_, line, column)| *line >= 1 && *column >= 1));
    assert!(found.len() <= crate::diagnostic::DIAGNOSTICS_PER_FILE_MAX + 1);
}

#[test]
fn deep_nesting() {
    for open in ["[", "{a: ", "- ", "? ", "a:\n "] {
        let many = open.repeat(200_000);
        let compiled = check(many.as_bytes());
        assert!(compiled.workflows.is_empty() && !compiled.diagnostics.is_empty(), "{open}");
    }
    refused("[".repeat(100_000).as_bytes(), "E003");
    refused(("[ ".repeat(30) + &"]".repeat(30)).as_bytes(), "E004");
    let steps: String = (0..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    refused(steps.as_bytes(), "E004");
}

#[test]
fn alias_bombs() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        let list = vec![alias; 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{list}]");
    }
    refused(bomb.as_bytes(), "E005");
    refused(b"a: &a [*a]\n", "E005");
    refused(b"workflow: *nothing\n", "E003");
    refused(b"<<: {workflow: x}\n", "E005");
}

#[test]
fn size_and_encoding() {
    refused(&vec![b'a'; 10_000_000], "E002");
    refused(&vec![b' '; FILE_BYTES_MAX + 1], "E002");
    refused(&vec![b' '; FILE_BYTES_MAX], "E009");
    refused(b"workflow: knee\ntitle: \xff\xfe\n", "E001");
    refused(b"", "E009");
    refused(b"\0\0\0\0", "E003");
    refused(b"workflow: a\n---\nworkflow: b\n", "E007");
    let place = check("workflow: 膝\ntitle: 膝\u{301}".as_bytes());
    assert!(!place.diagnostics.is_empty());
    let mut bad = "workflow: knee\n膝: ".as_bytes().to_vec();
    bad.push(0xff);
    let found = check(&bad).diagnostics.remove(0);
    assert_eq!((found.line, found.column), (2, 4));
}

#[test]
fn many_values_keys_and_problems() {
    refused(format!("[{}]", "a,".repeat(150_000)).as_bytes(), "E002");
    let keys: String = (0..30_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "key{n}: 1");
        text
    });
    refused(keys.as_bytes(), "E008");
    refused("a: 1\n".repeat(50_000).as_bytes(), "E006");
}

#[test]
fn ten_thousand_steps_and_huge_repeats() {
    let mut file = "workflow: bad\ntitle: {en: x}\nstatus: x\nlanguages: [en]\nanchors: {a: {label: {en: a}}}\nending: never\nsteps:\n".to_owned();
    for n in 0..10_000 {
        let _ = writeln!(file, "  s{n}: {{title: {{en: x}}, score: m, from: a, when: {{at: 1 day}}}}");
    }
    refused(file.as_bytes(), "E108");
    let one = |when: &str| {
        format!(
            "workflow: bad\ntitle: {{en: x}}\nstatus: x\nlanguages: [en]\nanchors: {{a: {{label: {{en: a}}}}}}\nending: never\nsteps:\n  s: {{title: {{en: x}}, score: m, from: a, when: [{when}]}}\n"
        )
    };
    refused(one("{every: 1 day, from: 1 day}").as_bytes(), "E307");
    refused(one("{every: 1 day, from: 1 day, to: 100 years}").as_bytes(), "E209");
    refused(one("{every: 1 day, from: 1 day, to: 999999999999 years}").as_bytes(), "E201");
    refused(one("{every: 1 day, from: 1 day, to: 2000000000 days}").as_bytes(), "E201");
    refused(one("{at: [1 day], window: {before: 4000000000 days}}").as_bytes(), "E201");
    refused(one("{at: [1 day], window: {before: 367 days}}").as_bytes(), "E108");
}

#[test]
fn conditions_built_to_explode() {
    let with = |condition: &str| {
        let mut files = shipped();
        let path = "workflows/hf-discharge-90d/workflow.yaml";
        let text = String::from_utf8(files[path].clone()).unwrap();
        let text = text.replacen("days_since(discharge) <= 15", condition, 1);
        files.insert(path.to_owned(), text.into_bytes());
        compile(&files).diagnostics.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    let nested = |depth: usize| format!("{}weight_esc{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(with(&nested(EXPR_DEPTH_MAX - 1)), [""; 0]);
    assert!(with(&nested(EXPR_DEPTH_MAX)).contains(&"E125"));
    assert!(with(&nested(500)).contains(&"E125"));
    assert!(with(&"not ".repeat(200)).contains(&"E125"));
    let long = |bytes: usize| {
        let mut text = "weight_esc".to_owned();
        while text.len() + 14 <= bytes {
            text += " or weight_esc";
        }
        text + &" ".repeat(0)
    };
    assert_eq!(with(&long(EXPR_BYTES_MAX)), [""; 0]);
    assert!(with(&(long(EXPR_BYTES_MAX) + " or weight_esc or weight_esc")).contains(&"E125"));
    let mut doubling = "days_since(discharge) <= 15".to_owned();
    let mut last = "high_risk".to_owned();
    for n in 0..60 {
        let _ = write!(doubling, "\n  d{n}: {last} and {last}");
        last = format!("d{n}");
    }
    assert!(with(&doubling).contains(&"E125"));
}

/// No panic on any prefix of a good file, nor with any one character replaced by something that means something.
#[test]
fn cut_and_bent_files() {
    let files = shipped();
    let path = "workflows/hf-discharge-90d/workflow.yaml";
    let text = String::from_utf8(files[path].clone()).unwrap();
    let chars: Vec<char> = text.chars().collect();
    for cut in (0..chars.len()).step_by(2003) {
        let short: String = chars[..cut].iter().collect();
        let _ = check(short.as_bytes());
        for bent in ['{', ':', '"', '膝'] {
            let mut changed = chars.clone();
            changed[cut] = bent;
            let _ = check(changed.into_iter().collect::<String>().as_bytes());
        }
    }
}
