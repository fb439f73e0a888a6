//! Where in a text its needs come from, for people who want to know why.

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

impl Place {
    /// What Druid would authorize for it; nothing for what it authorizes otherwise, or not at all.
    #[must_use]
    pub fn need(&self) -> Option<ResourceAction> {
        let (action, resource_type) = match self.role {
            PlaceRole::Datasource | PlaceRole::Appended => (Action::Read, ResourceType::Datasource),
            PlaceRole::View => (Action::Read, ResourceType::View),
            PlaceRole::External => return Some(ResourceAction::new(Action::Read, ResourceType::External, "EXTERNAL")),
            PlaceRole::Target => (Action::Write, ResourceType::Datasource),
            PlaceRole::Export => (Action::Write, ResourceType::External),
            PlaceRole::Lookup | PlaceRole::SystemTable | PlaceRole::WithItem => return None,
        };
        Some(ResourceAction::new(action, resource_type, self.name.as_str()))
    }
}
