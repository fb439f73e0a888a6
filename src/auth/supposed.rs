//! Who a caller would be: an identity that nothing proves, to explain what would become of its requests.

use std::time::SystemTime;

use super::MAX_SUBJECT_BYTES;
use super::authenticator::Authenticator;
use super::identity::Identity;

/// A caller as somebody describes it. Nothing is ever sent for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supposed {
    /// Its subject.
    pub subject: String,
    /// The name of its issuer; not needed where there is only one.
    pub issuer: Option<String>,
    /// The groups that it would be in.
    pub groups: Vec<String>,
}

/// Why a description fits no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupposedFault {
    /// No token could name this subject.
    #[error("a user's name has 1 to {MAX_SUBJECT_BYTES} bytes and no control characters")]
    OddSubject,
    /// No issuer has this name.
    #[error("there is no issuer [{0}]; there are: {1}")]
    UnknownIssuer(String, String),
    /// There are several, and none is named.
    #[error("there are several issuers; name the user's: {0}")]
    WhichIssuer(String),
}

impl Supposed {
    /// The identity, if its issuer is one of these, each a name and an `iss`.
    ///
    /// # Errors
    /// [`SupposedFault`].
    pub fn among(&self, issuers: &[(&str, &str)]) -> Result<Identity, SupposedFault> {
        let (subject, names) = (&self.subject, || issuers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || subject.chars().any(char::is_control) {
            return Err(SupposedFault::OddSubject);
        }
        let found = match (&self.issuer, issuers) {
            (None, [only]) => only,
            (None, _) => return Err(SupposedFault::WhichIssuer(names())),
            (Some(named), _) => issuers
                .iter()
                .find(|(name, _)| name == named)
                .ok_or_else(|| SupposedFault::UnknownIssuer(named.clone(), names()))?,
        };
        Ok(Identity {
            issuer_name: found.0.to_owned(),
            issuer: found.1.to_owned(),
            subject: subject.clone(),
            name: subject.clone(),
            groups: self.groups.clone(),
            // Nothing may be made of it.
            expires_at: SystemTime::UNIX_EPOCH,
        })
    }
}

impl Authenticator {
    /// Who this would be, by one of the accepted issuers.
    ///
    /// # Errors
    /// [`SupposedFault`].
    pub fn suppose(&self, supposed: &Supposed) -> Result<Identity, SupposedFault> {
        let issuers: Vec<(&str, &str)> =
            self.issuer_settings().map(|issuer| (issuer.name.as_str(), issuer.issuer.as_str())).collect();
        supposed.among(&issuers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supposed(subject: &str, issuer: Option<&str>) -> Supposed {
        Supposed { subject: subject.to_owned(), issuer: issuer.map(str::to_owned), groups: vec!["g".to_owned()] }
    }

    #[test]
    fn a_caller_is_of_the_issuer_that_is_named_or_the_only_one() {
        let (one, two) = ([("dev", "https://dev")], [("dev", "https://dev"), ("corp", "https://corp")]);
        let ann = supposed("ann", None).among(&one).expect("an identity");
        assert_eq!((ann.issuer_name(), ann.issuer(), ann.subject(), ann.name()), ("dev", "https://dev", "ann", "ann"));
        assert_eq!((ann.groups(), ann.expires_at()), (&["g".to_owned()][..], SystemTime::UNIX_EPOCH));
        assert_eq!(supposed("ann", Some("corp")).among(&two).expect("an identity").issuer(), "https://corp");
        let which = supposed("ann", None).among(&two).expect_err("a fault");
        assert_eq!(which.to_string(), "there are several issuers; name the user's: dev, corp");
        let unknown = supposed("ann", Some("x")).among(&two).expect_err("a fault");
        assert_eq!(unknown.to_string(), "there is no issuer [x]; there are: dev, corp");
        for odd in ["", "a\nb", &"x".repeat(MAX_SUBJECT_BYTES + 1)] {
            assert_eq!(supposed(odd, None).among(&one), Err(SupposedFault::OddSubject));
        }
    }
}
