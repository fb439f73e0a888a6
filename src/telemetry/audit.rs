//! Where audit records go: one JSON object a line, written by a thread of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use http::Method;
use serde::Serialize;

use super::Record;
use super::record::timestamp;

/// Records that may wait to be written, some 600 bytes each; past it requests wait, and no record is lost.
pub const MAX_WAITING: usize = 16_384;

/// Takes records.
#[derive(Clone)]
pub struct AuditLog {
    lines: SyncSender<String>,
}

/// The thread that writes; it ends when the last [`AuditLog`] and [`Record`] are gone.
pub struct AuditWriter(JoinHandle<()>);

impl AuditLog {
    /// Writes to `out`, flushed whenever nothing more waits.
    pub fn start(mut out: impl Write + Send + 'static) -> (Self, AuditWriter) {
        let (lines, waiting) = sync_channel::<String>(MAX_WAITING);
        let writer = std::thread::spawn(move || {
            while let Ok(first) = waiting.recv() {
                let batch = std::iter::once(first).chain(waiting.try_iter());
                let written = batch.map(|line| out.write_all(line.as_bytes())).collect::<Result<Vec<()>, _>>();
                if let Err(error) = written.and_then(|_| out.flush()) {
                    tracing::error!(%error, "audit records could not be written");
                }
            }
        });
        (Self { lines }, AuditWriter(writer))
    }

    /// The record of a request that begins now.
    #[must_use]
    pub fn record(&self, peer: SocketAddr, method: &Method) -> Record {
        Record::begin(self.clone(), peer, method)
    }

    /// The record of a connection that ended before there was a request, for this reason.
    pub fn connection(&self, peer: SocketAddr, reason: &str) {
        if let Ok(line) = serde_json::to_string(&ConnectionLine { time: timestamp(), peer, connection: reason }) {
            self.write(line + "\n");
        }
    }

    pub(super) fn write(&self, line: String) {
        // The writer ends only after the last sender.
        let _ = self.lines.send(line);
    }
}

#[derive(Serialize)]
struct ConnectionLine<'a> {
    time: String,
    peer: SocketAddr,
    connection: &'a str,
}

impl AuditWriter {
    /// Waits until all is written.
    pub fn finish(self) {
        let _ = self.0.join();
    }
}
