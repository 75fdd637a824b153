//! Who may use whom, and other tidy rules: `cargo test` is the whole truth about them.
//! `ARCHITECTURE.md` shows the same table to people.

mod source;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use source::{Source, sources};

const NOTICE_LINES: usize = 300;
const MAX_LINES: usize = 400;
/// Files that are longer, and the size that they may not outgrow. The list only ever gets shorter.
const LONG_FILES: &[(&str, usize)] = &[("src/engine/expr/types.rs", 560), ("src/engine/parse/case.rs", 460)];

/// What one module of `src/` may use of the others, and of the crates that have an owner.
struct Row {
    module: &'static str,
    modules: &'static [&'static str],
    crates: &'static [&'static str],
}

/// `cli`, `main`, `config` and `lib` are not in the table: they wire, and may use everything.
const TABLE: &[Row] = &[
    Row { module: "ports", modules: &[], crates: &["tend_engine"] },
    Row { module: "library", modules: &[], crates: &["tend_engine"] },
    Row {
        module: "store",
        modules: &["ports"],
        crates: &["tend_engine", "tend_migrations", "sea_orm", "sea_orm_migration", "sqlx"],
    },
    Row { module: "deliver", modules: &["ports"], crates: &["tend_engine", "lettre", "reqwest"] },
    Row { module: "app", modules: &["store", "ports", "library"], crates: &["tend_engine", "tend_risk"] },
    Row {
        module: "web",
        modules: &["app", "store::read", "ports"],
        crates: &["tend_engine", "actix_web", "actix_multipart", "askama", "askama_web"],
    },
    Row { module: "jobs", modules: &["app"], crates: &["apalis", "apalis_sqlite", "apalis_postgres"] },
];
const WIRING: &[&str] = &["main", "lib", "config", "cli"];

/// Crates that belong to somebody. Any other crate is free outside engine and risk.
const OWNED_CRATES: &[&str] = &[
    "actix_multipart",
    "actix_web",
    "apalis",
    "apalis_postgres",
    "apalis_sqlite",
    "askama",
    "askama_web",
    "candle_core",
    "candle_nn",
    "lettre",
    "reqwest",
    "safetensors",
    "sea_orm",
    "sea_orm_migration",
    "sqlx",
    "tend_engine",
    "tend_migrations",
    "tend_risk",
];

/// The leaf packages: the crates that they may depend on, and what of the standard library they may not touch.
const PURE: &[(&str, &[&str], &[&str])] = &[
    (
        "src/engine",
        &[
            "annotate-snippets",
            "jiff",
            "minijinja",
            "saphyr-parser",
            "schemars",
            "serde",
            "serde_json",
            "serde-saphyr",
            "sha2",
            "thiserror",
        ],
        &["env", "fs", "io", "net", "os", "process", "thread", "time::Instant", "time::SystemTime"],
    ),
    (
        "src/risk",
        &["candle-core", "candle-nn", "safetensors", "serde", "thiserror", "toml"],
        &["env", "fs", "net", "os", "process", "time::Instant", "time::SystemTime"],
    ),
];

const ROOT_ENTRIES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "docs",
    "justfile",
    "migrations",
    "models",
    "rustfmt.toml",
    "src",
    "static",
    "templates",
    "tests",
    "workflows",
];

#[test]
fn every_module_uses_only_what_the_table_grants() {
    let mut wrong = Vec::new();
    for source in sources(&root().join("src")) {
        let Some(module) = top_module(&source) else { continue };
        let Some(row) = TABLE.iter().find(|row| row.module == module) else {
            wrong.push(format!(
                "{}: module `{module}` is not in the table of tests/architecture.rs",
                source.name()
            ));
            continue;
        };
        wrong.extend(source.paths().iter().filter_map(|path| violation(row, &source, path)));
    }
    report(wrong);
}

fn violation(row: &Row, source: &Source, path: &[String]) -> Option<String> {
    let first = path.first()?.as_str();
    let used = match source.module_of(path) {
        Some(inner) => inner,
        None if OWNED_CRATES.contains(&first) && !row.crates.contains(&first) => {
            return Some(format!("{}: `{}` may not use the crate {first}", source.name(), row.module));
        }
        None => return None,
    };
    let (target, item) = (used.first()?.as_str(), used.get(1).map_or("", String::as_str));
    let known = WIRING.contains(&target) || TABLE.iter().any(|row| row.module == target);
    let granted = target == row.module
        || row.modules.iter().any(|grant| *grant == target || *grant == format!("{target}::{item}"));
    (known && !granted)
        .then(|| format!("{}: `{}` may not use crate::{}", source.name(), row.module, used.join("::")))
}

/// The module of `src/` that a file belongs to; none for those that wire and for the leaf packages.
fn top_module(source: &Source) -> Option<&str> {
    let module = source.module().first()?.as_str();
    (!WIRING.contains(&module) && !["engine", "risk"].contains(&module)).then_some(module)
}

#[test]
fn engine_and_risk_are_pure() {
    let mut wrong = Vec::new();
    for (folder, crates, banned) in PURE {
        for name in dependencies(&root().join(folder).join("Cargo.toml")) {
            if !crates.contains(&name.as_str()) {
                wrong.push(format!(
                    "{folder}/Cargo.toml: the crate {name} is not among those of a pure package"
                ));
            }
        }
        for source in sources(&root().join(folder)) {
            for path in source.product_paths().iter().filter(|path| path[0] == "std") {
                let used = path[1..].join("::");
                let touches = |ban: &&&str| used == **ban || used.starts_with(&format!("{ban}::"));
                if let Some(ban) = banned.iter().find(touches) {
                    wrong.push(format!("{}: std::{ban} is not for a pure package", source.name()));
                }
            }
        }
    }
    report(wrong);
}

