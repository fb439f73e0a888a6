//! TOML read by hand, so that every fault of a file is found at once and each has its place.
//!
//! A derived reader stops at the first fault; the person who edits a policy would meet them one by one.

use std::fmt;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

/// `12:5: message`; who knows the file's name puts it before.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// The faults found so far in one text.
pub(crate) struct Report<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
}

impl<'t> Report<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a fault at this byte offset.
    pub(crate) fn add(&mut self, at: usize, message: impl Into<String>) {
        self.found.push((at, message.into()));
    }

    /// The faults, in the order of their places.
    pub(crate) fn into_faults(mut self) -> Vec<Fault> {
        self.found.sort();
        let text = self.text;
        self.found.into_iter().map(|(at, message)| place(text, at, message)).collect()
    }
}

fn place(text: &str, at: usize, message: String) -> Fault {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Fault {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        message,
    }
}

/// What the parser says of a key, or of a section, that is given twice.
const DUPLICATE: &str = "duplicate key";

/// Reads a document and hands its root to `walk`, unless the text is too broken for the walk to say anything useful.
pub(crate) fn read<T>(
    text: &str,
    walk: impl FnOnce(Section<'_>, &mut Report<'_>) -> Option<T>,
) -> (Option<T>, Vec<Fault>) {
    read_with(text, Vec::new(), walk)
}

/// Reads a document whose keys give way to those of the overrides: documents with one `section.key` each, the places in
/// which are places in `text` too, after the end of the document itself.
pub(crate) fn read_with<T>(
    text: &str,
    overrides: Vec<String>,
    walk: impl FnOnce(Section<'_>, &mut Report<'_>) -> Option<T>,
) -> (Option<T>, Vec<Fault>) {
    let mut report = Report::new(text);
    let end = overrides.first().map_or(text.len(), |first| first.len() - first.trim_start().len() - 1);
    let (mut root, errors) = DeTable::parse_recoverable(text.get(..end).unwrap_or(text));
    for given in &overrides {
        let (given, _) = DeTable::parse_recoverable(given);
        put(root.get_mut(), given.into_inner(), &mut report);
    }
    // A key given twice leaves a whole tree to walk; after any other fault of syntax, parts may be missing.
    let whole = errors.iter().all(|error| error.message() == DUPLICATE);
    for error in errors {
        let span = error.span().unwrap_or_default();
        let found = text.get(span.clone()).unwrap_or_default();
        let message = match error.message() {
            DUPLICATE => format!("`{found}` stands twice"),
            other => format!("not TOML: {other}"),
        };
        report.add(span.start, message);
    }
    let made = if whole {
        walk(Section { table: root.get_ref(), at: 0, name: "the file".to_owned() }, &mut report)
    } else {
        None
    };
    let faults = report.into_faults();
    // No result beside faults: nothing half-read is ever in force.
    (made.filter(|_| faults.is_empty()), faults)
}

/// Puts the keys of `given` over those of `table`, sections into sections; into a list of sections by their names.
fn put<'d>(table: &mut DeTable<'d>, given: DeTable<'d>, report: &mut Report<'_>) {
    for (key, value) in given {
        let below = table.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut);
        match (below, value.into_inner()) {
            (Some(DeValue::Table(below)), DeValue::Table(given)) => put(below, given, report),
            (Some(DeValue::Array(below)), DeValue::Table(given)) => {
                for (name, value) in given {
                    let section =
                        below.iter_mut().map(Spanned::get_mut).find(|section| is_named(section, name.get_ref()));
                    match (section, value.into_inner()) {
                        (Some(DeValue::Table(section)), DeValue::Table(given)) => put(section, given, report),
                        _ => report.add(
                            name.span().start,
                            format!("no [[{}]] has the name `{}`", key.get_ref(), name.get_ref()),
                        ),
                    }
                }
            }
            (_, value) => {
                let span = key.span();
                table.remove(key.get_ref().as_ref());
                table.insert(key, Spanned::new(span, value));
            }
        }
    }
}

/// Whether this is a section whose `name` is this one, as variables of the environment write names: in lower case here, and
/// `_` for all that is neither letter nor digit.
fn is_named(section: &DeValue<'_>, name: &str) -> bool {
    let DeValue::Table(section) = section else { return false };
    let own = section.get("name").and_then(|own| own.get_ref().as_str()).unwrap_or_default();
    let written = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    own.chars().map(written).eq(name.chars())
}

/// A string and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Text<'d> {
    pub(crate) text: &'d str,
    pub(crate) at: usize,
}

/// A table and where it stands.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    table: &'d DeTable<'d>,
    at: usize,
    name: String,
}

impl<'d> Section<'d> {
    /// Byte offset of the section's head.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// What to call the section in a message.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `key` is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where `key` stands, or the section if it does not.
    pub(crate) fn place_of(&self, key: &str) -> usize {
        self.table.get_key_value(key).map_or(self.at, |(name, _)| name.span().start)
    }

