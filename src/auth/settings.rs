//! What the configuration tells this room, ready for use.

use std::time::Duration;

use super::keys::KeySet;
use super::pointer::ClaimPointer;
use super::source::KeySource;
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
    /// Its keys, limited to the allowed algorithms, or where they are.
    pub keys: IssuerKeys,
    /// Whether its tokens may come as the password of Basic (RFC 7617); `basic_password`, default false.
    pub basic_password: bool,
    /// What tells its access tokens from its id tokens.
    pub access_token: AccessTokenRule,
    /// Where to find the name to show; without it or its claim, the subject.
    pub name_claim: Option<ClaimPointer>,
    /// Where to find the groups; without it or its claim, none.
    pub groups_claim: Option<ClaimPointer>,
    /// How far the issuer's clock may be from ours.
    pub leeway: Duration,
}

/// The keys of an issuer: exactly one of these.
#[derive(Clone, Debug)]
pub enum IssuerKeys {
    /// From a file, the same as long as the gate runs; `keys_file`.
    Fixed(KeySet),
    /// Fetched and kept fresh; `jwks_url` or `discovery = true`.
    Remote(Box<RemoteKeySettings>),
}

impl From<KeySet> for IssuerKeys {
    fn from(keys: KeySet) -> Self {
        Self::Fixed(keys)
    }
}

/// How an issuer's keys are fetched.
#[derive(Clone, Debug)]
pub struct RemoteKeySettings {
    /// Where from, trusting whom; `jwks_url`, `discovery`, `ca_file`, `keys_in_clear`.
    pub source: KeySource,
    /// When.
    pub times: KeyTimes,
    /// What to do while there are none; `startup`.
    pub startup: Startup,
}

/// When an issuer's keys are fetched, and how long they are trusted.
#[derive(Clone, Debug)]
pub struct KeyTimes {
    /// Between two fetches that nothing else asks for, which a removed key outlives at most; `refresh_seconds`, default 300.
    pub refresh: Duration,
    /// Between two fetches for the sake of an unknown `kid`; `unknown_key_seconds`, default 10.
    pub unknown_key_interval: Duration,
    /// How long keys are used that the issuer no longer confirms; `max_stale_seconds`, default one day.
    pub max_stale: Duration,
    /// The answer after that; `stale_status`, default 503.
    pub stale_answer: StaleAnswer,
}

/// What callers are told whose issuer's keys are too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleAnswer {
    /// 401: clients sign in again, maybe elsewhere.
    Unauthorized,
    /// 503: clients come back later.
    Unavailable,
}

/// What to do at the start while an issuer's keys are not there; `startup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Startup {
    /// Listen only once they are; the default, `wait`.
    Wait,
    /// Listen and answer its tokens with 503; `serve-unready`.
    ServeUnready,
    /// Do not start if the first fetch fails; `fail`.
    Fail,
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
