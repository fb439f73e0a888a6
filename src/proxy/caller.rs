//! Who a caller is to the gate: what `/gate/me` tells it of itself, and `explain` of it.

use std::time::{Duration, SystemTime};

use crate::auth::{Identity, IssuerSettings};
use crate::json::Json;
use crate::permission::ResourceAction;
use crate::policy::{Grant, Holder, Policy};
use crate::telemetry::timestamp;

/// A caller, with all that decides what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The issuer's name in the configuration.
    pub issuer: String,
    /// The `sub` claim.
    pub subject: String,
    /// What to call it.
    pub name: String,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// When its token expires; nothing where no token proves who it is.
    pub expires: Option<SystemTime>,
    /// Its roles, sorted by name.
    pub roles: Vec<Role>,
}

/// A role of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What gives it to the caller.
    pub by: Vec<By>,
    /// What it grants.
    pub grants: Vec<Grant>,
}

/// What gives a role to a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The group or subject that the policy's binding names.
    pub holder: Holder,
    /// The claim that says so, a JSON pointer; nothing where no token does.
    pub claim: Option<String>,
}

impl Caller {
    /// Who a token proves to be the caller, by the claims of this issuer.
    #[must_use]
    pub fn proved(identity: &Identity, policy: &Policy, issuer: Option<&IssuerSettings>) -> Self {
        let groups_claim = issuer.and_then(|issuer| issuer.groups_claim.as_ref()).map(ToString::to_string);
        let claim = |holder: &Holder| match holder {
            Holder::Group(_) => groups_claim.clone(),
            Holder::Subject(_) => Some("/sub".to_owned()),
        };
        Self { expires: Some(identity.expires_at()), ..Self::new(identity, policy, claim) }
    }

    /// Who somebody supposes to be the caller.
    #[must_use]
    pub fn supposed(identity: &Identity, policy: &Policy) -> Self {
        Self::new(identity, policy, |_| None)
    }

    fn new(identity: &Identity, policy: &Policy, claim: impl Fn(&Holder) -> Option<String>) -> Self {
        let by = |holder: &&Holder| By { holder: (*holder).clone(), claim: claim(holder) };
        let roles = policy.held_by(identity).into_iter().map(|held| Role {
            name: held.role.to_owned(),
            by: held.by.iter().map(by).collect(),
            grants: held.grants.to_vec(),
        });
        Self {
            issuer: identity.issuer_name().to_owned(),
            subject: identity.subject().to_owned(),
            name: identity.name().to_owned(),
            groups: identity.groups().to_vec(),
            expires: None,
            roles: roles.collect(),
        }
    }

    /// The roles and grants that give it this permission.
    #[must_use]
    pub fn granted(&self, wanted: &ResourceAction) -> Vec<(&str, &Grant)> {
        let grants =
            self.roles.iter().flat_map(|role| role.grants.iter().map(move |grant| (role.name.as_str(), grant)));
        grants.filter(|(_, grant)| grant.allows(wanted)).collect()
    }

    /// How long its token is valid still; nought once it is not.
    #[must_use]
    pub fn left(&self, now: SystemTime) -> Option<Duration> {
        self.expires.map(|expires| expires.duration_since(now).unwrap_or_default())
    }

    /// All of it, for machines.
    #[must_use]
    pub fn json(&self, now: SystemTime) -> Json {
        let strings = |texts: &[String]| Json::Array(texts.iter().map(Json::string).collect());
        let mut members = vec![
            ("issuer".to_owned(), Json::string(&self.issuer)),
            ("subject".to_owned(), Json::string(&self.subject)),
            ("name".to_owned(), Json::string(&self.name)),
            ("groups".to_owned(), strings(&self.groups)),
            ("roles".to_owned(), Json::Array(self.roles.iter().map(Role::json).collect())),
            ("proved".to_owned(), Json::Bool(self.expires.is_some())),
        ];
        if let (Some(expires), Some(left)) = (self.expires, self.left(now)) {
            members.push(("expires".to_owned(), Json::string(timestamp(expires))));
            members.push(("secondsLeft".to_owned(), Json::Number(left.as_secs().to_string())));
        }
        Json::Object(members)
    }
}

