//! The public keys of an issuer. Each knows the algorithms it may be used with; a token only ever picks among those.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::PublicKey as RsaKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use jsonwebtoken::DecodingKey;

use super::algorithm::SignatureAlgorithm;
use super::fault::TokenFault;

/// Smaller RSA keys can be broken (RFC 7518 section 3.3 asks for as many).
pub const MIN_RSA_BITS: usize = 2048;

/// Larger ones cost a verification too much, and the cryptographic library takes none.
pub const MAX_RSA_BITS: usize = 8192;

/// A public key and what it may be used with. Holds no secret.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub(in crate::auth) id: Option<String>,
    pub(in crate::auth) algorithms: Vec<SignatureAlgorithm>,
    pub(in crate::auth) key: DecodingKey,
}

impl PublicKey {
    /// Whether `signature` is this key's over `message`. The algorithm must be one of the key's own.
    pub(in crate::auth) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &str,
        signature: &str,
    ) -> Result<(), TokenFault> {
        if !self.algorithms.contains(&algorithm) {
            return Err(TokenFault::WrongAlgorithm);
        }
        match jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, algorithm.library()) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenFault::WrongSignature),
        }
    }
}

/// The keys of one issuer: at least one, no `kid` twice.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// Makes a set; the fault is fit for a message about the file.
    ///
    /// # Errors
    /// There is no key, or two have the same `kid`.
    pub fn new(keys: Vec<PublicKey>) -> Result<Self, String> {
        if keys.is_empty() {
            return Err("no key that can verify signatures with an allowed algorithm".to_owned());
        }
        for (index, key) in keys.iter().enumerate() {
            if key.id.is_some() && keys.iter().skip(index + 1).any(|other| other.id == key.id) {
                return Err(format!("two keys have the kid `{}`", key.id.as_deref().unwrap_or_default()));
            }
        }
        Ok(Self(keys))
    }

    /// Whether a key has this `kid`.
    pub(in crate::auth) fn names(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// How many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one key that a token with this `kid` and `alg` can mean.
    ///
    /// A `kid` that no key has can still mean a key that has none of its own (a PEM file has no place for one), but never
    /// a key with another.
    pub(in crate::auth) fn pick(
        &self,
        id: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Result<&PublicKey, TokenFault> {
        let named = id.and_then(|id| self.0.iter().find(|key| key.id.as_deref() == Some(id)));
        if let Some(key) = named {
            return if key.algorithms.contains(&algorithm) { Ok(key) } else { Err(TokenFault::WrongAlgorithm) };
        }
        let mut candidates = self.0.iter().filter(|key| id.is_none() || key.id.is_none()).peekable();
        if candidates.peek().is_none() {
            return Err(TokenFault::UnknownKey);
        }
        let mut fitting = candidates.filter(|key| key.algorithms.contains(&algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(TokenFault::WrongAlgorithm),
            (Some(_), Some(_)) => Err(TokenFault::AmbiguousKey),
        }
    }
}

/// Keys in force, told from all others that ever were in this process.
#[derive(Debug)]
pub(in crate::auth) struct Keys {
    pub(in crate::auth) set: KeySet,
    /// Its own number: what was verified with keys of another number was not verified with these.
    pub(in crate::auth) generation: u64,
}

impl Keys {
    pub(in crate::auth) fn new(set: KeySet) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { set, generation: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

/// What a public key is, whichever file it came from.
pub(in crate::auth) struct Material {
    pub(in crate::auth) key: DecodingKey,
    pub(in crate::auth) fits: &'static [SignatureAlgorithm],
}

impl Material {
    /// An RSA key from its modulus and exponent, big-endian.
    pub(in crate::auth) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, String> {
        let (n, e) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if bits < MIN_RSA_BITS {
            return Err(format!("an RSA key of {bits} bits, expected at least {MIN_RSA_BITS}"));
        }
        if bits > MAX_RSA_BITS {
            return Err(format!("an RSA key of {bits} bits, expected at most {MAX_RSA_BITS}"));
        }
        // The library looks at the numbers themselves when it writes and reads them: an even modulus, an exponent of 1.
        RsaPublicKeyComponents { n, e }
            .as_der()
            .map_err(|_| ())
            .and_then(|der| RsaKey::from_der(der.as_ref()).map_err(|_| ()))
            .map_err(|()| "not an RSA public key".to_owned())?;
        Ok(Self { key: DecodingKey::from_rsa_raw_components(n, e), fits: &SignatureAlgorithm::RSA })
    }

    /// A key on P-256 from an uncompressed point or a SubjectPublicKeyInfo.
    pub(in crate::auth) fn p256(bytes: &[u8]) -> Result<Self, String> {
        check(&ECDSA_P256_SHA256_FIXED, bytes, "P-256")?;
        Ok(Self { key: DecodingKey::from_ec_der(bytes), fits: &[SignatureAlgorithm::Es256] })
    }

    /// A key on P-384, likewise.
    pub(in crate::auth) fn p384(bytes: &[u8]) -> Result<Self, String> {
        check(&ECDSA_P384_SHA384_FIXED, bytes, "P-384")?;
        Ok(Self { key: DecodingKey::from_ec_der(bytes), fits: &[SignatureAlgorithm::Es384] })
    }

    /// An Ed25519 key from its 32 bytes or a SubjectPublicKeyInfo.
    pub(in crate::auth) fn ed25519(bytes: &[u8]) -> Result<Self, String> {
        check(&ED25519, bytes, "Ed25519")?;
        Ok(Self { key: DecodingKey::from_ed_der(bytes), fits: &[SignatureAlgorithm::EdDsa] })
    }

    /// Any of these from a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    pub(in crate::auth) fn from_spki(der: &[u8]) -> Result<Self, String> {
        if let Ok(rsa) = RsaKey::from_der(der) {
            let modulus = rsa.modulus().big_endian_without_leading_zero().to_vec();
            let exponent = rsa.exponent().big_endian_without_leading_zero().to_vec();
            return Self::rsa(&modulus, &exponent);
        }
        Self::p256(der)
            .or_else(|_| Self::p384(der))
            .or_else(|_| Self::ed25519(der))
            .map_err(|_| "neither RSA, P-256, P-384 nor Ed25519".to_owned())
    }
}

fn check(algorithm: &'static dyn VerificationAlgorithm, bytes: &[u8], name: &str) -> Result<(), String> {
    ParsedPublicKey::new(algorithm, bytes).map(|_| ()).map_err(|_| format!("not a public key on {name}"))
}

fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let Some((0, rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}
