//! In the place of a Druid where none is known: what would be asked is kept and told.

use std::sync::{Mutex, PoisonError};

use crate::druid::stored_supervisor::{SupervisorFacts, SupervisorId};
use crate::druid::task::{TaskFacts, TaskId};
use crate::inspect::{LookupFault, TaskDirectory};

/// Answers nothing, and keeps what it was asked first.
#[derive(Debug, Default)]
pub struct NoDruid(Mutex<Option<String>>);

impl NoDruid {
    /// What it was asked, if anything.
    pub fn asked(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, asked: String) -> LookupFault {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(asked);
        LookupFault::Unreachable
    }
}

impl TaskDirectory for NoDruid {
    async fn task(&self, id: &TaskId) -> Result<Option<TaskFacts>, LookupFault> {
        Err(self.keep(format!("the datasource and type of the task [{}]", id.as_str())))
    }

    async fn supervisor(&self, id: &SupervisorId) -> Result<Option<SupervisorFacts>, LookupFault> {
        Err(self.keep(format!("the datasources of the supervisor [{}]", id.as_str())))
    }

    async fn supervisors(&self) -> Result<Vec<(SupervisorId, SupervisorFacts)>, LookupFault> {
        Err(self.keep("all supervisors and their datasources".to_owned()))
    }
}