fn dependencies(manifest: &Path) -> Vec<String> {
    let text = read(manifest);
    let parsed: toml::Table = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", manifest.display()));
    let table = parsed.get("dependencies").and_then(toml::Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn files_stay_short() {
    let mut wrong = Vec::new();
    for source in sources(&root().join("src")).into_iter().chain(sources(&root().join("migrations"))) {
        // Comments and blank lines are free, so that nobody saves on them.
        let lines = source.code_lines();
        let limit =
            LONG_FILES.iter().find(|(name, _)| *name == source.name()).map_or(MAX_LINES, |(_, size)| *size);
        if lines > limit {
            wrong.push(format!("{}: {lines} lines of code, at most {limit}: split it", source.name()));
        } else if lines > NOTICE_LINES {
            // Not `eprintln`: the test harness would swallow it.
            let _ = writeln!(std::io::stderr(), "notice: {} has {lines} lines of code", source.name());
        }
    }
    report(wrong);
}

#[test]
fn nothing_is_left_unfinished_or_unguarded() {
    let mut wrong = Vec::new();
    let folders = ["src", "migrations", "tests", "benches"].map(|folder| root().join(folder));
    for source in folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| sources(folder)) {
        for stub in ["todo!(", "unimplemented!(", "#[ignore"] {
            wrong.extend(source.lines_with(stub).map(|line| format!("{}:{line}: `{stub}`", source.name())));
        }
        if source.name().starts_with("src/") {
            let unguarded = source.product_lines_with(".unwrap()");
            wrong
                .extend(unguarded.map(|line| format!("{}:{line}: `.unwrap()` outside tests", source.name())));
        }
    }
    report(wrong);
}

#[test]
fn nothing_tracked_points_outside_the_repository() {
    // Written in pieces: this file is tracked too.
    let banned = [
        concat!("..", "/shared"),
        concat!("/", "work/"),
        concat!("FIX", "ME"),
        concat!("TO", "DO:"),
        concat!("XX", "X:"),
    ];
    let mut wrong = Vec::new();
    for file in files() {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue }; // not text, or just deleted
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                wrong.push(format!("{}:{}: contains `{word}`", file.display(), number + 1));
            }
        }
    }
    report(wrong);
}

#[test]
fn the_root_holds_only_what_was_agreed() {
    let top =
        |file: &PathBuf| file.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let entries: BTreeSet<String> = files().iter().filter_map(top).collect();
    let extra = entries
        .into_iter()
        .filter(|entry| !entry.starts_with('.') && !ROOT_ENTRIES.contains(&entry.as_str()));
    report(extra.map(|entry| format!("{entry}: not one of the root's entries")).collect());
}

#[test]
fn one_sqlx_one_sqlite_and_no_openssl() {
    let lock = read(&root().join("Cargo.lock"));
    let count = |name: &str| lock.lines().filter(|line| *line == format!("name = \"{name}\"")).count();
    assert_eq!(count("sqlx-core"), 1, "sqlx-core in Cargo.lock");
    assert_eq!(count("libsqlite3-sys"), 1, "libsqlite3-sys in Cargo.lock");
    assert_eq!(count("openssl-sys") + count("native-tls"), 0, "OpenSSL in Cargo.lock");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is tracked, or would be.
fn files() -> Vec<PathBuf> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = Command::new("git").args(list).current_dir(root()).output().expect("git is installed");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let files: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    assert!(files.len() > 10, "git ls-files lists the repository");
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn report(wrong: Vec<String>) {
    let unique: BTreeSet<String> = wrong.into_iter().collect();
    assert!(unique.is_empty(), "\n{}\n", unique.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_table_catches_what_it_should() {
    let check = |name: &str, text: &str| {
        let source = Source::new(name, text);
        let module = top_module(&source).expect("a module of the table").to_owned();
        let row = TABLE.iter().find(|row| row.module == module).expect("in the table");
        source.paths().iter().filter_map(|path| violation(row, &source, path)).count()
    };
    for (name, text) in [
        ("src/web/queue.rs", "use crate::store::write::Tx;"),
        ("src/web/queue.rs", "use crate::{app, store::{read, Store}};"),
        ("src/web/queue.rs", "fn f() { super::super::jobs::wake() }"),
        ("src/web/mod.rs", "use super::deliver::Mail;"),
        ("src/web/queue.rs", "use sea_orm::EntityTrait;"),
        ("src/app/advance.rs", "#[actix_web::main] async fn f() {}"),
        ("src/app/advance.rs", "use crate::config::Config;"),
        ("src/jobs/lane.rs", "use crate::{store};"),
        ("src/deliver.rs", "let x = crate::app::App::new();"),
    ] {
        assert_eq!(check(name, text), 1, "{name}: {text}");
    }
    for (name, text) in [
        ("src/web/queue.rs", "use crate::store::read; use crate::app::{self, App}; use super::routes;"),
        (
            "src/web/queue.rs",
            "// crate::jobs::x\nlet s = \"crate::jobs::x\"; let c = '\"'; crate::web::x::<'_>();",
        ),
        ("src/app/advance.rs", "use crate::{ports::Clock, store::Store}; use tend_engine::{decide, Name};"),
        ("src/jobs/lane.rs", "use crate::app::App; use apalis::prelude::*;"),
    ] {
        assert_eq!(check(name, text), 0, "{name}: {text}");
    }
}
