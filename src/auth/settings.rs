//! What the configuration tells this room, ready for use.

use std::time::Duration;

use super::keys::KeySet;
use super::pointer::ClaimPointer;
use super::token::normalize_media_type;

/// Everything needed to authenticate; `config` reads the files.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// The accepted issuers; no name and no `iss` twice.
    pub issuers: Vec<IssuerSettings>,
}

impl AuthSettings {
    /// The issuers' names, to which policy bindings refer.
    #[must_use]
    pub fn issuer_names(&self) -> Vec<String> {
        self.issuers.iter().map(|issuer| issuer.name.clone()).collect()
    }
}

/// One issuer of tokens.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// Its name in the configuration and the policy.
    pub name: String,
    /// Its `iss`, compared byte by byte (RFC 7519 section 4.1.1).
    pub issuer: String,
    /// A token must name at least one of them in `aud`; never empty.
    pub audiences: Vec<String>,
    /// Its keys, limited to the allowed algorithms.
    pub keys: KeySet,
    /// What tells its access tokens from its id tokens.
    pub access_token: AccessTokenRule,
    /// Where to find the name to show; without it or its claim, the subject.
    pub name_claim: Option<ClaimPointer>,
    /// Where to find the groups; without it or its claim, none.
    pub groups_claim: Option<ClaimPointer>,
    /// How far the issuer's clock may be from ours.
    pub leeway: Duration,
}

/// What tells an access token from an id token: a media type, a list of clients, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenRule {
    media_type: Option<String>,
    parties: Vec<String>,
}

impl AccessTokenRule {
    /// A rule; nothing if it would accept every token.
    #[must_use]
    pub fn new(typ: Option<&str>, azp: Vec<String>) -> Option<Self> {
        if typ.is_none() && azp.is_empty() {
            return None;
        }
        Some(Self { media_type: typ.map(normalize_media_type), parties: azp })
    }

    /// Whether a token whose normalized `typ` this is can be an access token.
    ///
    /// Where only clients are named, the types that access tokens commonly have are accepted, and no other: a logout token
    /// or a DPoP proof of the same issuer says what it is (RFC 8725 section 3.11).
    pub(in crate::auth) fn accepts_type(&self, media_type: Option<&str>) -> bool {
        match (&self.media_type, media_type) {
            (Some(wanted), Some(found)) => wanted == found,
            (Some(_), None) => false,
            (None, Some(found)) => found == "jwt" || found == "at+jwt",
            (None, None) => true,
        }
    }

    /// The clients, if the rule names any.
    pub(in crate::auth) fn parties(&self) -> Option<&[String]> {
        if self.parties.is_empty() { None } else { Some(&self.parties) }
    }
}
