//! From claims whose signature is verified to an [`Identity`] (RFC 7519 section 4, RFC 9068 section 4).

use std::time::{Duration, SystemTime};

use super::fault::TokenFault;
use super::identity::Identity;
use super::pointer::Found;
use super::settings::IssuerSettings;
use super::{MAX_GROUPS, MAX_NAME_BYTES, MAX_SUBJECT_BYTES};
use crate::json::Json;

/// 9999-12-31T23:59:59Z, after which RFC 3339 has no way to write a time; in seconds since 1970.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Claims that only id tokens have (OpenID Connect Core sections 2 and 3.3.2.11).
const ID_TOKEN_CLAIMS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// How widespread issuers mark an id token in its claims: Keycloak, Cognito.
const ID_TOKEN_MARKS: [(&str, &str); 2] = [("typ", "ID"), ("token_use", "id")];

/// When a token is valid.
#[derive(Clone, Copy, Debug)]
pub(in crate::auth) struct Validity {
    not_before: Option<Duration>,
    expires: Duration,
    leeway: Duration,
}

impl Validity {
    /// Whether it is valid at this time.
    pub(in crate::auth) fn check(&self, now: SystemTime) -> Result<(), TokenFault> {
        // A clock before 1970 is broken; as zero it makes every nbf fail, and exp cannot be judged by it anyway.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| TokenFault::NotYetValid)?;
        // RFC 7519 section 4.1.4: the current time must be before exp.
        if now >= self.expires.saturating_add(self.leeway) {
            return Err(TokenFault::Expired);
        }
        // Section 4.1.5: it must be at or after nbf.
        if self.not_before.is_some_and(|not_before| now.saturating_add(self.leeway) < not_before) {
            return Err(TokenFault::NotYetValid);
        }
        Ok(())
    }
}

/// The identity that the claims of a token prove, and when. Its signature must have been verified with `issuer`'s own keys.
pub(in crate::auth) fn verify(
    claims: &Json,
    media_type: Option<&str>,
    issuer: &IssuerSettings,
    now: SystemTime,
) -> Result<(Identity, Validity), TokenFault> {
    // Cannot differ: the issuer was found by it. Asked again so that nothing before this line need be trusted.
    if required_text(claims, "iss")? != issuer.issuer {
        return Err(TokenFault::UnknownIssuer);
    }
    verify_audience(claims, &issuer.audiences)?;
    let validity = validity(claims, issuer.leeway)?;
    validity.check(now)?;
    let expires_at = SystemTime::UNIX_EPOCH.checked_add(validity.expires).ok_or(TokenFault::MalformedClaim("exp"))?;
    verify_is_access_token(claims, media_type, issuer)?;
    let subject = subject(claims)?;
    let identity = Identity {
        issuer_name: issuer.name.clone(),
        issuer: issuer.issuer.clone(),
        name: name(claims, issuer).unwrap_or(subject).to_owned(),
        groups: groups(claims, issuer)?,
        subject: subject.to_owned(),
        expires_at,
    };
    Ok((identity, validity))
}

/// `aud` is one string or an array of them (RFC 7519 section 4.1.3).
fn verify_audience(claims: &Json, accepted: &[String]) -> Result<(), TokenFault> {
    let is_ours = |audience: &str| accepted.iter().any(|ours| ours == audience);
    let found = match claims.get("aud") {
        None => return Err(TokenFault::MissingClaim("aud")),
        Some(Json::String(audience)) => is_ours(audience),
        Some(Json::Array(items)) => {
            let audiences = strings(items).ok_or(TokenFault::MalformedClaim("aud"))?;
            audiences.into_iter().any(is_ours)
        }
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) => {
            return Err(TokenFault::MalformedClaim("aud"));
        }
    };
    if found { Ok(()) } else { Err(TokenFault::WrongAudience) }
}

/// Reads `exp`, `nbf` and the form of `iat`.
fn validity(claims: &Json, leeway: Duration) -> Result<Validity, TokenFault> {
    let expires = time(claims, "exp")?.ok_or(TokenFault::MissingClaim("exp"))?;
    let not_before = time(claims, "nbf")?;
    time(claims, "iat")?;
    Ok(Validity { not_before, expires, leeway })
}

/// A NumericDate (RFC 7519 section 2): a number of seconds since 1970, fractions allowed.
fn time(claims: &Json, name: &'static str) -> Result<Option<Duration>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(text)) => text
            .parse::<f64>()
            .ok()
            .filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(Some)
            .ok_or(TokenFault::MalformedClaim(name)),
        Some(Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_)) => {
            Err(TokenFault::MalformedClaim(name))
        }
    }
}

/// An id token is for the client that asked for it and opens nothing (RFC 9068 section 2.1, RFC 8725 section 3.11).
fn verify_is_access_token(claims: &Json, media_type: Option<&str>, issuer: &IssuerSettings) -> Result<(), TokenFault> {
    let has_claim = ID_TOKEN_CLAIMS.iter().any(|name| claims.get(name).is_some());
    let has_mark = ID_TOKEN_MARKS.iter().any(|(name, mark)| claims.get(name).and_then(Json::as_str) == Some(mark));
    if has_claim || has_mark {
        return Err(TokenFault::IdToken);
    }
    if !issuer.access_token.accepts_type(media_type) {
        return Err(TokenFault::WrongType);
    }
    if let Some(parties) = issuer.access_token.parties() {
        let party = required_text(claims, "azp")?;
        if !parties.iter().any(|accepted| accepted == party) {
            return Err(TokenFault::WrongParty);
        }
    }
    Ok(())
}

fn subject(claims: &Json) -> Result<&str, TokenFault> {
    let subject = required_text(claims, "sub")?;
    if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES || subject.chars().any(char::is_control) {
        return Err(TokenFault::MalformedClaim("sub"));
    }
    Ok(subject)
}

/// The name to show; one that cannot be shown is as good as none.
fn name<'j>(claims: &'j Json, issuer: &IssuerSettings) -> Option<&'j str> {
    match issuer.name_claim.as_ref()?.find(claims) {
        Found::Absent | Found::Blocked => None,
        Found::Value(value) => value
            .as_str()
            .filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)),
    }
}

fn groups(claims: &Json, issuer: &IssuerSettings) -> Result<Vec<String>, TokenFault> {
    let Some(pointer) = &issuer.groups_claim else { return Ok(Vec::new()) };
    let items = match pointer.find(claims) {
        Found::Absent => return Ok(Vec::new()),
        Found::Blocked => return Err(TokenFault::MalformedGroups),
        Found::Value(value) => value.as_array().ok_or(TokenFault::MalformedGroups)?,
    };
    if items.len() > MAX_GROUPS {
        return Err(TokenFault::TooManyGroups);
    }
    let groups = strings(items).ok_or(TokenFault::MalformedGroups)?;
    Ok(groups.into_iter().map(str::to_owned).collect())
}

fn required_text<'j>(claims: &'j Json, name: &'static str) -> Result<&'j str, TokenFault> {
    let value = claims.get(name).ok_or(TokenFault::MissingClaim(name))?;
    value.as_str().ok_or(TokenFault::MalformedClaim(name))
}

fn strings(items: &[Json]) -> Option<Vec<&str>> {
    items.iter().map(Json::as_str).collect()
}
