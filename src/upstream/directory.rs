//! The reads that the gate makes for itself: the datasource and type of a task, the datasources of supervisors.
//!
//! None carries a caller's bytes but an id that was validated. What was found of a task is kept for a while; what was not
//! found is asked again, since a task may come to be. Look-ups of one id that come together are one. A supervisor may
//! change its datasources, so nothing of it is kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::OnceCell;

use super::tally::Lookup;
use super::{Upstream, UpstreamFault};
use crate::druid::path_segment;
use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::{TaskFacts, TaskId};
use crate::inspect::{LookupFault, TaskDirectory};

/// How long a found task is believed: its datasource and type never change, but ids may be reused once forgotten.
pub const KEEP_FOUND: Duration = Duration::from_mins(10);

/// Tasks kept: some 300 bytes each.
pub const MAX_KEPT: usize = 10_000;

/// Bytes of a look-up's answer; an `errorMsg` in it may be long.
pub const MAX_LOOKUP_BODY: usize = 1024 * 1024;

/// Bytes of the specs of all supervisors: a spec is a few KB, and a cluster has hundreds of them.
pub const MAX_SUPERVISORS_BODY: usize = 16 * 1024 * 1024;

/// Looks tasks and supervisors up in Druid.
pub struct Directory {
    upstream: Upstream,
    patience: Duration,
    kept: Mutex<Kept>,
}

type Cell = Arc<OnceCell<Result<TaskFacts, NotFound>>>;

#[derive(Default)]
struct Kept {
    cells: HashMap<TaskId, (Instant, Cell)>,
    /// Ids in the order in which they came, the oldest first.
    order: VecDeque<(Instant, TaskId)>,
}

/// Why there is nothing to tell: the task is not there, or could not be asked for.
#[derive(Clone, Copy)]
enum NotFound {
    Unknown,
    Fault(LookupFault),
}

impl Directory {
    /// Over these connections; `patience` is the wait for the whole of an answer.
    #[must_use]
    pub fn new(upstream: Upstream, patience: Duration) -> Self {
        Self { upstream, patience, kept: Mutex::default() }
    }

    fn cell(&self, id: &TaskId) -> Cell {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.cell(id, Instant::now())
    }

    fn forget(&self, id: &TaskId, cell: &Cell) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.cells.get(id).is_some_and(|(_, current)| Arc::ptr_eq(current, cell)) {
            kept.cells.remove(id);
        }
    }

    async fn ask(&self, id: &TaskId) -> Result<TaskFacts, NotFound> {
        let target = format!("/druid/indexer/v1/task/{}/status", path_segment(id.as_str()));
        let body = self.read(&target, MAX_LOOKUP_BODY).await?;
        TaskFacts::from_status(id, &body).ok_or(NotFound::Fault(LookupFault::Unreadable))
    }

    async fn read(&self, target: &str, limit: usize) -> Result<Bytes, NotFound> {
        tokio::time::timeout(self.patience, self.read_druid(target, limit))
            .await
            .unwrap_or(Err(NotFound::Fault(LookupFault::Unreachable)))
    }

    async fn read_druid(&self, target: &str, limit: usize) -> Result<Bytes, NotFound> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let answer = self.upstream.send(&Method::GET, target, headers, None).await.map_err(|fault| match fault {
            UpstreamFault::Unreachable | UpstreamFault::Slow => NotFound::Fault(LookupFault::Unreachable),
            UpstreamFault::OwnAccountRefused
            | UpstreamFault::NoLeader
            | UpstreamFault::Upgrade
            | UpstreamFault::Redirect => NotFound::Fault(LookupFault::Unreadable),
        })?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(NotFound::Unknown),
            status => {
                tracing::error!(status = status.as_u16(), "Druid did not tell the datasource of a task or supervisor");
                return Err(NotFound::Fault(LookupFault::Unreadable));
            }
        }
        let body = Limited::new(answer.into_body(), limit).collect().await;
        Ok(body.map_err(|_| NotFound::Fault(LookupFault::Unreadable))?.to_bytes())
    }

    /// What was read, counted.
    fn told<T>(&self, read: Result<T, NotFound>) -> Result<Option<T>, LookupFault> {
        match read {
            Ok(found) => {
                self.upstream.lookups.count(Lookup::Found);
                Ok(Some(found))
            }
            Err(NotFound::Unknown) => {
                self.upstream.lookups.count(Lookup::Unknown);
                Ok(None)
            }
            Err(NotFound::Fault(fault)) => {
                self.upstream.lookups.count(Lookup::Failed);
                Err(fault)
            }
        }
    }
}

