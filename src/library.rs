//! Workflow files on disk or built in, read and compiled together.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use tend_engine::{
    Name, VersionHash,
    diagnostic::Diagnostic,
    model::Workflow,
    parse::{self, Compiled, tree::FILE_BYTES_MAX},
};

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/workflows");

/// The folder that is read when none is named.
pub const DEFAULT_FOLDER: &str = "workflows";
/// Most files of one library.
pub const FILES_MAX: usize = 5000;
/// Deepest folder below a library.
const FOLDERS_DEEP_MAX: usize = 8;

/// Files with their paths as shown, and what they mean.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Where they came from; `None` is the built-in library.
    pub folder: Option<PathBuf>,
    /// Contents by path, for excerpts beside diagnostics.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Workflows, calendars, cases and everything that is wrong.
    pub compiled: Compiled,
}

impl Library {
    /// The text of a file, for excerpts.
    #[must_use]
    pub fn source(&self, path: &str) -> Option<&str> {
        self.files.get(path).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

/// Reads `folder`; without one, `./workflows` if it exists, else the built-in library. A folder without `standard.yaml`
/// stands on the built-in levels, words, questionnaires and calendars.
#[must_use]
pub fn load(folder: Option<&Path>) -> Library {
    let default = Path::new(DEFAULT_FOLDER);
    match folder.or_else(|| default.is_dir().then_some(default)) {
        Some(folder) => {
            let mut read = ReadFiles::default();
            read.path(folder);
            if !read.files.keys().any(|path| path.ends_with("standard.yaml")) {
                let known: Vec<String> = read.files.keys().filter_map(|path| file_name(path)).collect();
                let mut ground = built_in_ground();
                ground.retain(|path, _| file_name(path).is_none_or(|name| !known.contains(&name)));
                read.files.extend(ground);
            }
            read.compile(Some(folder.to_path_buf()))
        }
        None => built_in(),
    }
}

/// The workflow of that name.
///
/// # Errors
/// A sentence with the names that there are.
pub fn workflow<'l>(library: &'l Library, name: &str) -> Result<&'l Workflow, String> {
    library.compiled.workflow(name).ok_or_else(|| {
        let names: Vec<&str> =
            library.compiled.workflows.iter().map(|(_, workflow)| workflow.id.as_str()).collect();
        format!("there is no workflow \"{name}\": there is {}", names.join(", "))
    })
}

/// The line of the files that names a step or rule, when they hold that very version.
#[must_use]
pub fn line_of(library: &Library, workflow: &Name, version: &VersionHash, named: &Name) -> Option<String> {
    let same = library.compiled.workflow(workflow.as_str()).is_some_and(|known| known.version() == *version);
    if !same {
        return None;
    }
    let folder = format!("/{workflow}/workflow.yaml");
    let mut paths: Vec<&String> =
        library.files.keys().filter(|path| path.contains("/questionnaires/")).collect();
    paths.splice(0..0, library.files.keys().filter(|path| path.ends_with(&folder)));
    let key = format!("{named}:");
    paths.into_iter().find_map(|path| {
        let mut lines = library.source(path)?.lines().zip(1..);
        let (_, number) = lines.find(|(line, _)| line.trim_start().starts_with(&key))?;
        Some(format!("{path}:{number}"))
    })
}

/// The library that the binary carries.
#[must_use]
pub fn built_in() -> Library {
    let files = built_in_files();
    let compiled = parse::compile(&files);
    Library { folder: None, files, compiled }
}

fn built_in_files() -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Dir<'_>, files: &mut BTreeMap<String, Vec<u8>>) {
        for file in folder.files().filter(|file| is_yaml(file.path())) {
            files.insert(shown(&Path::new(DEFAULT_FOLDER).join(file.path())), file.contents().to_vec());
        }
        for inner in folder.dirs() {
            walk(inner, files);
        }
    }
    let mut files = BTreeMap::new();
    walk(&BUILT_IN, &mut files);
    files
}

/// Reads exactly these files and folders. What they stand on (levels, words, questionnaires) is taken from the library
/// around them, else from the built-in one, and only problems of `paths` themselves are reported.
#[must_use]
pub fn load_paths(paths: &[PathBuf]) -> Library {
    let mut read = ReadFiles::default();
    for path in paths {
        read.path(path);
    }
    let asked: Vec<String> = read.files.keys().cloned().collect();
    let mut ground: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    if !asked.iter().any(|path| path.ends_with("standard.yaml")) {
        ground = paths.iter().find_map(|path| around(path)).unwrap_or_else(built_in_ground);
    }
    let known: Vec<String> = read.files.keys().filter_map(|path| file_name(path)).collect();
    ground.retain(|path, _| file_name(path).is_none_or(|name| !known.contains(&name)));
    read.files.extend(ground);
    let mut library = read.compile(None);
    library.compiled.diagnostics.retain(|found| asked.contains(&found.file) || is_asked(paths, &found.file));
    library
}

fn is_asked(paths: &[PathBuf], file: &str) -> bool {
    paths.iter().any(|path| shown(path) == file || Path::new(file).starts_with(path))
}

