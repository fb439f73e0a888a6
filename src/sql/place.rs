//! Where in a text its needs come from, for people who want to know why.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::permission::{Action, ResourceAction, ResourceType};

/// A name, a string or a call that stands for something outside of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Byte offsets of it.
    pub range: Range<usize>,
    /// What it is by where it stands.
    pub role: PlaceRole,
    /// What it names: a table without its schema, a type, a function.
    pub name: String,
    /// What Druid would authorize for it; nothing for what it authorizes otherwise, or not at all.
    pub needs: BTreeSet<ResourceAction>,
}

/// What a name, a string or a call is by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRole {
    /// A datasource in the place of a table.
    Datasource,
    /// A view in the place of a table.
    View,
    /// A lookup in the place of a table.
    Lookup,
    /// A table of `sys` or `INFORMATION_SCHEMA`.
    SystemTable,
    /// A name in the place of a table that an enclosing WITH makes.
    WithItem,
    /// A datasource that APPEND names by a string.
    Appended,
    /// EXTERN, or a function that reads an input source of one type.
    External,
    /// The datasource that INSERT or REPLACE writes.
    Target,
    /// The type of storage that an export writes.
    Export,
}

impl PlaceRole {
    /// What this name in this place needs by itself; a call needs what its arguments say.
    pub(super) fn need(self, name: &str) -> Option<ResourceAction> {
        let (action, resource_type) = match self {
            Self::Datasource | Self::Appended => (Action::Read, ResourceType::Datasource),
            Self::View => (Action::Read, ResourceType::View),
            Self::Target => (Action::Write, ResourceType::Datasource),
            Self::Export => (Action::Write, ResourceType::External),
            Self::External | Self::Lookup | Self::SystemTable | Self::WithItem => return None,
        };
        Some(ResourceAction::new(action, resource_type, name))
    }

    /// The rule by which a place needs what it needs.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Datasource => "a name in the place of a table is a datasource that is read",
            Self::View => "a name of the schema view is a view that is read",
            Self::Lookup => "Druid authorizes no lookup",
            Self::SystemTable => {
                "a system table: one sees the rows that one's grants cover; some take READ STATE, an unknown one READ on all"
            }
            Self::WithItem => "a name that WITH makes is no table",
            Self::Appended => "APPEND reads the datasources that its strings name",
            Self::External => "a function that reads from outside of Druid",
            Self::Target => "INSERT and REPLACE write this datasource; it is not read",
            Self::Export => "an export writes to storage of this type",
        }
    }
}
