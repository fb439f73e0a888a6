//! Who a caller is, once a token has proved it. Holds no reading and no clock.

use std::time::SystemTime;

/// An authenticated caller: (issuer, subject). Only `auth` makes one.
///
/// ```compile_fail
/// let forged = msq_gate::auth::Identity { subject: "root".to_owned() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(in crate::auth) issuer_name: String,
    pub(in crate::auth) issuer: String,
    pub(in crate::auth) subject: String,
    pub(in crate::auth) name: String,
    pub(in crate::auth) groups: Vec<String>,
    pub(in crate::auth) expires_at: SystemTime,
}

impl Identity {
    /// The issuer's name in the configuration, to which policy bindings refer.
    #[must_use]
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }

    /// The issuer's own identifier, the `iss` claim (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `sub` claim (RFC 7519 section 4.1.2): unique within the issuer, at most 256 bytes, no control characters.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What to call the caller. Only shown: two callers may bear one name, so nothing is decided by it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups that the issuer says the caller is in.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The `exp` claim, leeway not added: nothing made from the token may outlive it.
    #[must_use]
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// An identity for the unit tests of other rooms; its `iss` is `https://issuer.example/` and the issuer's name.
    #[cfg(test)]
    pub(crate) fn for_tests(issuer_name: &str, subject: &str, groups: &[&str]) -> Self {
        Self {
            issuer_name: issuer_name.to_owned(),
            issuer: format!("https://issuer.example/{issuer_name}"),
            subject: subject.to_owned(),
            name: subject.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            expires_at: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000),
        }
    }
}
