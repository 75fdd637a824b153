//! The shipped files, broken files, hostile files.

use std::{collections::BTreeMap, fs, path::Path};

use super::{Compiled, compile};

/// Every `.yaml` file below `workflows/`.
pub(crate) fn shipped_files() -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|end| end == "yaml") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeMap::new();
    walk(&root.join("workflows"), &root, &mut files);
    files
}

fn report(compiled: &Compiled, files: &BTreeMap<String, Vec<u8>>) -> String {
    let source = |file: &str| files.get(file).and_then(|bytes| std::str::from_utf8(bytes).ok());
    compiled.diagnostics.iter().map(|found| found.for_terminal(source(&found.file))).collect()
}

#[test]
fn the_shipped_library_is_clean() {
    let files = shipped_files();
    let compiled = compile(&files);
    assert!(compiled.diagnostics.is_empty(), "\n{}", report(&compiled, &files));
    let ids: Vec<&str> = compiled.workflows.iter().map(|(_, workflow)| workflow.id.as_str()).collect();
    assert_eq!(ids, ["hf-discharge-90d", "nmibc-surveillance"]);
}
