//! What the gate tells of itself: the audit record of each request, the metrics, and the log.

mod audit;
mod file;
mod metrics;
mod panics;
mod record;
#[cfg(test)]
pub(crate) mod sink;

use std::io::{self, Write};
use std::os::fd::AsFd;

pub use audit::{AuditLog, AuditWriter, MAX_WAITING};
pub use metrics::{MEDIA_TYPE, Metrics, Open};
pub use record::{Record, timestamp};

use crate::config::AuditOut;

/// Opens what audit records are written to.
///
/// # Errors
/// A file that cannot be opened for appending.
pub fn audit_out(out: &AuditOut) -> io::Result<Box<dyn Write + Send>> {
    match out {
        // Not through the buffer of the standard library, which would hide what could not be written.
        AuditOut::Stdout => Ok(Box::new(std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?))),
        AuditOut::File { path, max_bytes, keep } => Ok(Box::new(file::RotatingFile::open(path, *max_bytes, *keep)?)),
    }
}

/// Sends the log to standard error, one JSON object a line; panics too.
pub fn log_to_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .with_writer(std::io::stderr)
        .finish();
    // Only a second call could fail, and the first one's log is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(panics::log));
}
