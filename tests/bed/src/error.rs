//! What went wrong, and what the person may do about it.

use std::fmt;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, BedError>;

/// A failure in words: each one says the next step.
#[derive(Debug)]
pub struct BedError {
    what: String,
    detail: String,
    next: String,
}

impl BedError {
    /// `what` failed; `next` is what to do now, an imperative sentence without its full stop.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), detail: String::new(), next: next.into() }
    }

    /// The same, showing `detail` (an answer, or the last lines of a log) between the two.
    #[must_use]
    pub fn showing(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same, showing something unless it shows something already.
    #[must_use]
    pub fn or_showing(self, detail: impl FnOnce() -> String) -> Self {
        if self.detail.is_empty() { self.showing(detail()) } else { self }
    }

    /// For `map_err`: the action of which an operating system's error is the reason.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| {
            Self::new(format!("could not {what}: {error}"), "check the path, its permissions and the disk's space")
        }
    }
}

impl fmt::Display for BedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        for line in self.detail.lines() {
            writeln!(f, "  | {line}")?;
        }
        write!(f, "what to do: {}", self.next)
    }
}

impl std::error::Error for BedError {}
