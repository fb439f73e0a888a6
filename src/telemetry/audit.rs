//! Where audit records go: one JSON object a line, written by a thread of its own.
//!
//! The queue to it is bounded by places. Where the gate must not serve what it cannot record, a place is taken before
//! anything is sent to Druid, and kept until the record is written.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use http::Method;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::record::timestamp;
use super::{Metrics, Record};
use crate::config::AuditFailure;

/// Records under way or waiting to be written, some 600 bytes each; more than requests may be under way by default.
pub const MAX_WAITING: usize = 16_384;

/// Bytes that are written at once, if so many wait.
const BATCH_BYTES: usize = 64 * 1024;

/// How long records gather before they are written: a wake-up and a write for each one cost a tenth of a small request.
const GATHER: Duration = Duration::from_millis(2);

/// After a failure, writing is tried again with the next record, and this often without.
const RETRY: Duration = Duration::from_secs(1);

/// Takes records.
#[derive(Clone)]
pub struct AuditLog {
    lines: Sender<Line>,
    shared: Arc<Shared>,
}

struct Shared {
    places: Arc<Semaphore>,
    failing: AtomicBool,
    failure: AuditFailure,
    metrics: Metrics,
}

/// The place of one record, until it is written.
pub(super) type Place = OwnedSemaphorePermit;

struct Line {
    text: Vec<u8>,
    place: Place,
}

/// The thread that writes; it ends when the last [`AuditLog`] and [`Record`] are gone.
pub struct AuditWriter(JoinHandle<()>);

impl AuditLog {
    /// Writes to `out`.
    pub fn start(out: impl Write + Send + 'static, failure: AuditFailure, metrics: Metrics) -> (Self, AuditWriter) {
        Self::with_places(MAX_WAITING, out, failure, metrics)
    }

    fn with_places(
        places: usize,
        out: impl Write + Send + 'static,
        failure: AuditFailure,
        metrics: Metrics,
    ) -> (Self, AuditWriter) {
        let (lines, waiting) = channel();
        let places = Arc::new(Semaphore::new(places));
        let shared = Arc::new(Shared { places, failing: AtomicBool::new(false), failure, metrics });
        let writer = Writer { out, waiting, shared: Arc::clone(&shared), pending: Pending::default() };
        (Self { lines, shared }, AuditWriter(std::thread::spawn(move || writer.run())))
    }

    /// The record of a request that begins now.
    #[must_use]
    pub fn record(&self, peer: SocketAddr, method: &Method) -> Record {
        let place = match self.shared.failure {
            AuditFailure::Refuse => self.place(),
            AuditFailure::Report => None,
        };
        Record::begin(self.clone(), place, peer, method)
    }

    /// The record of a connection that ended before there was a request, for this reason.
    pub fn connection(&self, peer: SocketAddr, reason: &'static str) {
        self.shared.metrics.connection_ended(reason);
        let line = ConnectionLine { time: timestamp(SystemTime::now()), peer, connection: reason };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            self.write(line, None);
        }
    }

    /// What is counted beside what is recorded.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Whether requests are served: the last write was good, or need not be.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.serves_with(true)
    }

    /// Whether a request may be served whose record has a place, or has none.
    pub(super) fn serves_with(&self, has_place: bool) -> bool {
        match self.shared.failure {
            AuditFailure::Refuse => has_place && !self.shared.failing.load(Ordering::Relaxed),
            AuditFailure::Report => true,
        }
    }

    fn place(&self) -> Option<Place> {
        Arc::clone(&self.shared.places).try_acquire_owned().ok()
    }

    /// Hands a line to the writer; without a place it is lost, and counted as such.
    pub(super) fn write(&self, text: Vec<u8>, place: Option<Place>) {
        match place.or_else(|| self.place()) {
            // The writer ends only after the last sender.
            Some(place) => drop(self.lines.send(Line { text, place })),
            None => self.shared.metrics.records("lost", 1),
        }
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

struct Writer<W> {
    out: W,
    waiting: Receiver<Line>,
    shared: Arc<Shared>,
    pending: Pending,
}

/// What is still to be written. The first line may be written in part.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Pending {
    fn push(&mut self, line: Line) {
        self.bytes.extend_from_slice(&line.text);
        self.places.push(line.place);
    }
}

impl<W: Write> Writer<W> {
    fn run(mut self) {
        loop {
            let idle = self.pending.bytes.is_empty();
            let first = if idle { self.waiting.recv().map_err(Into::into) } else { self.waiting.recv_timeout(RETRY) };
            match first {
                Ok(line) => self.pending.push(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            std::thread::sleep(GATHER);
            while self.pending.bytes.len() < BATCH_BYTES
                && let Ok(line) = self.waiting.try_recv()
            {
                self.pending.push(line);
            }
            self.write_pending();
        }
        let lost = self.pending.places.len();
        if lost > 0 {
            tracing::error!(lost, "audit records were never written");
        }
    }

    fn write_pending(&mut self) {
        let written = write_all(&mut self.out, &mut self.pending.bytes);
        let failed_before = self.shared.failing.swap(written.is_err(), Ordering::Relaxed);
        match written {
            Ok(()) => {
                self.shared.metrics.records("written", self.pending.places.len());
                self.pending.places.clear();
                if failed_before {
                    tracing::warn!("audit records are written again");
                }
            }
            Err(error) if failed_before => tracing::debug!(%error, "audit records still cannot be written"),
            Err(error) => tracing::error!(%error, "audit records could not be written"),
        }
    }
}

/// Writes and takes away what was written, also where an error follows.
fn write_all(out: &mut impl Write, bytes: &mut Vec<u8>) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => drop(bytes.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A file that can be full.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(bool, Vec<u8>)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().expect("lock");
            if disk.0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn await_that(what: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(10), "it did not come");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    const PEER: &str = "127.0.0.1:1";

    #[test]
    fn a_full_disk_refuses_until_it_is_written_again_and_loses_nothing() {
        let disk = Disk::default();
        let (log, writer) = AuditLog::start(disk.clone(), AuditFailure::Refuse, Metrics::new());
        let peer = PEER.parse().expect("an address");
        assert!(log.record(peer, &Method::GET).has_place());
        disk.0.lock().expect("lock").0 = true;
        drop(log.record(peer, &Method::GET));
        await_that(|| !log.serves());
        assert!(!log.record(peer, &Method::GET).has_place());
        disk.0.lock().expect("lock").0 = false;
        await_that(|| log.serves());
        drop(log);
        writer.finish();
        let disk = disk.0.lock().expect("lock");
        assert_eq!(String::from_utf8_lossy(&disk.1).lines().count(), 3);
    }

    #[test]
    fn without_a_place_a_request_is_refused_and_a_report_is_lost() {
        let peer = PEER.parse().expect("an address");
        let disk = Disk::default();
        disk.0.lock().expect("lock").0 = true;
        let (log, _writer) = AuditLog::with_places(1, disk.clone(), AuditFailure::Refuse, Metrics::new());
        let first = log.record(peer, &Method::GET);
        assert!(first.has_place() && !log.record(peer, &Method::GET).has_place());
        let (log, _writer) = AuditLog::with_places(1, disk, AuditFailure::Report, Metrics::new());
        for _ in 0..3 {
            assert!(log.record(peer, &Method::GET).has_place());
        }
        assert!(log.serves());
    }
}
