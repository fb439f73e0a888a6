//! What inspection asks of Druid, and how that may fail.

use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::{TaskFacts, TaskId};

/// Where the gate learns of a task or supervisor what decides who may touch it.
pub trait TaskDirectory: Sync {
    /// What is stored with the task; nothing if no task has this id.
    fn task(&self, id: &TaskId) -> impl Future<Output = Result<Option<TaskFacts>, LookupFault>> + Send;

    /// What the supervisor's spec says; nothing if no supervisor has this id.
    fn supervisor(
        &self,
        id: &SupervisorId,
    ) -> impl Future<Output = Result<Option<SupervisorFacts>, LookupFault>> + Send;

    /// The same of every supervisor that there is.
    fn supervisors(&self) -> impl Future<Output = Result<Vec<(SupervisorId, SupervisorFacts)>, LookupFault>> + Send;
}

/// Why a task or supervisor could not be looked up: never a reason to let a request pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupFault {
    /// Druid did not answer in time, or not at all.
    #[error("Druid could not be asked for the datasource")]
    Unreachable,
    /// Druid answered what the gate cannot read.
    #[error("Druid's answer does not tell the datasource")]
    Unreadable,
}
