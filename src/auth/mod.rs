//! Who is calling: a bearer token in, an [`Identity`] out, or the reason why not.
//!
//! RFC 6750 (bearer tokens), 7515 to 7519 (JWS, JWK, JWA, JWT), 8725 (their best practice), 9068 (JWT access tokens).

mod algorithm;
mod claims;
mod fault;
mod identity;
mod key_files;
mod keys;
mod pointer;
mod session;
mod settings;
mod token;

use std::time::SystemTime;

use http::HeaderMap;

pub use algorithm::SignatureAlgorithm;
pub use fault::TokenFault;
pub use identity::Identity;
pub use key_files::{read_jwks, read_pem};
pub use keys::{KeySet, MAX_RSA_BITS, MIN_RSA_BITS, PublicKey};
pub use pointer::ClaimPointer;
pub use session::{MAX_COOKIE_PART, MAX_SESSION_TOKEN, begin_session, end_session, session_token};
pub use settings::{AccessTokenRule, AuthSettings, IssuerSettings};

use token::Unverified;

/// Bytes of a token as sent. Tokens with hundreds of groups come to 8 KiB; what is longer is not read at all.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Bytes of a `kid`. It is only compared; a thumbprint has 43 or 86.
pub const MAX_KEY_ID_BYTES: usize = 256;

/// Bytes of a `sub`. OpenID Connect Core section 2 allows 255 characters of ASCII.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// Bytes of a name that is shown; a longer one gives way to the subject.
pub const MAX_NAME_BYTES: usize = 256;

/// Groups of one caller. Each is compared with the policy's bindings on every request.
pub const MAX_GROUPS: usize = 1_000;

/// What a request proves about its caller.
///
/// Three values, so that a credential that is not accepted is never taken for none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The request has no credential.
    Absent,
    /// It has a good one.
    Verified(Identity),
    /// It has one that is not accepted, which is final.
    Refused(TokenFault),
}

/// Verifies tokens.
#[derive(Clone, Debug)]
pub struct Authenticator {
    settings: AuthSettings,
}

impl Authenticator {
    /// An authenticator for these issuers.
    #[must_use]
    pub const fn new(settings: AuthSettings) -> Self {
        Self { settings }
    }

    /// Authenticates a request by its headers at the time `now`.
    #[must_use]
    pub fn authenticate(&self, headers: &HeaderMap, now: SystemTime) -> Authentication {
        match token::find(headers) {
            Ok(None) => Authentication::Absent,
            Ok(Some(token)) => self.authenticate_token(token, now),
            Err(fault) => Authentication::Refused(fault),
        }
    }

    /// Authenticates the holder of a token that came another way than in a header.
    #[must_use]
    pub fn authenticate_token(&self, token: &str, now: SystemTime) -> Authentication {
        match self.verify(token, now) {
            Ok(identity) => Authentication::Verified(identity),
            Err(fault) => Authentication::Refused(fault),
        }
    }

    /// The unverified `iss` only picks whose keys must have signed.
    fn verify(&self, token: &str, now: SystemTime) -> Result<Identity, TokenFault> {
        let token = Unverified::parse(token)?;
        let issuer = self.issuer_of(&token)?;
        let key = issuer.keys.pick(token.key_id.as_deref(), token.algorithm)?;
        key.verify(token.algorithm, token.signed, token.signature)?;
        claims::verify(&token.claims, token.media_type.as_deref(), issuer, now)
    }

    fn issuer_of(&self, token: &Unverified<'_>) -> Result<&IssuerSettings, TokenFault> {
        let claim = token.claims.get("iss").ok_or(TokenFault::MissingClaim("iss"))?;
        let claim = claim.as_str().ok_or(TokenFault::MalformedClaim("iss"))?;
        self.settings.issuers.iter().find(|issuer| issuer.issuer == claim).ok_or(TokenFault::UnknownIssuer)
    }
}

#[cfg(test)]
mod tests;
