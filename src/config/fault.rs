//! What is wrong with the configuration. Whose fault: the operator's, who may read all of it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::toml_reader;

/// One fault and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The file as it was named.
    pub file: PathBuf,
    /// Line and column, from 1; none if the file could not be read.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what was expected.
    pub message: String,
}

/// `gate.toml:12:5: message`
impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// All that is wrong; one a line when displayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<FileFault>);

impl Faults {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn unreadable(file: &Path, message: String) -> Self {
        Self(vec![FileFault { file: file.to_owned(), place: None, message }])
    }

    pub(super) fn within(file: &Path, faults: Vec<toml_reader::Fault>) -> Self {
        let locate = |fault: toml_reader::Fault| FileFault {
            file: file.to_owned(),
            place: Some((fault.line, fault.column)),
            message: fault.message,
        };
        Self(faults.into_iter().map(locate).collect())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
