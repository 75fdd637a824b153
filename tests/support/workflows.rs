//! The shipped workflows, compiled as `tend check` does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tend_engine::model::Workflow;
use tend_engine::parse::compile;

/// The workflows that the stories of these tests are about; the engine's own tests go through all that are shipped.
const TOLD: [&str; 2] = ["hf-discharge-90d", "nmibc-surveillance"];

/// The shipped workflows that a site of the tests uses.
pub fn shipped() -> Vec<Workflow> {
    let mut files = shipped_files();
    // Stories are checked where they are run.
    files.retain(|path, _| !path.contains("/cases/"));
    let compiled = compile(&files);
    assert!(compiled.diagnostics.is_empty(), "the shipped workflows are clean: {:?}", compiled.diagnostics);
    let all = compiled.workflows.into_iter().map(|(_, workflow)| workflow);
    all.filter(|workflow| TOLD.contains(&workflow.id.as_str())).collect()
}

/// The shipped files by their path from the root.
pub fn shipped_files() -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    collect(&root.join("workflows"), root, &mut files);
    files
}

fn collect(folder: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, root, files);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let name = path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
}
