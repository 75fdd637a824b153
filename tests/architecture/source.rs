//! Rust source as the tidy rules see it: without comments and texts, as lines and as paths.

use std::fs;
use std::path::Path;

/// One file.
pub struct Source {
    name: String,
    module: Vec<String>,
    /// The text with comments, strings and characters blanked out, line for line.
    code: String,
}

/// Every Rust file below `folder`, sorted by name.
pub fn sources(folder: &Path) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                found.push(Source::new(&name, &text));
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

impl Source {
    /// The file `name`, relative to the root, with `text` in it.
    pub fn new(name: &str, text: &str) -> Source {
        let module = name.strip_prefix("src/").unwrap_or(name).trim_end_matches(".rs").split('/');
        let module = module.filter(|part| *part != "mod").map(str::to_owned).collect();
        Source { name: name.to_owned(), module, code: blank_texts(text) }
    }

    /// The file's name, relative to the root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The module's path below the crate's root.
    pub fn module(&self) -> &[String] {
        &self.module
    }

    /// How many lines hold code.
    pub fn code_lines(&self) -> usize {
        self.code.lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// The numbers of the lines that contain `what`.
    pub fn lines_with(&self, what: &str) -> impl Iterator<Item = usize> {
        lines_with(&self.code, what).into_iter()
    }

    /// The same, without what is compiled for tests only.
    pub fn product_lines_with(&self, what: &str) -> impl Iterator<Item = usize> {
        lines_with(&self.product_code(), what).into_iter()
    }

    fn product_code(&self) -> String {
        let named_so = self.module.iter().any(|part| part == "tests");
        let only_tests = named_so || self.code.trim_start().starts_with("#![cfg(test)]");
        if only_tests { String::new() } else { blank_tests(&self.code) }
    }

    /// Every path of two or more names in the code, those in the braces of a `use` written out.
    pub fn paths(&self) -> Vec<Vec<String>> {
        paths(&self.code)
    }

    /// The same, without what is compiled for tests only.
    pub fn product_paths(&self) -> Vec<Vec<String>> {
        paths(&self.product_code())
    }

    /// Where `path` points within the crate, from the crate's root; none when it does not say `crate` or `super`.
    pub fn module_of(&self, path: &[String]) -> Option<Vec<String>> {
        if path.first()? == "crate" {
            return Some(path[1..].to_vec());
        }
        let ups = path.iter().take_while(|name| *name == "super").count();
        let kept = self.module.len().checked_sub(ups)?;
        (ups > 0).then(|| [&self.module[..kept], &path[ups..]].concat())
    }
}

fn lines_with(code: &str, what: &str) -> Vec<usize> {
    code.lines().enumerate().filter(|(_, line)| line.contains(what)).map(|(index, _)| index + 1).collect()
}

fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        at = if is_name(tokens[at]) { read_path(&tokens, at, &[], &mut paths) } else { at + 1 };
    }
    paths.retain(|path| path.len() > 1);
    paths
}

/// Reads the path at `at`, adds what it names to `paths` and gives the place after it.
fn read_path(tokens: &[&str], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() {
        if tokens[at] == "{" {
            return read_group(tokens, at + 1, &path, paths);
        }
        if !is_name(tokens[at]) {
            break;
        }
        path.push(tokens[at].to_owned());
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    paths.push(path);
    at
}

fn read_group(tokens: &[&str], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    while at < tokens.len() && tokens[at] != "}" {
        at = match tokens[at] {
            "as" => at + 2, // a name of its own, not one more path
            name if is_name(name) => read_path(tokens, at, before, paths),
            _ => at + 1,
        };
    }
    at + 1
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn tokens(code: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), code.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if is_name(rest) || first.is_ascii_digit() {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

/// Replaces comments, strings and characters by blanks and keeps the line breaks.
fn blank_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let length = text_length(rest, after_name);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment, string or character that `rest` begins with; 0 when it begins with code.
fn text_length(rest: &str, after_name: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if !after_name && let Some(length) = raw_string_length(rest) {
        return length;
    }
    if rest.starts_with('"') {
        return quoted_length(rest, '"');
    }
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) => quoted_length(rest, '\''),
        (Some('\''), Some(inner), Some('\'')) => 2 + inner.len_utf8(),
        _ => 0, // a lifetime, or code
    }
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let prefix = if rest.starts_with("br") { 2 } else { 1 };
    let inner = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(prefix + hashes + 1 + length)
}

/// Blanks out each item under `#[cfg(test)]`.
fn blank_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let (mut kept, mut rest) = (String::new(), code);
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let length = item_length(item);
        kept.extend(item[..length].chars().filter(|c| *c == '\n'));
        rest = &item[length..];
    }
    kept + rest
}

/// Up to the item's `;`, or to the brace that closes its first one.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (index, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return index + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return index + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "a // b\n/* c\n d */ e \"f \\\" g\" 'h' '\\'' r#\"i \" j\"# <'k> for\"l\"";
    let code = blank_texts(text);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "e", "<'k>", "for"]);
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn what_is_compiled_for_tests_only_is_told_apart() {
    let text = "fn a() {}\n#[cfg(test)]\nmod x {\n fn b() { c.unwrap() }\n}\n#[cfg(test)]\nmod tests;\nd.unwrap();\n";
    let source = Source::new("src/app/x.rs", text);
    assert_eq!(source.product_lines_with(".unwrap()").collect::<Vec<_>>(), [8]);
    assert_eq!(source.lines_with(".unwrap()").collect::<Vec<_>>(), [4, 8]);
}

#[test]
fn grouped_uses_are_written_out() {
    let source = Source::new("src/app/x.rs", "use crate::{a::{b, c as d}, e::*}; f::<g::h>(); i::j!();");
    let paths: Vec<String> = source.paths().iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::a::b", "crate::a::c", "crate::e", "g::h", "i::j"]);
}