    /// Refuses every key that is not one of these.
    pub(crate) fn only(&self, keys: &[&str], report: &mut Report<'_>) {
        for (key, _) in self.table {
            if !keys.contains(&key.get_ref().as_ref()) {
                let (key, at) = (key.get_ref(), key.span().start);
                report.add(at, format!("unknown key `{key}` in {}, expected one of: {}", self.name, keys.join(", ")));
            }
        }
    }

    /// The sections below this one, each with its key; `prefix` begins their names in messages.
    pub(crate) fn named_sections(&self, prefix: &str, report: &mut Report<'_>) -> Vec<(Text<'d>, Self)> {
        let mut sections = Vec::new();
        for (key, value) in self.table {
            let key = Text { text: key.get_ref().as_ref(), at: key.span().start };
            if let Some(section) = table(value, key.at, &format!("{prefix}{}", key.text), report) {
                sections.push((key, section));
            }
        }
        sections
    }

    /// The section under `key`.
    pub(crate) fn section(&self, key: &str, report: &mut Report<'_>) -> Option<Self> {
        let (name, value) = self.table.get_key_value(key)?;
        table(value, name.span().start, &format!("[{key}]"), report)
    }

    /// The sections under `key`, written `[[key]]`.
    pub(crate) fn sections(&self, key: &str, report: &mut Report<'_>) -> Vec<Self> {
        let Some((name, value)) = self.table.get_key_value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            let found = kind(value.get_ref());
            report.add(name.span().start, format!("`{key}` is {found}, expected [[{key}]] sections"));
            return Vec::new();
        };
        items.iter().filter_map(|item| table(item, item.span().start, &format!("[[{key}]]"), report)).collect()
    }

    /// The string under `key`, if there is one.
    pub(crate) fn string(&self, key: &str, report: &mut Report<'_>) -> Option<Text<'d>> {
        string(self.table.get(key)?, key, report)
    }

    /// The string under `key`, which must be there.
    pub(crate) fn required_string(&self, key: &str, report: &mut Report<'_>) -> Option<Text<'d>> {
        self.require(key, report);
        self.string(key, report)
    }

    /// The strings under `key`, if it is there; those that are no strings are reported.
    pub(crate) fn strings(&self, key: &str, report: &mut Report<'_>) -> Option<Vec<Text<'d>>> {
        let value = self.table.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            let found = kind(value.get_ref());
            report.add(value.span().start, format!("`{key}` is {found}, expected an array of strings"));
            return None;
        };
        Some(items.iter().filter_map(|item| string(item, &format!("an item of {key}"), report)).collect())
    }

    /// The strings under `key`, which must be there and not be empty.
    pub(crate) fn required_strings(&self, key: &str, report: &mut Report<'_>) -> Vec<Text<'d>> {
        self.require(key, report);
        let is_empty = self.table.get(key).and_then(|value| value.get_ref().as_array()).is_some_and(|a| a.is_empty());
        if is_empty {
            report.add(self.place_of(key), format!("`{key}` is empty, expected at least one string"));
        }
        self.strings(key, report).unwrap_or_default()
    }

    /// The integer under `key`, if it is there; `unit` is told when it is not in the range.
    pub(crate) fn integer(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
        unit: &str,
        report: &mut Report<'_>,
    ) -> Option<u64> {
        let value = self.table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            let (from, to) = (range.start(), range.end());
            report.add(value.span().start, format!("`{key}`: expected an integer from {from} to {to} ({unit})"));
        }
        number
    }

    /// The boolean under `key`, if it is there.
    pub(crate) fn boolean(&self, key: &str, report: &mut Report<'_>) -> Option<bool> {
        let value = self.table.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            let found = kind(value.get_ref());
            report.add(value.span().start, format!("`{key}` is {found}, expected true or false"));
        }
        boolean
    }

    fn require(&self, key: &str, report: &mut Report<'_>) {
        if !self.table.contains_key(key) {
            report.add(self.at, format!("missing key `{key}` in {}", self.name));
        }
    }
}

fn table<'d>(value: &'d Spanned<DeValue<'d>>, at: usize, name: &str, report: &mut Report<'_>) -> Option<Section<'d>> {
    if let DeValue::Table(table) = value.get_ref() {
        return Some(Section { table, at, name: name.to_owned() });
    }
    report.add(at, format!("`{name}` is {}, expected a section", kind(value.get_ref())));
    None
}

fn string<'d>(value: &'d Spanned<DeValue<'d>>, name: &str, report: &mut Report<'_>) -> Option<Text<'d>> {
    let at = value.span().start;
    match value.get_ref().as_str() {
        None => {
            report.add(at, format!("`{name}` is {}, expected a string", kind(value.get_ref())));
            None
        }
        Some("") => {
            report.add(at, format!("`{name}` is empty"));
            None
        }
        Some(text) => Some(Text { text, at }),
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a section",
    }
}
