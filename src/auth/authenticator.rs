//! From a request's headers to its caller: the cache, else the token's own issuer and keys.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::HeaderMap;
use tokio::task::JoinSet;

use super::MAX_TOKEN_BYTES;
use super::cache::{TokenCache, Verified};
use super::claims::{self, Validity};
use super::credentials;
use super::fault::{KeysUnavailable, Refusal, TokenFault};
use super::identity::Identity;
use super::keys::Keys;
use super::remote::{KeyStatus, RemoteKeys};
use super::settings::{AuthSettings, IssuerKeys, IssuerSettings, Startup};
use super::source::SourceFault;
use super::token::Unverified;

/// What a request proves about its caller.
///
/// A credential that is not accepted is never taken for none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The request has no credential.
    Absent,
    /// It has a good one.
    Verified(Arc<Identity>),
    /// It has one that is not accepted, which is final.
    Refused(TokenFault),
    /// It has one that cannot be judged: its issuer's keys are not there.
    Unavailable(KeysUnavailable),
}

/// An issuer without whose keys the gate does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of issuer `{0}` cannot be fetched, and its startup is \"fail\"")]
pub struct FirstKeysFault(pub String);

/// Verifies tokens. Clones share their keys and their cache.
#[derive(Clone)]
pub struct Authenticator {
    issuers: Arc<[Issuer]>,
    cache: Arc<TokenCache>,
    basic_allowed: bool,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Issuer {
    settings: IssuerSettings,
    keys: Keyring,
}

#[derive(Debug)]
enum Keyring {
    Fixed(RwLock<Arc<Keys>>),
    Remote(Arc<RemoteKeys>),
}

impl Issuer {
    fn new(settings: IssuerSettings) -> Self {
        let keys = match &settings.keys {
            IssuerKeys::Fixed(keys) => Keyring::Fixed(RwLock::new(Arc::new(Keys::new(keys.clone())))),
            IssuerKeys::Remote(remote) => {
                Keyring::Remote(Arc::new(RemoteKeys::new(settings.name.clone(), remote.as_ref().clone())))
            }
        };
        Self { settings, keys }
    }

    fn current_keys(&self, now: SystemTime) -> Result<Arc<Keys>, Refusal> {
        match &self.keys {
            Keyring::Fixed(keys) => Ok(Arc::clone(&keys.read().unwrap_or_else(PoisonError::into_inner))),
            Keyring::Remote(remote) => remote.current(now),
        }
    }

    /// What the token proves with these keys.
    fn prove(&self, token: &Unverified<'_>, keys: &Keys, now: SystemTime) -> Result<(Identity, Validity), TokenFault> {
        let key = keys.set.pick(token.key_id.as_deref(), token.algorithm)?;
        key.verify(token.algorithm, token.signed, token.signature)?;
        claims::verify(&token.claims, token.media_type.as_deref(), &self.settings, now)
    }

    /// Where a key may be looked for that the token names and these keys do not.
    fn where_to_look<'t>(&self, token: &'t Unverified<'_>, keys: &Keys) -> Option<(&Arc<RemoteKeys>, &'t str)> {
        let id = token.key_id.as_deref().filter(|id| !keys.set.names(id))?;
        match &self.keys {
            Keyring::Fixed(_) => None,
            Keyring::Remote(remote) => Some((remote, id)),
        }
    }
}

impl Authenticator {
    /// An authenticator for these issuers. Nothing is fetched before [`Self::keep_keys_fresh`].
    #[must_use]
    pub fn new(settings: AuthSettings) -> Self {
        let basic_allowed = settings.issuers.iter().any(|issuer| issuer.basic_password);
        let issuers = settings.issuers.into_iter().map(Issuer::new).collect();
        Self { issuers, cache: Arc::new(TokenCache::new()), basic_allowed }
    }

    /// Whether a token may come as the password of Basic, of some issuer.
    #[must_use]
    pub const fn takes_basic(&self) -> bool {
        self.basic_allowed
    }

    /// Authenticates a request by its headers at the time `now`.
    ///
    /// Waits for nothing but an issuer that is asked for a key it may have made since, for
    /// [`FETCH_TIMEOUT`](super::FETCH_TIMEOUT) at most.
    pub async fn authenticate(&self, headers: &HeaderMap, now: SystemTime) -> Authentication {
        let credentials = match credentials::find(headers, self.basic_allowed) {
            Ok(None) => return Authentication::Absent,
            Ok(Some(credentials)) => credentials,
            Err(fault) => return Authentication::Refused(fault),
        };
        let verified = self.verify(&credentials.token, now).await;
        told(match &credentials.user {
            None => verified,
            Some(user) => self.as_password(user, verified),
        })
    }

    /// Authenticates the holder of a token that came another way than in a header.
    pub async fn authenticate_token(&self, token: &str, now: SystemTime) -> Authentication {
        told(self.verify(token, now).await)
    }

