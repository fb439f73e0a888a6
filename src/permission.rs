//! The words of a decision: resources, actions, and what a request needs.
//!
//! Druid: `org.apache.druid.server.security.{Resource, Action, ResourceAction, ResourceType}`.

#![deny(clippy::wildcard_enum_match_arm)]

use std::collections::BTreeSet;
use std::fmt;

/// The seven resource types of Druid, in alphabetical order (the order in which lists are sorted).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// Dynamic configuration; its only resource is named `CONFIG`.
    Config,
    /// A datasource, by its name.
    Datasource,
    /// External data; the resource is named `EXTERNAL`, or after the type of an input source or export.
    External,
    /// A query context parameter, by its key.
    QueryContext,
    /// The state of the cluster; its only resource is named `STATE`.
    State,
    /// A table of the `sys` schema.
    SystemTable,
    /// A view, by its name.
    View,
}

impl ResourceType {
    /// All types, sorted.
    pub const ALL: [Self; 7] = [
        Self::Config,
        Self::Datasource,
        Self::External,
        Self::QueryContext,
        Self::State,
        Self::SystemTable,
        Self::View,
    ];

    /// Druid's own word for the type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "CONFIG",
            Self::Datasource => "DATASOURCE",
            Self::External => "EXTERNAL",
            Self::QueryContext => "QUERY_CONTEXT",
            Self::State => "STATE",
            Self::SystemTable => "SYSTEM_TABLE",
            Self::View => "VIEW",
        }
    }

    /// The type that Druid calls by this word; case-sensitive.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What a permission lets one do. WRITE does not imply READ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// READ
    Read,
    /// WRITE
    Write,
}

impl Action {
    /// Druid's own word for the action.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Write => "WRITE",
        }
    }

    /// The action that Druid calls by this word; case-sensitive.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|action| action.as_str() == word)
    }
}

/// Which resources of a type a need is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName {
    /// Every resource of the type, present and future: only a grant on `*` satisfies it.
    Every,
    /// The resource of exactly this name (case-sensitive; `*` is an ordinary character here).
    Exactly(String),
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Exactly(name) => f.write_str(name),
        }
    }
}

/// One permission: an action on a resource. Ordered by type, name, action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAction {
    /// The type of the resource.
    pub resource_type: ResourceType,
    /// The name of the resource.
    pub name: ResourceName,
    /// The action on it.
    pub action: Action,
}

impl ResourceAction {
    /// `action` on the resource of this type and exactly this name.
    pub fn new(action: Action, resource_type: ResourceType, name: impl Into<String>) -> Self {
        Self { resource_type, name: ResourceName::Exactly(name.into()), action }
    }

    /// `action` on every resource of this type.
    #[must_use]
    pub const fn every(action: Action, resource_type: ResourceType) -> Self {
        Self { resource_type, name: ResourceName::Every, action }
    }

    /// The form for machines: `DATASOURCE|wiki|WRITE`.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{}|{}|{}", self.resource_type.as_str(), self.name, self.action.as_str())
    }
}

/// The form for people: `WRITE DATASOURCE wiki`.
impl fmt::Display for ResourceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.action.as_str(), self.resource_type.as_str(), self.name)
    }
}

/// A set of permissions that cannot be empty, so that none required is never mistaken for all held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions(BTreeSet<ResourceAction>);

impl Permissions {
    /// The set, or nothing if it is empty.
    #[must_use]
    pub fn from_set(set: BTreeSet<ResourceAction>) -> Option<Self> {
        if set.is_empty() { None } else { Some(Self(set)) }
    }

    /// The set of this one permission.
    #[must_use]
    pub fn one(permission: ResourceAction) -> Self {
        Self(BTreeSet::from([permission]))
    }

    /// The permissions, sorted by type, name, action.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceAction> {
        self.0.iter()
    }

    /// `WRITE DATASOURCE wiki, READ EXTERNAL EXTERNAL`
    #[must_use]
    pub fn to_sentence(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// What a request needs of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be authenticated, and nothing more.
    AnyIdentity,
    /// Every one of these permissions.
    AllOf(Permissions),
}

impl Need {
    /// The need of a request for which `set` was found; an empty set needs an identity only.
    #[must_use]
    pub fn from_set(set: BTreeSet<ResourceAction>) -> Self {
        Permissions::from_set(set).map_or(Self::AnyIdentity, Self::AllOf)
    }

    /// The permissions needed, sorted; none for [`Need::AnyIdentity`].
    pub fn permissions(&self) -> impl Iterator<Item = &ResourceAction> {
        let permissions = match self {
            Self::AnyIdentity => None,
            Self::AllOf(permissions) => Some(permissions),
        };
        permissions.into_iter().flat_map(Permissions::iter)
    }
}
