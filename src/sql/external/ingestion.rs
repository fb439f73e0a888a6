//! Input sources and formats of tasks, supervisors and samplers: what EXTERN may read, and no more.

use std::collections::BTreeSet;

use super::{DruidSource, ExternalPermission, ExternalRules, Judged};
use crate::json::Json;
use crate::permission::{Action, ResourceAction, ResourceType};

/// Sources that bring nothing in from outside.
const INNER: [&str; 2] = ["druid", "inline"];

impl ExternalRules {
    /// What an input source of a spec takes: READ on the datasource that it reads, and on EXTERNAL for any that is neither
    /// `druid` nor `inline`. By type it is on every type, as Druid has it there. Druid: `InputSource.getTypes`.
    ///
    /// # Errors
    /// [`Objection`](super::Objection).
    pub fn of_spec(&self, source: &Json) -> Judged<BTreeSet<ResourceAction>> {
        // A task is for writing what it reads, so that it may read datasources is not for the setting of EXTERN to say.
        let rules = Self { druid: DruidSource::RequireRead, ..self.clone() };
        let sources = rules.parsed_source(source)?;
        let datasources = sources.datasources.into_iter();
        let mut needs: BTreeSet<ResourceAction> =
            datasources.map(|name| ResourceAction::new(Action::Read, ResourceType::Datasource, name)).collect();
        let counted = |source: &&str| self.permission == ExternalPermission::ByType || !INNER.contains(source);
        needs.extend(sources.types.into_iter().filter(counted).map(|source| self.of_source(source)));
        Ok(needs)
    }

    /// What a source of this type takes that is no input source: a stream, files that Hadoop reads.
    #[must_use]
    pub fn of_source(&self, source_type: &'static str) -> ResourceAction {
        ResourceAction::new(Action::Read, ResourceType::External, self.permission.resource(source_type))
    }

    /// Judges an input format, or an old `parser`.
    ///
    /// # Errors
    /// [`Objection`](super::Objection).
    pub fn format_of_spec(&self, format: &Json) -> Judged {
        self.format_part(format)
    }
}