/// `standard.yaml` and the questionnaires of the library that a path lies in.
fn around(path: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
    let root =
        path.ancestors().take(FOLDERS_DEEP_MAX).find(|folder| folder.join("standard.yaml").is_file())?;
    let mut read = ReadFiles::default();
    read.path(&root.join("standard.yaml"));
    if root.join("questionnaires").is_dir() {
        read.path(&root.join("questionnaires"));
    }
    if root.join("calendars").is_dir() {
        read.path(&root.join("calendars"));
    }
    // A story stands on the workflow beside its folder.
    let told = path.parent().filter(|folder| folder.ends_with("cases")).and_then(Path::parent);
    if let Some(workflow) = told.map(|folder| folder.join("workflow.yaml")).filter(|path| path.is_file()) {
        read.path(&workflow);
    }
    Some(read.files)
}

fn built_in_ground() -> BTreeMap<String, Vec<u8>> {
    let mut files = built_in_files();
    files.retain(|path, _| {
        ["/standard.yaml", "/questionnaires/", "/calendars/"].iter().any(|part| path.contains(part))
    });
    // Shown paths of the built-in library must not look like files of the current folder.
    files.into_iter().map(|(path, bytes)| (format!("built-in/{path}"), bytes)).collect()
}

fn file_name(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_string_lossy().into_owned();
    (name != "workflow.yaml").then_some(name)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[derive(Default)]
struct ReadFiles {
    files: BTreeMap<String, Vec<u8>>,
    unreadable: Vec<Diagnostic>,
}

impl ReadFiles {
    fn compile(self, folder: Option<PathBuf>) -> Library {
        let mut compiled = parse::compile(&self.files);
        compiled.diagnostics.extend(self.unreadable);
        Library { folder, files: self.files, compiled }
    }

    fn path(&mut self, path: &Path) {
        let read = if path.is_dir() { self.folder(path, 0) } else { self.file(path) };
        if let Err(error) = read {
            self.unreadable.push(parse::unreadable(&shown(path), &error.to_string()));
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        if depth > FOLDERS_DEEP_MAX {
            return Err(io::Error::other("folders are nested too deep"));
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let sort = entry.file_type()?;
            if sort.is_dir() && !hidden {
                self.folder(&entry.path(), depth + 1)?;
            } else if sort.is_file() && !hidden && is_yaml(&entry.path()) {
                self.file(&entry.path())?;
            }
        }
        Ok(())
    }

    /// No more is read than can be used: one byte beyond the limit is enough to say that it is too large.
    fn file(&mut self, path: &Path) -> io::Result<()> {
        if self.files.len() >= FILES_MAX {
            return Err(io::Error::other(format!("more than {FILES_MAX} files")));
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        self.files.insert(shown(path), bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_library_is_clean_and_equals_the_folder() {
        let library = built_in();
        assert_eq!(library.compiled.diagnostics, []);
        assert_eq!(library.compiled.workflows.len(), 13);
        let folder = load(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_FOLDER)));
        assert_eq!(folder.files.len(), library.files.len(), "touch src/library.rs after adding a file");
        let versions = |library: &Library| -> Vec<_> {
            library.compiled.workflows.iter().map(|(_, workflow)| workflow.version()).collect()
        };
        assert_eq!(versions(&folder), versions(&library));
    }

    #[test]
    fn a_lone_workflow_file_stands_on_the_built_in_library() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workflow.yaml");
        let shipped = include_bytes!("../workflows/nmibc-surveillance/workflow.yaml");
        fs::write(&path, shipped).unwrap();
        let library = load_paths(std::slice::from_ref(&path));
        assert_eq!(library.compiled.diagnostics, []);
        assert_eq!(library.compiled.workflows.len(), 1);
        fs::write(&path, String::from_utf8_lossy(shipped).replace("around: cystoscopy", "around: cystoscop"))
            .unwrap();
        let library = load_paths(std::slice::from_ref(&path));
        assert!(library.compiled.workflows.is_empty());
        assert!(library.compiled.diagnostics.iter().all(|found| found.code == "E106"));
    }

    #[test]
    fn a_folder_without_a_standard_stands_on_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workflows/nmibc-surveillance");
        fs::create_dir_all(&path).unwrap();
        let shipped = include_bytes!("../workflows/nmibc-surveillance/workflow.yaml");
        fs::write(path.join("workflow.yaml"), shipped).unwrap();
        let library = load(Some(&folder.path().join("workflows")));
        assert_eq!(library.compiled.diagnostics, []);
        assert_eq!(library.compiled.workflows.len(), 1);
    }

    #[test]
    fn a_lone_story_stands_on_the_workflow_beside_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_FOLDER);
        let library = load_paths(&[root.join("hf-discharge-90d/cases/s1-weight-esc.yaml")]);
        assert_eq!(library.compiled.diagnostics, []);
        assert_eq!(library.compiled.cases.len(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_a_diagnostic() {
        let library = load_paths(&[PathBuf::from("no/such/workflow.yaml")]);
        let codes: Vec<_> = library.compiled.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["E010"]);
    }
}
