//! The texts that public keys come in: JWKS (RFC 7517, RFC 8037) and PEM.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::{self, SectionKind};

use super::MAX_KEY_ID_BYTES;
use super::algorithm::SignatureAlgorithm;
use super::keys::{KeySet, Material, PublicKey};
use crate::json::{self, Json};

/// Keys of a published set. The largest public issuers have about ten; a `kid` is looked for one by one.
pub const MAX_PUBLISHED_KEYS: usize = 100;

/// Reads a JWKS. Keys for other uses than signatures and of unknown kinds are passed over (RFC 7517 section 5).
///
/// # Errors
/// All faults: a symmetric or private key, an RSA key that is too small, a `kid` twice, no usable key, not a JWKS.
pub fn read_jwks(text: &str, allowed: &[SignatureAlgorithm]) -> Result<KeySet, Vec<String>> {
    let (usable, faults) = read_each(text, allowed)?;
    finish(usable, faults)
}

/// Reads the JWKS that an issuer publishes, which nobody here can mend: faulty keys are passed over and told beside the
/// others (RFC 7517 section 5).
///
/// # Errors
/// Nothing of it can be used: not a JWKS, too many keys, a `kid` twice, no usable key.
pub(in crate::auth) fn read_published_jwks(
    text: &str,
    allowed: &[SignatureAlgorithm],
) -> Result<(KeySet, Vec<String>), Vec<String>> {
    let (usable, mut faults) = read_each(text, allowed)?;
    if usable.len() > MAX_PUBLISHED_KEYS {
        return Err(vec![format!("more than {MAX_PUBLISHED_KEYS} keys")]);
    }
    match KeySet::new(usable) {
        Ok(set) => Ok((set, faults)),
        Err(fault) => {
            faults.insert(0, fault);
            Err(faults)
        }
    }
}

type Each = (Vec<PublicKey>, Vec<String>);

fn read_each(text: &str, allowed: &[SignatureAlgorithm]) -> Result<Each, Vec<String>> {
    let set = json::parse(text).map_err(|fault| vec![format!("not JSON: {fault}")])?;
    let Some(keys) = set.get("keys").and_then(Json::as_array) else {
        return Err(vec!["not a JWKS: expected an object with an array `keys`".to_owned()]);
    };
    let (mut usable, mut faults) = (Vec::new(), Vec::new());
    for (index, jwk) in keys.iter().enumerate() {
        match read_jwk(jwk, allowed) {
            Ok(key) => usable.extend(key),
            Err(fault) => faults.push(format!("{}: {fault}", title(index, jwk))),
        }
    }
    Ok((usable, faults))
}

/// Reads one or more `PUBLIC KEY` sections. They may be used with `allowed`, which the configuration must have named.
///
/// # Errors
/// All faults: another kind of section, a key of an unknown kind or too small, no usable key.
pub fn read_pem(text: &str, allowed: &[SignatureAlgorithm]) -> Result<KeySet, Vec<String>> {
    let mut usable = Vec::new();
    let mut faults = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        match pem::from_buf(&mut rest) {
            Ok(None) => break,
            Ok(Some((SectionKind::PublicKey, der))) => match Material::from_spki(&der) {
                Ok(material) => usable.extend(limit(material, None, allowed)),
                Err(fault) => faults.push(fault),
            },
            Ok(Some((kind, _))) => faults.push(format!("a PEM section of the kind {kind:?}, expected PUBLIC KEY")),
            Err(_) => {
                faults.push("not PEM".to_owned());
                break;
            }
        }
    }
    finish(usable, faults)
}

fn finish(usable: Vec<PublicKey>, mut faults: Vec<String>) -> Result<KeySet, Vec<String>> {
    if !faults.is_empty() {
        // Keys that were refused may be the ones missing: only a kid given twice is worth saying too.
        faults.extend(if usable.is_empty() { None } else { KeySet::new(usable).err() });
        return Err(faults);
    }
    KeySet::new(usable).map_err(|fault| vec![fault])
}

