//! What a caller may do: roles, who has them, and the one place where a need meets them.
//!
//! Permissions are allow-only and nothing is granted by default. Druid: `org.apache.druid.server.security.Authorizer`.

#![deny(clippy::wildcard_enum_match_arm)]

mod file;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use crate::toml_reader::Fault;
pub use pattern::NamePattern;

use crate::auth::Identity;
use crate::permission::{Action, Need, Permissions, ResourceAction, ResourceType};

/// What a role grants: an action on the resources of a type whose names a pattern covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The type of the resources.
    pub resource_type: ResourceType,
    /// Their names.
    pub pattern: NamePattern,
    /// The action on them. WRITE does not imply READ.
    pub action: Action,
}

impl Grant {
    fn to_line(&self) -> String {
        format!("{}|{}|{}", self.resource_type.as_str(), self.pattern.as_str(), self.action.as_str())
    }

    /// Whether it gives this permission.
    #[must_use]
    pub fn allows(&self, wanted: &ResourceAction) -> bool {
        let ResourceAction { resource_type, name, action } = wanted;
        self.action == *action && self.resource_type == *resource_type && self.pattern.covers(name)
    }
}

/// As the policy writes it: `READ DATASOURCE wiki*`.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.action.as_str(), self.resource_type.as_str(), self.pattern.as_str())
    }
}

/// Who gets the roles of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Who is in this group.
    Group(String),
    /// Who is this subject.
    Subject(String),
}

/// A role that a caller has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<'p> {
    /// Its name.
    pub role: &'p str,
    /// What gives it to the caller, each once, in the order of the policy.
    pub by: Vec<&'p Holder>,
    /// What it grants.
    pub grants: &'p [Grant],
}

#[derive(Clone, Debug)]
struct Binding {
    issuer_name: String,
    holder: Holder,
    roles: Vec<String>,
}

impl Binding {
    fn applies_to(&self, identity: &Identity) -> bool {
        self.issuer_name == identity.issuer_name()
            && match &self.holder {
                Holder::Group(group) => identity.groups().contains(group),
                Holder::Subject(subject) => identity.subject() == subject,
            }
    }
}

/// Roles and who has them. The empty policy denies everything but what needs an identity only.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    roles: BTreeMap<String, Arc<[Grant]>>,
    bindings: Vec<Binding>,
}

impl Policy {
    /// Reads a policy file; `issuer_names` are the configured issuers, one of which each binding must name.
    ///
    /// # Errors
    /// Every fault of the text, in the order of their places.
    pub fn parse(text: &str, issuer_names: &[String]) -> Result<Self, Vec<Fault>> {
        file::parse(text, Some(issuer_names))
    }

    /// Reads a policy file of which no configuration is known: a binding may name any issuer.
    ///
    /// # Errors
    /// Every fault of the text, in the order of their places.
    pub fn parse_alone(text: &str) -> Result<Self, Vec<Fault>> {
        file::parse(text, None)
    }