    /// The unverified `iss` only picks whose keys must have signed.
    async fn verify(&self, text: &str, now: SystemTime) -> Result<Verified, Refusal> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLarge.into());
        }
        let tag = self.cache.tag(text);
        if let Some(known) = self.cache.find(tag.as_ref()) {
            let keys = self.issuer(known.issuer)?.current_keys(now)?;
            if known.holds(keys.generation, now) {
                return Ok(known);
            }
        }
        let verified = self.verify_anew(text, now).await?;
        self.cache.insert(tag, verified.clone());
        Ok(verified)
    }

    async fn verify_anew(&self, text: &str, now: SystemTime) -> Result<Verified, Refusal> {
        let token = Unverified::parse(text)?;
        let index = self.issuer_of(&token)?;
        let issuer = self.issuer(index)?;
        let mut keys = issuer.current_keys(now)?;
        let mut proof = issuer.prove(&token, &keys, now);
        if proof.is_err()
            && let Some((remote, id)) = issuer.where_to_look(&token, &keys)
        {
            // A token that would not do with any key is not worth asking for one.
            claims::verify(&token.claims, token.media_type.as_deref(), &issuer.settings, now)?;
            keys = remote.look_for(id, now).await?;
            proof = issuer.prove(&token, &keys, now);
        }
        let (identity, validity) = proof?;
        let (identity, generation) = (Arc::new(identity), keys.generation);
        Ok(Verified { identity, issuer: index, generation, validity, verified_at: now })
    }

    fn issuer_of(&self, token: &Unverified<'_>) -> Result<usize, TokenFault> {
        let claim = token.claims.get("iss").ok_or(TokenFault::MissingClaim("iss"))?;
        let claim = claim.as_str().ok_or(TokenFault::MalformedClaim("iss"))?;
        self.issuers.iter().position(|issuer| issuer.settings.issuer == claim).ok_or(TokenFault::UnknownIssuer)
    }

    fn issuer(&self, index: usize) -> Result<&Issuer, TokenFault> {
        self.issuers.get(index).ok_or(TokenFault::UnknownIssuer)
    }

    /// The same token as the password of this user.
    fn as_password(&self, user: &str, verified: Result<Verified, Refusal>) -> Result<Verified, Refusal> {
        let verified = match verified {
            Err(Refusal::Token(TokenFault::Malformed)) => return Err(TokenFault::PasswordNotToken.into()),
            other => other?,
        };
        if !self.issuer(verified.issuer)?.settings.basic_password {
            return Err(TokenFault::BasicNotAllowed.into());
        }
        if user != verified.identity.name() && user != verified.identity.subject() {
            return Err(TokenFault::WrongUser.into());
        }
        Ok(verified)
    }

    fn remote_keys(&self) -> impl Iterator<Item = (&IssuerSettings, &Arc<RemoteKeys>)> {
        self.issuers.iter().filter_map(|issuer| match &issuer.keys {
            Keyring::Fixed(_) => None,
            Keyring::Remote(remote) => Some((&issuer.settings, remote)),
        })
    }

    /// Puts the keys in force that were read again from files. Tokens that are cached were verified by others, and are
    /// verified anew.
    pub fn replace_fixed_keys(&self, settings: &AuthSettings) {
        for issuer in self.issuers.iter() {
            let same = settings.issuers.iter().find(|other| other.name == issuer.settings.name);
            if let (Keyring::Fixed(keys), Some(IssuerKeys::Fixed(new))) = (&issuer.keys, same.map(|same| &same.keys)) {
                *keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Keys::new(new.clone()));
            }
        }
    }

    /// Fetches keys now and whenever they are due, until the tasks are dropped.
    #[must_use = "dropped, they end"]
    pub fn keep_keys_fresh(&self) -> JoinSet<()> {
        self.remote_keys().map(|(_, remote)| Arc::clone(remote).keep_fresh()).collect()
    }

    /// Waits until the gate may listen, as each issuer's start-up policy says. [`Self::keep_keys_fresh`] must run.
    ///
    /// # Errors
    /// An issuer whose policy is to fail, and whose first fetch did.
    pub async fn first_keys(&self) -> Result<(), FirstKeysFault> {
        for (issuer, remote) in self.remote_keys() {
            match remote.settings().startup {
                Startup::ServeUnready => {}
                Startup::Wait => remote.wait_for_keys().await,
                Startup::Fail => {
                    if !remote.wait_for_first_attempt().await {
                        return Err(FirstKeysFault(issuer.name.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    /// What is known of the issuers' fetched keys; the gate is ready when all are usable.
    #[must_use]
    pub fn key_statuses(&self, now: SystemTime) -> Vec<KeyStatus> {
        self.remote_keys().map(|(_, remote)| remote.status(now)).collect()
    }

    /// The accepted issuers, in the order of the configuration.
    pub fn issuer_settings(&self) -> impl Iterator<Item = &IssuerSettings> {
        self.issuers.iter().map(|issuer| &issuer.settings)
    }

    /// The settings of the issuer of this caller.
    #[must_use]
    pub fn settings_of(&self, identity: &Identity) -> Option<&IssuerSettings> {
        self.issuer_settings().find(|issuer| issuer.name == identity.issuer_name())
    }

    /// Fetches keys that are due at this time once, for who does not wait for [`Self::keep_keys_fresh`].
    pub async fn fetch_due_keys(&self, now: SystemTime) {
        for (_, remote) in self.remote_keys() {
            remote.fetch_if_due(now).await;
        }
    }

    #[cfg(test)]
    pub(in crate::auth) fn cache(&self) -> &TokenCache {
        &self.cache
    }
}

fn told(verified: Result<Verified, Refusal>) -> Authentication {
    match verified {
        Ok(verified) => Authentication::Verified(verified.identity),
        Err(Refusal::Token(fault)) => Authentication::Refused(fault),
        Err(Refusal::Keys(fault)) => Authentication::Unavailable(fault),
    }
}

/// Fetches each issuer's keys once: its name, and how many there are or why not.
pub async fn probe(settings: &AuthSettings) -> Vec<(String, Result<usize, SourceFault>)> {
    let mut results = Vec::new();
    for issuer in &settings.issuers {
        if let IssuerKeys::Remote(remote) = &issuer.keys {
            let count = remote.source.fetch().await.map(|fetched| fetched.keys.count());
            results.push((issuer.name.clone(), count));
        }
    }
    results
}