fn title(index: usize, jwk: &Json) -> String {
    match jwk.get("kid").and_then(Json::as_str) {
        Some(id) => format!("key {} (kid `{}`)", index + 1, id.escape_debug()),
        None => format!("key {}", index + 1),
    }
}

/// One key; nothing if it is none for us.
fn read_jwk(jwk: &Json, allowed: &[SignatureAlgorithm]) -> Result<Option<PublicKey>, String> {
    let kind = text(jwk, "kty")?.ok_or("`kty` is missing")?;
    if kind == "oct" || jwk.get("k").is_some() {
        return Err("a symmetric key (oct): who can verify with it can also sign, expected public keys only".to_owned());
    }
    if jwk.get("d").is_some() {
        return Err("a private key (`d`), expected public keys only".to_owned());
    }
    if !is_for_signatures(jwk)? {
        return Ok(None);
    }
    let id = text(jwk, "kid")?;
    if id.is_some_and(|id| id.is_empty() || id.len() > MAX_KEY_ID_BYTES) {
        return Err(format!("`kid` is empty or over {MAX_KEY_ID_BYTES} bytes"));
    }
    let Some(material) = read_material(kind, jwk)? else { return Ok(None) };
    let own = match text(jwk, "alg")? {
        None => None,
        Some(word) => match SignatureAlgorithm::from_word(word) {
            None => return Ok(None),
            Some(algorithm) if material.fits.contains(&algorithm) => Some(algorithm),
            Some(algorithm) => return Err(format!("`alg` is {algorithm}, which a key of this kind cannot make")),
        },
    };
    let allowed: Vec<_> = allowed.iter().copied().filter(|algorithm| own.is_none_or(|own| own == *algorithm)).collect();
    Ok(limit(material, id.map(str::to_owned), &allowed))
}

fn is_for_signatures(jwk: &Json) -> Result<bool, String> {
    if text(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Ok(false);
    }
    match jwk.get("key_ops") {
        None => Ok(true),
        Some(operations) => {
            let operations = operations.as_array().ok_or("`key_ops` is not an array")?;
            Ok(operations.iter().any(|operation| operation.as_str() == Some("verify")))
        }
    }
}

fn read_material(kind: &str, jwk: &Json) -> Result<Option<Material>, String> {
    match kind {
        "RSA" => Material::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?).map(Some),
        "EC" => match text(jwk, "crv")?.ok_or("`crv` is missing")? {
            "P-256" => Material::p256(&point(jwk, 32)?).map(Some),
            "P-384" => Material::p384(&point(jwk, 48)?).map(Some),
            _ => Ok(None),
        },
        "OKP" => match text(jwk, "crv")?.ok_or("`crv` is missing")? {
            "Ed25519" => {
                let x = bytes(jwk, "x")?;
                if x.len() == 32 { Material::ed25519(&x).map(Some) } else { Err("`x` is not 32 bytes".to_owned()) }
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The uncompressed form of a point (SEC 1 section 2.3.3); coordinates have their full length (RFC 7518 section 6.2.1.2).
fn point(jwk: &Json, length: usize) -> Result<Vec<u8>, String> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return Err(format!("`x` and `y` must be {length} bytes each"));
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

fn text<'j>(jwk: &'j Json, name: &str) -> Result<Option<&'j str>, String> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| format!("`{name}` is not a string")),
    }
}

fn bytes(jwk: &Json, name: &str) -> Result<Vec<u8>, String> {
    let text = text(jwk, name)?.ok_or_else(|| format!("`{name}` is missing"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("`{name}` is not base64url"))
}

fn limit(material: Material, id: Option<String>, allowed: &[SignatureAlgorithm]) -> Option<PublicKey> {
    let fits = material.fits;
    let algorithms: Vec<_> = fits.iter().copied().filter(|algorithm| allowed.contains(algorithm)).collect();
    if algorithms.is_empty() { None } else { Some(PublicKey { id, algorithms, key: material.key }) }
}
