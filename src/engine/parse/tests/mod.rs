//! The shipped files, broken files, hostile files.

mod broken;
mod hostile;
mod hostile_files;
mod schemas;
mod siege;

use std::{collections::BTreeMap, path::Path, sync::OnceLock};

use super::{Compiled, compile};

/// The files of `workflows/`, by their path from the root.
pub(crate) fn shipped() -> BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES
        .get_or_init(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let mut files = BTreeMap::new();
            collect(&root, Path::new("workflows"), &mut files);
            files
        })
        .clone()
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(root.join(folder)).expect("the shipped folder") {
        let path = folder.join(entry.expect("an entry").file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let bytes = std::fs::read(root.join(&path)).expect("a readable file");
            files.insert(path.to_string_lossy().into_owned(), bytes);
        }
    }
}

pub(super) fn report(compiled: &Compiled, files: &BTreeMap<String, Vec<u8>>) -> String {
    let source = |file: &str| files.get(file).and_then(|bytes| std::str::from_utf8(bytes).ok());
    compiled.diagnostics.iter().map(|found| found.for_terminal(source(&found.file))).collect()
}

#[test]
fn the_shipped_library_is_clean() {
    let files = shipped();
    let compiled = compile(&files);
    assert!(compiled.diagnostics.is_empty(), "\n{}", report(&compiled, &files));
    let ids: Vec<&str> = compiled.workflows.iter().map(|(_, workflow)| workflow.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "abdominal-eras-30d",
            "breast-followup-5y",
            "copd-discharge-90d",
            "covid-discharge-12w",
            "depression-mbc-12m",
            "diabetes-discharge-90d",
            "generic-discharge-30d",
            "hf-discharge-90d",
            "nmibc-surveillance",
            "post-mi-12m",
            "sact-weekly-pro",
            "turbt-28d",
            "uro-major-90d"
        ]
    );
}

#[test]
fn comments_and_order_of_files_make_no_version() {
    let files = shipped();
    let mut commented = files.clone();
    for bytes in commented.values_mut() {
        bytes.extend_from_slice(b"# a comment\n");
    }
    let versions = |files: &BTreeMap<String, Vec<u8>>| -> BTreeMap<_, _> {
        compile(files).workflows.iter().map(|(path, workflow)| (path.clone(), workflow.version())).collect()
    };
    assert_eq!(versions(&files), versions(&commented));
    let path = "workflows/hf-discharge-90d/workflow.yaml";
    let text = String::from_utf8(files[path].clone()).unwrap().replace("after: 8 hours", "after: 7 hours");
    let mut changed = files.clone();
    changed.insert(path.to_owned(), text.into_bytes());
    let (before, after) = (versions(&files), versions(&changed));
    let differing: Vec<&String> = before.keys().filter(|path| before[*path] != after[*path]).collect();
    assert_eq!(differing, [path]);
}

#[test]
fn the_typed_model_survives_being_stored() {
    for (_, workflow) in compile(&shipped()).workflows {
        let stored = serde_json::to_string(&workflow).unwrap();
        let read: crate::model::Workflow = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.version(), workflow.version());
        assert_eq!(read, workflow);
    }
}

#[test]
fn a_bad_workflow_is_left_out_and_the_others_stay() {
    let mut files = shipped();
    files.insert("workflows/hf-discharge-90d/workflow.yaml".to_owned(), b"workflow: [".to_vec());
    let compiled = compile(&files);
    assert_eq!(compiled.workflows.len(), 12);
    assert!(compiled.workflow("hf-discharge-90d").is_none());
    assert!(compiled.workflow("nmibc-surveillance").is_some());
    assert!(compiled.diagnostics.iter().any(|found| found.code == "E003"));
}
