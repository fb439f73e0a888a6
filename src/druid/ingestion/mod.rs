//! Specs that make Druid read and write: tasks, supervisors, samplers.
//!
//! Druid itself asks for little more than WRITE on the datasource that a spec names first; what else it reads, and whose
//! place it takes, is found here. Each key that Druid reads a datasource or a source from is known by its place; what looks
//! like one anywhere else is refused.

mod parts;
pub mod sampler;
pub mod supervisor;
pub mod task;

use std::collections::BTreeSet;

use super::naming::{MAX_DATASOURCES, OddBody};
use super::sql_query::SqlQuery;
use crate::json::Json;

/// What a spec does, as far as it takes permissions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ingestion<'j> {
    /// The type of the spec.
    pub kind: &'static str,
    /// The datasources that are written to.
    pub writes: BTreeSet<String>,
    /// The datasources that are read.
    pub reads: BTreeSet<String>,
    /// Types of sources that are no input sources: `kafka`, `hadoop`.
    pub sources: BTreeSet<&'static str>,
    /// The input sources, still to be judged.
    pub input_sources: Vec<&'j Json>,
    /// The input formats, likewise.
    pub input_formats: Vec<&'j Json>,
    /// The ids of supervisors whose place the spec would take.
    pub replaces: BTreeSet<String>,
    /// The SQL that is run.
    pub statement: Option<SqlQuery>,
}

impl Ingestion<'_> {
    fn of_kind(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }

    fn check(self) -> Result<Self, OddBody> {
        if self.writes.len() + self.reads.len() > MAX_DATASOURCES {
            return Err(OddBody::TooManyDatasources);
        }
        Ok(self)
    }
}
