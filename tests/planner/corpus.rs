//! Statements in text files: blocks between lines of three hyphens, each with a few `name: value` lines before it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Names of lines that may stand before a statement, of this corpus and of the reading's own.
const NAMES: [&str; 9] = ["rule", "mutant", "27", "33", "parameter", "expect", "refused", "druid27", "why"];

/// One block.
#[derive(Clone, Debug)]
pub struct Case {
    /// File and line, for messages.
    pub at: String,
    pub headers: Vec<(String, String)>,
    pub sql: String,
}

impl Case {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: String) {
        self.headers.retain(|(header, _)| header != name);
        self.headers.push((name.to_owned(), value));
    }

    pub fn parameters(&self) -> Vec<String> {
        let values = self.headers.iter().filter(|(header, _)| header == "parameter");
        values.map(|(_, value)| value.clone()).collect()
    }
}

/// A file of cases, with the comment at its top.
pub struct File {
    pub path: PathBuf,
    pub top: String,
    pub cases: Vec<Case>,
}

pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All files of `tests/corpus/hand`.
pub fn hand() -> Vec<File> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory().join("hand")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

pub fn read(path: &Path) -> File {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let mut blocks = text.strip_suffix('\n').unwrap_or(&text).split("\n---\n");
    let top = blocks.next().unwrap_or_default().to_owned();
    let mut line = top.lines().count() + 2;
    let cases = blocks.map(|block| {
        let case = case(block, format!("{name}:{line}"));
        line += block.lines().count() + 1;
        case
    });
    File { path: path.to_owned(), cases: cases.collect(), top }
}

fn case(block: &str, at: String) -> Case {
    let mut headers = Vec::new();
    let mut rest = block;
    while let Some((name, value)) = rest.split('\n').next().unwrap_or_default().split_once(':')
        && NAMES.contains(&name)
    {
        headers.push((name.to_owned(), value.trim_start().to_owned()));
        rest = rest.split_once('\n').map_or("", |(_, after)| after);
    }
    // Signs for characters that editors do not keep.
    let sql = rest.replace('␍', "\r").replace('␌', "\x0c").replace('␉', "\t");
    Case { at, headers, sql }
}

/// The text of a file, its headers in one order.
pub fn render(file: &File) -> String {
    let mut text = file.top.clone();
    text.push('\n');
    for case in &file.cases {
        text.push_str("---\n");
        let mut headers = case.headers.clone();
        headers.sort_by_key(|(header, _)| NAMES.iter().position(|name| name == header));
        for (name, value) in headers {
            writeln!(text, "{name}: {value}").unwrap();
        }
        text.push_str(&case.sql.replace('\r', "␍").replace('\x0c', "␌").replace('\t', "␉"));
        text.push('\n');
    }
    text
}

/// The rules, one a line: a word and what it says.
pub fn rules() -> Vec<(String, String)> {
    let text = fs::read_to_string(directory().join("rules.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_once(' ').map(|(id, rule)| (id.to_owned(), rule.trim().to_owned())).unwrap()).collect()
}