impl TaskDirectory for Directory {
    async fn task(&self, id: &TaskId) -> Result<Option<TaskFacts>, LookupFault> {
        let cell = self.cell(id);
        if let Some(Ok(facts)) = cell.get() {
            self.upstream.lookups.count(Lookup::Cached);
            return Ok(Some(facts.clone()));
        }
        let read = cell.get_or_init(|| self.ask(id)).await.clone();
        if read.is_err() {
            // Whoever waited for this look-up shares its answer; whoever comes later asks again.
            self.forget(id, &cell);
        }
        self.told(read)
    }

    async fn supervisor(&self, id: &SupervisorId) -> Result<Option<SupervisorFacts>, LookupFault> {
        let target = format!("/druid/indexer/v1/supervisor/{}", path_segment(id.as_str()));
        let facts = self
            .read(&target, MAX_LOOKUP_BODY)
            .await
            .and_then(|body| SupervisorFacts::from_answer(&body).ok_or(NotFound::Fault(LookupFault::Unreadable)));
        self.told(facts)
    }

    async fn supervisors(&self) -> Result<Vec<(SupervisorId, SupervisorFacts)>, LookupFault> {
        let target = "/druid/indexer/v1/supervisor?full=";
        let all = self
            .read(target, MAX_SUPERVISORS_BODY)
            .await
            .and_then(|body| SupervisorFacts::all_from_answer(&body).ok_or(NotFound::Fault(LookupFault::Unreadable)));
        self.told(all)?.ok_or(LookupFault::Unreadable)
    }
}

impl Kept {
    /// The cell of the id, new if there is none that is believed still.
    fn cell(&mut self, id: &TaskId, now: Instant) -> Cell {
        self.drop_old(now);
        if let Some((_, cell)) = self.cells.get(id) {
            return Arc::clone(cell);
        }
        let cell = Cell::default();
        self.cells.insert(id.clone(), (now, Arc::clone(&cell)));
        self.order.push_back((now, id.clone()));
        cell
    }

    fn drop_old(&mut self, now: Instant) {
        while let Some((since, id)) = self.order.front() {
            if now.duration_since(*since) < KEEP_FOUND && self.order.len() < MAX_KEPT {
                return;
            }
            // An id that was forgotten and came again has a younger cell than this entry: leave that one.
            if self.cells.get(id).is_some_and(|(born, _)| born == since) {
                self.cells.remove(id);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> TaskId {
        TaskId::new(&format!("t{n}")).expect("valid")
    }

    #[test]
    fn a_cell_is_shared_until_it_is_old() {
        let mut kept = Kept::default();
        let start = Instant::now();
        let first = kept.cell(&id(1), start);
        assert!(Arc::ptr_eq(&first, &kept.cell(&id(1), start + KEEP_FOUND - Duration::from_secs(1))));
        assert!(!Arc::ptr_eq(&first, &kept.cell(&id(1), start + KEEP_FOUND)));
    }

    #[test]
    fn the_oldest_make_place() {
        let mut kept = Kept::default();
        let now = Instant::now();
        let first = kept.cell(&id(0), now);
        for n in 1..MAX_KEPT + 5 {
            kept.cell(&id(n), now);
        }
        assert!(kept.cells.len() <= MAX_KEPT && kept.order.len() <= MAX_KEPT);
        assert!(!Arc::ptr_eq(&first, &kept.cell(&id(0), now)));
    }
}
