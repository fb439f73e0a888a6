//! Why a credential is refused, or cannot be judged.
//!
//! A [`TokenFault`] is the caller's, status 401; [`KeysUnavailable`] is the issuer's, status 503.

use std::time::Duration;

/// Why a token gives no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Refusal {
    Token(TokenFault),
    Keys(KeysUnavailable),
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

/// The keys that a token would have to be verified with are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}; try again later")]
pub struct KeysUnavailable {
    why: KeysFault,
    retry_after_seconds: u64,
}

impl KeysUnavailable {
    pub(in crate::auth) fn new(why: KeysFault, wait: Duration) -> Self {
        // Whole seconds, rounded up; 0 would have clients ask in a loop.
        Self { why, retry_after_seconds: wait.as_secs() + 1 }
    }

    /// Seconds until the issuer will have been asked again.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> u64 {
        self.retry_after_seconds
    }

    /// Why.
    #[must_use]
    pub const fn why(&self) -> KeysFault {
        self.why
    }

    /// A stable code for the audit record and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.why {
            KeysFault::NotFetched => "keys_not_fetched",
            KeysFault::TooOld => "keys_too_old",
            KeysFault::NotAsked => "key_not_looked_for",
        }
    }
}

/// Why keys are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    /// The issuer has not given any since the start.
    #[error("the keys of the token's issuer are not there yet")]
    NotFetched,
    /// The issuer has not confirmed them for longer than is configured.
    #[error("the keys of the token's issuer could not be fetched for too long")]
    TooOld,
    /// The token names a key that is not among them, and the issuer cannot be asked for it at the moment.
    #[error("the token names a key that its issuer could not be asked for yet")]
    NotAsked,
}

/// Why a credential is refused. Holds nothing of the token, so that it may be logged and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// More than one `Authorization` header: two readers could take different ones.
    #[error("more than one Authorization header")]
    SeveralHeaders,
    /// The `Authorization` header has other bytes than visible ASCII.
    #[error("the Authorization header is not text")]
    HeaderNotText,
    /// Another scheme than Bearer, and than Basic where an issuer allows it.
    #[error("only the Bearer scheme is accepted")]
    WrongScheme,
    /// Basic with something else than base64 of UTF-8 with a colon and without control characters.
    #[error("the Basic credentials are not base64 of a user name, a colon and a token")]
    MalformedBasic,
    /// A password that is no token.
    #[error("the password is not a token")]
    PasswordNotToken,
    /// The token's issuer does not allow it to come as a password.
    #[error("tokens of this issuer are not accepted as passwords")]
    BasicNotAllowed,
    /// The user name is another than the token's.
    #[error("the user name is not that of the token in the password")]
    WrongUser,
    /// Session cookies of which a part is missing or comes twice.
    #[error("the session cookies are incomplete; sign in again")]
    MalformedSession,
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is longer than 16 KiB")]
    TooLarge,
    /// Not three parts of base64url, the first two JSON objects without repeated keys.
    #[error("the token is not a signed JWT")]
    Malformed,
    /// A header that would let the token choose its own key, or a critical extension.
    #[error("the token has a header that is not accepted: {0}")]
    ForbiddenHeader(&'static str),
    /// A header of the wrong type or too long.
    #[error("the token's header has a malformed value: {0}")]
    MalformedHeader(&'static str),
    /// `alg` is not among the issuer's allowed algorithms, or not the key's.
    #[error("the token's algorithm is not accepted")]
    WrongAlgorithm,
    /// No issuer of this name is configured.
    #[error("the token's issuer is not accepted")]
    UnknownIssuer,
    /// The issuer has no key of this `kid`.
    #[error("the token names a key that its issuer does not have")]
    UnknownKey,
    /// The issuer has not confirmed its keys for longer than is configured.
    #[error("the keys of the token's issuer could not be fetched for too long")]
    KeysTooOld,
    /// The token names no key and more than one could be meant.
    #[error("the token must name its key")]
    AmbiguousKey,
    /// The signature is not the key's.
    #[error("the token's signature is not valid")]
    WrongSignature,
    /// A required claim is absent.
    #[error("the token lacks a claim: {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong type or a value out of its range.
    #[error("the token has a malformed claim: {0}")]
    MalformedClaim(&'static str),
    /// Meant for somebody else.
    #[error("the token is not meant for this audience")]
    WrongAudience,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Bears the mark of an id token, which tells a client who signed in and opens nothing.
    #[error("the token is an id token, not an access token")]
    IdToken,
    /// `typ` is not what this issuer's access tokens have.
    #[error("the token's typ is not that of an access token")]
    WrongType,
    /// `azp` is not one of the clients accepted from this issuer.
    #[error("the token was issued to a client that is not accepted")]
    WrongParty,
    /// The groups claim is not an array of strings.
    #[error("the token's groups are not an array of strings")]
    MalformedGroups,
    /// More than [`MAX_GROUPS`](super::MAX_GROUPS) groups.
    #[error("the token has more than 1,000 groups")]
    TooManyGroups,
}

impl TokenFault {
    /// The `error` of the `WWW-Authenticate` challenge (RFC 6750 section 3.1).
    #[must_use]
    pub const fn oauth_error(&self) -> &'static str {
        match self {
            Self::SeveralHeaders | Self::HeaderNotText | Self::WrongScheme | Self::MalformedBasic => "invalid_request",
            Self::PasswordNotToken
            | Self::BasicNotAllowed
            | Self::WrongUser
            | Self::TooLarge
            | Self::Malformed
            | Self::ForbiddenHeader(_)
            | Self::MalformedHeader(_)
            | Self::WrongAlgorithm
            | Self::MalformedSession
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::KeysTooOld
            | Self::AmbiguousKey
            | Self::WrongSignature
            | Self::MissingClaim(_)
            | Self::MalformedClaim(_)
            | Self::WrongAudience
            | Self::Expired
            | Self::NotYetValid
            | Self::IdToken
            | Self::WrongType
            | Self::WrongParty
            | Self::MalformedGroups
            | Self::TooManyGroups => "invalid_token",
        }
    }

    /// What the caller may read; fit for `error_description` (ASCII, no quotes, RFC 6750 section 3).
    #[must_use]
    pub fn public_message(&self) -> String {
        self.to_string()
    }

    /// A stable code for the audit record and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::SeveralHeaders => "several_authorization_headers",
            Self::HeaderNotText => "authorization_not_text",
            Self::WrongScheme => "wrong_scheme",
            Self::MalformedBasic => "malformed_basic",
            Self::PasswordNotToken => "password_not_token",
            Self::BasicNotAllowed => "basic_not_allowed",
            Self::WrongUser => "wrong_user",
            Self::MalformedSession => "malformed_session",
            Self::TooLarge => "token_too_large",
            Self::Malformed => "malformed_token",
            Self::ForbiddenHeader(_) => "forbidden_header",
            Self::MalformedHeader(_) => "malformed_header",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::KeysTooOld => "keys_too_old",
            Self::AmbiguousKey => "ambiguous_key",
            Self::WrongSignature => "wrong_signature",
            Self::MissingClaim(_) => "missing_claim",
            Self::MalformedClaim(_) => "malformed_claim",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IdToken => "id_token",
            Self::WrongType => "wrong_typ",
            Self::WrongParty => "wrong_azp",
            Self::MalformedGroups => "malformed_groups",
            Self::TooManyGroups => "too_many_groups",
        }
    }
}
