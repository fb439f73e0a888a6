//! A token taken apart: one header, one form (RFC 7515 section 7.1), nothing of it believed yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::SignatureAlgorithm;
use super::fault::TokenFault;
use super::{MAX_KEY_ID_BYTES, MAX_TOKEN_BYTES};
use crate::json::{self, Json};

/// Headers by which a token could bring or choose its own key, and `crit`, whose extensions we would have to know
/// (RFC 7515 sections 4.1.2 to 4.1.6 and 4.1.11, RFC 8725 section 3.10).
const FORBIDDEN_HEADERS: [&str; 5] = ["jku", "jwk", "x5u", "x5c", "crit"];

/// A token in its parts.
#[derive(Debug)]
pub(in crate::auth) struct Unverified<'t> {
    pub(in crate::auth) algorithm: SignatureAlgorithm,
    pub(in crate::auth) key_id: Option<String>,
    /// In lower case, without `application/` (RFC 7515 section 4.1.9).
    pub(in crate::auth) media_type: Option<String>,
    pub(in crate::auth) claims: Json,
    pub(in crate::auth) signed: &'t str,
    pub(in crate::auth) signature: &'t str,
}

impl<'t> Unverified<'t> {
    pub(in crate::auth) fn parse(token: &'t str) -> Result<Self, TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        if !signature.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Err(TokenFault::Malformed);
        }
        let header = object(header)?;
        // The unsecured and the encrypted form fail here too: no signature; five parts, so a dot within the claims.
        let claims = object(claims)?;
        for name in FORBIDDEN_HEADERS {
            if header.get(name).is_some() {
                return Err(TokenFault::ForbiddenHeader(name));
            }
        }
        let algorithm = text(&header, "alg")?.ok_or(TokenFault::MalformedHeader("alg"))?;
        let algorithm = SignatureAlgorithm::from_word(algorithm).ok_or(TokenFault::WrongAlgorithm)?;
        let key_id = text(&header, "kid")?;
        if key_id.is_some_and(|id| id.len() > MAX_KEY_ID_BYTES) {
            return Err(TokenFault::MalformedHeader("kid"));
        }
        let key_id = key_id.map(str::to_owned);
        let media_type = text(&header, "typ")?.map(normalize_media_type);
        Ok(Self { algorithm, key_id, media_type, claims, signed, signature })
    }
}

/// Lower case, without the prefix that RFC 7515 section 4.1.9 lets one leave out.
pub(in crate::auth) fn normalize_media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower.strip_prefix("application/").map(str::to_owned).unwrap_or(lower)
}

fn object(part: &str) -> Result<Json, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)?;
    match json::parse_bytes(&bytes) {
        Ok(object @ Json::Object(_)) => Ok(object),
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) | Err(_) => {
            Err(TokenFault::Malformed)
        }
    }
}

fn text<'j>(header: &'j Json, name: &'static str) -> Result<Option<&'j str>, TokenFault> {
    match header.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(TokenFault::MalformedHeader(name)),
    }
}