    /// How many roles and bindings there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.roles.len(), self.bindings.len())
    }

    /// The names of the caller's roles, sorted.
    #[must_use]
    pub fn roles_of(&self, identity: &Identity) -> Vec<&str> {
        let names: BTreeSet<&str> = self
            .bindings
            .iter()
            .filter(|binding| binding.applies_to(identity))
            .flat_map(|binding| binding.roles.iter().map(String::as_str))
            .collect();
        names.into_iter().collect()
    }

    /// The caller's roles, sorted by name, each with what gives it and what it grants.
    #[must_use]
    pub fn held_by(&self, identity: &Identity) -> Vec<Held<'_>> {
        let by = |role: &str| {
            let bindings = self.bindings.iter().filter(|binding| binding.applies_to(identity));
            let mut holders: Vec<&Holder> = Vec::new();
            for binding in bindings.filter(|binding| binding.roles.iter().any(|name| name == role)) {
                if !holders.contains(&&binding.holder) {
                    holders.push(&binding.holder);
                }
            }
            holders
        };
        let held = self.roles.iter().map(|(role, grants)| Held { role, by: by(role), grants });
        held.filter(|held| !held.by.is_empty()).collect()
    }

    /// The issuers that its bindings name, each once.
    #[must_use]
    pub fn issuer_names(&self) -> BTreeSet<&str> {
        self.bindings.iter().map(|binding| binding.issuer_name.as_str()).collect()
    }

    /// What the caller's roles grant, taken together.
    #[must_use]
    pub fn grants_of(&self, identity: &Identity) -> Grants {
        Grants(self.roles_of(identity).into_iter().filter_map(|role| self.roles.get(role).cloned()).collect())
    }

    /// Decides whether the caller may have what `subject` needs.
    ///
    /// # Errors
    /// [`Denied`], with every permission that the caller lacks, or with why the subject cannot be narrowed.
    pub fn authorize<S: Subject>(
        &self,
        mut subject: S,
        identity: &Identity,
    ) -> Result<Authorized<S>, Denied<S::Refusal>> {
        let grants = self.grants_of(identity);
        let missing: BTreeSet<ResourceAction> = match subject.need() {
            Need::AnyIdentity => BTreeSet::new(),
            Need::AllOf(permissions) => permissions.iter().filter(|wanted| !grants.allows(wanted)).cloned().collect(),
        };
        if let Some(missing) = Permissions::from_set(missing) {
            return Err(Denied::Missing(missing));
        }
        subject.narrow(&grants).map_err(Denied::Unnarrowed)?;
        Ok(Authorized { subject, grants })
    }
}

/// Something that needs permissions before it may happen.
pub trait Subject {
    /// Why it cannot be narrowed.
    type Refusal;

    /// What its caller must hold.
    fn need(&self) -> &Need;

    /// Leaves of it what a caller who holds these may see.
    ///
    /// # Errors
    /// Where that cannot be done.
    fn narrow(&mut self, grants: &Grants) -> Result<(), Self::Refusal>;
}

/// A subject whose need was met, narrowed to what its caller may see. Only [`Policy::authorize`] makes one, so having one is the proof.
///
/// ```compile_fail,E0451
/// # use msq_gate::policy::Authorized;
/// fn forge<S>(subject: S) -> Authorized<S> {
///     Authorized { subject, grants: Default::default() }
/// }
/// ```
#[must_use]
#[derive(Debug)]
pub struct Authorized<S> {
    subject: S,
    grants: Grants,
}

impl<S> Authorized<S> {
    /// What was authorized.
    pub const fn subject(&self) -> &S {
        &self.subject
    }

    /// What was authorized, and what its caller holds: an answer may show no more than that.
    pub fn into_parts(self) -> (S, Grants) {
        (self.subject, self.grants)
    }
}

/// Why a subject is not authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied<R> {
    /// Every permission that the caller lacks, sorted.
    Missing(Permissions),
    /// The need was met, but the subject cannot be narrowed.
    Unnarrowed(R),
}

/// What one caller holds, resolved from the policy in force.
#[derive(Clone, Debug, Default)]
pub struct Grants(Vec<Arc<[Grant]>>);

impl Grants {
    /// Whether the caller holds this permission.
    #[must_use]
    pub fn allows(&self, wanted: &ResourceAction) -> bool {
        self.iter().any(|grant| grant.allows(wanted))
    }

    /// The patterns of the resources of a type on which the caller may do this, without those that another covers; no
    /// more than `limit` and one.
    #[must_use]
    pub fn patterns(&self, action: Action, resource_type: ResourceType, limit: usize) -> Vec<&NamePattern> {
        let granted = self.iter().filter(|grant| grant.action == action && grant.resource_type == resource_type);
        let patterns: BTreeSet<&NamePattern> = granted.map(|grant| &grant.pattern).collect();
        pattern::merged(patterns, limit)
    }

    /// The single grants, role by role; one that two roles give comes twice.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter().flat_map(|role| role.iter())
    }

    /// The single grants as `DATASOURCE|wiki*|READ`, sorted, each once: equal for callers who may do the same by the same
    /// words.
    #[must_use]
    pub fn to_lines(&self) -> BTreeSet<String> {
        self.iter().map(Grant::to_line).collect()
    }
}

#[cfg(test)]
mod tests;
