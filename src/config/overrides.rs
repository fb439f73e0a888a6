//! Keys of the configuration that the environment gives: `MSQ_GATE__SECTION__KEY`, `MSQ_GATE__ISSUERS__NAME__KEY`.
//!
//! Each becomes a line after the end of the file, so that it is read, and found faulty, as if it stood there; the fault
//! then names the variable.

use std::ffi::OsString;
use std::path::Path;

use toml::de::DeTable;

use super::{Faults, FileFault};

const PREFIX: &str = "MSQ_GATE__";

/// What the environment gives, in the order of the variables' names.
pub(super) struct Overrides(Vec<Override>);

struct Override {
    variable: String,
    line: String,
}

impl Overrides {
    /// Reads those of the environment that are meant for the gate; the others with what is wrong with their names.
    pub(super) fn read(environment: impl Iterator<Item = (OsString, OsString)>) -> (Self, Faults) {
        let (mut found, mut faults) = (Vec::new(), Faults::default());
        for (variable, value) in environment {
            let variable = variable.to_string_lossy().into_owned();
            let Some(path) = variable.strip_prefix(PREFIX) else { continue };
            match line(path, value) {
                Ok(line) => found.push(Override { variable, line }),
                Err(message) => faults.0.push(fault(&variable, message)),
            }
        }
        found.sort_by(|a, b| a.variable.cmp(&b.variable));
        faults.0.sort_by(|a, b| a.file.cmp(&b.file));
        (Self(found), faults)
    }

    /// The file's text, and after it a line for each override.
    pub(super) fn append_to(&self, file: &str) -> String {
        let mut text = file.to_owned();
        for given in &self.0 {
            text.push('\n');
            text.push_str(&given.line);
        }
        text
    }

    /// Each line as a document of its own, the places in which are those in the text of [`Overrides::append_to`].
    pub(super) fn documents(&self, file: &str) -> Vec<String> {
        let mut at = file.len();
        let document = |given: &Override| {
            let document = " ".repeat(at + 1) + &given.line;
            at = document.len();
            document
        };
        self.0.iter().map(document).collect()
    }

    /// The faults, those of overrides named by their variables.
    pub(super) fn name(&self, file: &str, faults: Faults) -> Faults {
        let lines = file.matches('\n').count() + 1;
        let name = |found: FileFault| {
            let line = found.place.map_or(0, |(line, _)| line);
            let given = line.checked_sub(lines + 1).and_then(|index| self.0.get(index));
            given.map_or_else(|| found.clone(), |given| fault(&given.variable, found.message.clone()))
        };
        Faults(faults.0.into_iter().map(name).collect())
    }
}

fn fault(variable: &str, message: String) -> FileFault {
    FileFault { file: Path::new(variable).to_owned(), place: None, message }
}

/// `section.key = value`, for an issuer with its name between the two; what is no value in TOML is a string.
fn line(path: &str, value: OsString) -> Result<String, String> {
    let path = path.to_ascii_lowercase();
    let words: Vec<&str> = path.split("__").collect();
    match words.as_slice() {
        ["issuers", _, _] => {}
        ["issuers", ..] => return Err(format!("expected {PREFIX}ISSUERS__NAME__KEY, with the name of the issuer")),
        [_, _] => {}
        _ => return Err(format!("expected {PREFIX}SECTION__KEY")),
    }
    let is_bare =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !words.iter().all(is_bare) {
        return Err(format!("expected {PREFIX}SECTION__KEY, of letters, digits and underscores"));
    }
    let value = value.into_string().map_err(|_| "the value is not UTF-8".to_owned())?;
    let is_value = !value.contains(['\n', '\r']) && DeTable::parse(&format!("key = {value}")).is_ok();
    let value = if is_value { value } else { toml::Value::String(value).to_string().replace('\n', "\\n") };
    Ok(format!("{} = {value}", words.join(".")))
}
