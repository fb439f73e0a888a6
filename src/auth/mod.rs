//! Who is calling: a token in, an [`Identity`] out, or the reason why not.
//!
//! RFC 6750 (bearer tokens), 7515 to 7519 (JWS, JWK, JWA, JWT), 8725 (their best practice), 9068 (JWT access tokens).

mod algorithm;
mod authenticator;
mod cache;
mod claims;
mod credentials;
mod fault;
mod fetch;
mod identity;
mod key_files;
mod key_state;
mod keys;
mod pointer;
mod remote;
mod session;
mod settings;
mod source;
mod supposed;
mod token;

pub use algorithm::SignatureAlgorithm;
pub use authenticator::{Authentication, Authenticator, FirstKeysFault, probe};
pub use cache::{CACHE_LIFETIME, MAX_CACHED_BYTES, MAX_CACHED_TOKENS};
pub use fault::{KeysFault, KeysUnavailable, TokenFault};
pub use fetch::{CONNECT_TIMEOUT, ClearText, FETCH_TIMEOUT, FetchFault, Fetcher, KeyUrl, MAX_DOCUMENT_BYTES};
pub use identity::Identity;
pub use key_files::{MAX_PUBLISHED_KEYS, read_jwks, read_pem};
pub use key_state::{FIRST_RETRY, MAX_UNKNOWN_IDS, UNKNOWN_ID_WINDOWS};
pub use keys::{KeySet, MAX_RSA_BITS, MIN_RSA_BITS, PublicKey};
pub use pointer::ClaimPointer;
pub use remote::KeyStatus;
pub use session::{MAX_COOKIE_PART, MAX_SESSION_TOKEN, begin_session, end_session, session_token};
pub use settings::{
    AccessTokenRule, AuthSettings, IssuerKeys, IssuerSettings, KeyTimes, RemoteKeySettings, StaleAnswer, Startup,
};
pub use source::{KeyAddress, KeySource, SourceFault};
pub use supposed::{Supposed, SupposedFault};

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

#[cfg(test)]
mod tests;
