//! What the gate tells of itself: the audit record of each request, and the log.

mod audit;
mod record;

pub use audit::{AuditLog, AuditWriter};
pub use record::Record;

/// Sends the log to standard error, one JSON object a line.
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
}