impl Role {
    fn json(&self) -> Json {
        Json::object([
            ("role", Json::string(&self.name)),
            ("by", Json::Array(self.by.iter().map(By::json).collect())),
            ("grants", Json::Array(self.grants.iter().map(|grant| Json::string(grant.to_string())).collect())),
        ])
    }
}

impl By {
    /// `group`, or `subject`, and its name.
    #[must_use]
    pub fn words(&self) -> (&'static str, &str) {
        match &self.holder {
            Holder::Group(name) => ("group", name),
            Holder::Subject(name) => ("subject", name),
        }
    }

    fn json(&self) -> Json {
        let (kind, name) = self.words();
        let claim = self.claim.as_ref().map_or(Json::Null, Json::string);
        Json::object([(kind, Json::string(name)), ("claim", claim)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
[roles.analyst]
permissions = ["READ DATASOURCE wiki*", "READ EXTERNAL EXTERNAL"]
[roles.writer]
permissions = ["WRITE DATASOURCE wiki"]
[roles.other]
permissions = ["READ STATE STATE"]
[[bindings]]
issuer = "dev"
group = "analysts"
roles = ["analyst"]
[[bindings]]
issuer = "dev"
subject = "ann"
roles = ["writer", "analyst"]
[[bindings]]
issuer = "corp"
group = "analysts"
roles = ["other"]
"#;

    fn caller() -> (Identity, Policy) {
        let policy = Policy::parse(POLICY, &["dev".to_owned(), "corp".to_owned()]).expect("a policy");
        (Identity::for_tests("dev", "ann", &["analysts", "b"]), policy)
    }

    #[test]
    fn a_caller_is_told_who_it_is_with_its_roles_and_what_gives_them() {
        let (identity, policy) = caller();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000 - 90);
        let proved = Caller::proved(&identity, &policy, None).json(now).render();
        assert_eq!(
            proved,
            r#"{"issuer":"dev","subject":"ann","name":"ann","groups":["analysts","b"],"roles":[{"role":"analyst","by":[{"group":"analysts","claim":null},{"subject":"ann","claim":"/sub"}],"grants":["READ DATASOURCE wiki*","READ EXTERNAL EXTERNAL"]},{"role":"writer","by":[{"subject":"ann","claim":"/sub"}],"grants":["WRITE DATASOURCE wiki"]}],"proved":true,"expires":"2096-10-02T07:06:40.000Z","secondsLeft":90}"#
        );
        let supposed = Caller::supposed(&identity, &policy);
        assert!(supposed.json(now).render().ends_with(r#""proved":false}"#));
        assert_eq!(Caller::proved(&identity, &policy, None).left(now + Duration::from_secs(100)), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_granted_is_what_is_not_missing() {
        let (identity, policy) = caller();
        let caller = Caller::supposed(&identity, &policy);
        let granted = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let action = crate::permission::Action::from_word(words[0]).expect("an action");
            let kind = crate::permission::ResourceType::from_word(words[1]).expect("a type");
            let wanted = ResourceAction::new(action, kind, words[2]);
            let granted: Vec<_> =
                caller.granted(&wanted).into_iter().map(|(role, grant)| format!("{role}: {grant}")).collect();
            assert_eq!(granted.is_empty(), !policy.grants_of(&identity).allows(&wanted), "{line}");
            granted
        };
        assert_eq!(granted("READ DATASOURCE wikipedia"), ["analyst: READ DATASOURCE wiki*"]);
        assert_eq!(granted("WRITE DATASOURCE wiki"), ["writer: WRITE DATASOURCE wiki"]);
        for line in ["WRITE DATASOURCE wikipedia", "READ STATE STATE", "READ VIEW wiki"] {
            assert!(granted(line).is_empty(), "{line}");
        }
    }
}
