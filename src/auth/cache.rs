//! Tokens that were verified a short while ago, so that the next request with one costs a hash and no signature.
//!
//! A token is kept as its HMAC under a key that this process made for itself and shows nobody: memory that leaks holds no
//! token, and nobody can make two tokens meet in one place. An entry holds for one issuer of one configuration (each
//! [`Authenticator`](super::Authenticator) has a cache of its own) and one generation of its keys.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use super::claims::Validity;
use super::identity::Identity;

/// How long a verification is believed at most, as design section 8 has it: the bound for all that a change of keys,
/// which ends an entry at once, does not cover.
pub const CACHE_LIFETIME: Duration = Duration::from_mins(5);

/// Tokens kept: clients of a cluster are hundreds; past it the oldest gives way.
pub const MAX_CACHED_TOKENS: usize = 10_000;

/// Bytes of their identities: an identity may have 16 KiB of groups, and ten thousand such are not worth their memory.
pub const MAX_CACHED_BYTES: usize = 8 * 1024 * 1024;

/// What an entry takes beside its texts, roughly.
const ENTRY_BYTES: usize = 400;

/// The keyed hash of a token.
pub(in crate::auth) type Tag = [u8; 32];

/// A verification that succeeded.
#[derive(Clone)]
pub(in crate::auth) struct Verified {
    pub(in crate::auth) identity: Arc<Identity>,
    /// Which of the authenticator's issuers.
    pub(in crate::auth) issuer: usize,
    /// Of the keys that it was verified with.
    pub(in crate::auth) generation: u64,
    pub(in crate::auth) validity: Validity,
    pub(in crate::auth) verified_at: SystemTime,
}

impl Verified {
    /// Whether verifying again, at this time and with keys of this generation, would give the same.
    pub(in crate::auth) fn holds(&self, generation: u64, now: SystemTime) -> bool {
        // A clock that was set back tells nothing about the age.
        let is_young = now.duration_since(self.verified_at).is_ok_and(|age| age < CACHE_LIFETIME);
        is_young && self.generation == generation && self.validity.check(now).is_ok()
    }

    fn weight(&self) -> usize {
        let identity = &self.identity;
        let groups: usize = identity.groups.iter().map(|group| group.len() + size_of::<String>()).sum();
        let texts = identity.issuer_name.len() + identity.issuer.len() + identity.subject.len() + identity.name.len();
        ENTRY_BYTES + texts + groups
    }
}

/// The verified tokens of one configuration.
pub(in crate::auth) struct TokenCache {
    /// None if the system gave no random numbers: then nothing is kept.
    key: Option<Key>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_tag: HashMap<Tag, Verified>,
    /// Oldest first; a tag may stand twice, and then goes with the first.
    order: VecDeque<Tag>,
    bytes: usize,
}

impl TokenCache {
    pub(in crate::auth) fn new() -> Self {
        let mut random = [0; 32];
        let key = aws_lc_rs::rand::fill(&mut random).ok().map(|()| Key::new(HMAC_SHA256, &random));
        Self { key, entries: Mutex::default() }
    }

    pub(in crate::auth) fn tag(&self, token: &str) -> Option<Tag> {
        let tag = sign(self.key.as_ref()?, token.as_bytes());
        tag.as_ref().try_into().ok()
    }

    pub(in crate::auth) fn find(&self, tag: Option<&Tag>) -> Option<Verified> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).by_tag.get(tag?).cloned()
    }

    pub(in crate::auth) fn insert(&self, tag: Option<Tag>, verified: Verified) {
        let Some(tag) = tag else { return };
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).insert(tag, verified);
    }

    #[cfg(test)]
    pub(in crate::auth) fn size(&self) -> (usize, usize, usize) {
        let entries = self.entries.lock().unwrap();
        (entries.by_tag.len(), entries.order.len(), entries.bytes)
    }
}

impl Entries {
    fn insert(&mut self, tag: Tag, verified: Verified) {
        let weight = verified.weight();
        while self.order.len() >= MAX_CACHED_TOKENS || self.bytes + weight > MAX_CACHED_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(gone) = self.by_tag.remove(&oldest) {
                self.bytes -= gone.weight();
            }
        }
        self.bytes += weight;
        self.order.push_back(tag);
        if let Some(gone) = self.by_tag.insert(tag, verified) {
            self.bytes -= gone.weight();
        }
    }
}
