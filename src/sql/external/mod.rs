//! EXTERN and its like: what an input source may read, and what that needs.

use std::collections::BTreeSet;
use std::fmt;

use super::refusal::RefusalCode;
use crate::permission::{Action, ResourceAction, ResourceType};

mod destination;
mod host;
mod ingestion;
mod input_format;
mod input_source;
mod place;
#[cfg(test)]
mod tests;
mod uri;

pub use destination::{Destinations, MAX_DESTINATIONS};

/// What EXTERN may read, and what it takes. The default is what holds where nothing is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalRules {
    /// What becomes of input sources of type `druid`.
    pub druid: DruidSource,
    /// Which permissions input sources need.
    pub permission: ExternalPermission,
    /// All that may be read. Where there is none, anything but what an address, or a name for one, says to be the
    /// machine that reads, its link, or where a cloud tells it its secrets.
    pub destinations: Option<Destinations>,
}

/// What becomes of input sources of type `druid`, for which Druid asks no permission on the datasource that they read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DruidSource {
    /// They are refused.
    #[default]
    Refuse,
    /// They need READ on the datasource too.
    RequireRead,
}

/// Which permissions input sources need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExternalPermission {
    /// READ EXTERNAL EXTERNAL, whatever their type.
    #[default]
    AnyType,
    /// READ EXTERNAL *type* for each type. Druid: `druid.auth.enableInputSourceSecurity`, `InputSource.getTypes`.
    ByType,
}

/// What an input source reads.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Its types: of one that combines others, theirs.
    pub types: BTreeSet<&'static str>,
    /// The datasources of Druid that it reads.
    pub datasources: BTreeSet<String>,
}

impl Sources {
    /// What reading them needs.
    pub fn resources(&self, permission: ExternalPermission) -> impl Iterator<Item = ResourceAction> {
        let read = |kind: ResourceType, name: &str| ResourceAction::new(Action::Read, kind, name);
        let types = self.types.iter().map(move |source| read(ResourceType::External, permission.resource(source)));
        types.chain(self.datasources.iter().map(move |name| read(ResourceType::Datasource, name)))
    }
}

/// Why an input source is refused; says nothing of what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Objection {
    /// The reason, as a word for machines.
    pub code: RefusalCode,
    /// One sentence.
    pub message: String,
}

type Judged<T = ()> = Result<T, Objection>;

impl ExternalPermission {
    /// The name of the resource of type EXTERNAL on which a source of this type needs READ.
    /// Druid: `DruidExternTableMacro.computeResources`.
    pub(super) const fn resource(self, source_type: &'static str) -> &'static str {
        match self {
            Self::AnyType => "EXTERNAL",
            Self::ByType => source_type,
        }
    }
}

impl Objection {
    fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn json(instead: impl fmt::Display) -> Self {
        Self::new(RefusalCode::ExternalJson, format!("EXTERN's JSON is not what Druid takes; write {instead}"))
    }
}
