//! What authentication promises, asked only through [`Authenticator::authenticate`] and the readers of key files.

mod algorithms;
mod basic;
mod cache;
mod claims;
mod fetching;
mod headers;
mod issuer;
mod key_files;
mod rotation;

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, RsaKeySize};

use super::*;

/// 2027-01-15T08:00:00Z, the time of all tests, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

const ISSUER: &str = "https://issuer.example/dev";

/// A private key of each kind, made once.
struct TestKey {
    kind: &'static str,
    signing: EncodingKey,
    public_pem: String,
    /// The JWK without `kid`, `use` and `alg`.
    jwk: serde_json::Value,
    /// What it can sign with; the first is what the tests of other things use.
    fits: Vec<Algorithm>,
}

fn keys() -> &'static [TestKey] {
    static KEYS: OnceLock<Vec<TestKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let p256 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        use Algorithm::*;
        vec![
            test_key("P-256", &p256, EncodingKey::from_ec_pem, vec![ES256]),
            test_key("P-384", &p384, EncodingKey::from_ec_pem, vec![ES384]),
            test_key("Ed25519", &ed25519, |_| Ok(ed_key(&ed25519)), vec![EdDSA]),
            test_key("RSA", &rsa, EncodingKey::from_rsa_pem, vec![RS256, RS384, RS512, PS256, PS384, PS512]),
        ]
    })
}

/// The library's own reader of PEM takes only keys without their public half.
fn ed_key(pair: &KeyPair) -> EncodingKey {
    EncodingKey::from_ed_der(&pair.serialize_der())
}

fn test_key(
    kind: &'static str,
    pair: &KeyPair,
    read: impl Fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>,
    fits: Vec<Algorithm>,
) -> TestKey {
    let signing = read(pair.serialize_pem().as_bytes()).unwrap();
    let jwk = match kind {
        "Ed25519" => serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw()),
        }),
        _ => {
            let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&signing, fits[0]).unwrap()).unwrap();
            jwk.as_object_mut().unwrap().remove("alg");
            jwk
        }
    };
    TestKey { kind, signing, public_pem: pair.public_key_pem(), jwk, fits }
}

impl TestKey {
    fn jwk_with(&self, more: serde_json::Value) -> serde_json::Value {
        let mut jwk = self.jwk.clone();
        jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        jwk
    }
}

/// The key of tests that are not about keys.
fn p256() -> &'static TestKey {
    &keys()[0]
}

fn jwks(keys: &[serde_json::Value]) -> String {
    serde_json::json!({ "keys": keys }).to_string()
}

fn key_set(keys: &[serde_json::Value]) -> KeySet {
    read_jwks(&jwks(keys), &SignatureAlgorithm::ALL).unwrap()
}

/// An issuer with the P-256 key, named `k1`.
fn issuer() -> IssuerSettings {
    IssuerSettings {
        name: "dev".to_owned(),
        issuer: ISSUER.to_owned(),
        audiences: vec!["msq-gate".to_owned(), "other".to_owned()],
        keys: key_set(&[p256().jwk_with(serde_json::json!({"kid": "k1"}))]).into(),
        basic_password: false,
        access_token: AccessTokenRule::new(Some("at+jwt"), Vec::new()).unwrap(),
        name_claim: ClaimPointer::parse("/name"),
        groups_claim: ClaimPointer::parse("/groups"),
        leeway: Duration::from_secs(60),
    }
}

const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt","kid":"k1"}"#;

/// Good claims, of which `with` replaces or adds some and `without` drops one; values are JSON texts.
fn claims_with(changes: &[(&str, &str)], without: &str) -> String {
    let (expires, starts) = ((NOW + 600).to_string(), (NOW - 600).to_string());
    let (issuer, subject) = (format!("\"{ISSUER}\""), "\"alice\"".to_owned());
    let mut all = vec![
        ("iss", issuer.as_str()),
        ("aud", "\"msq-gate\""),
        ("sub", subject.as_str()),
        ("exp", expires.as_str()),
        ("nbf", starts.as_str()),
        ("iat", starts.as_str()),
    ];
    all.retain(|(name, _)| *name != without && changes.iter().all(|(changed, _)| changed != name));
    all.extend(changes);
    let members: Vec<_> = all.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn good_claims() -> String {
    claims_with(&[], "")
}

fn sign_with(key: &EncodingKey, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn sign(header: &str, claims: &str) -> String {
    sign_with(&p256().signing, Algorithm::ES256, header, claims)
}

/// Where all keys are from files nothing is waited for.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

fn ask_value(issuer: IssuerSettings, authorization: &[HeaderValue]) -> Authentication {
    let mut headers = HeaderMap::new();
    for value in authorization {
        headers.append(AUTHORIZATION, value.clone());
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    at_once(Authenticator::new(AuthSettings { issuers: vec![issuer] }).authenticate(&headers, now))
}

fn ask_issuer(issuer: IssuerSettings, token: &str) -> Authentication {
    ask_value(issuer, &[HeaderValue::from_str(&format!("Bearer {token}")).unwrap()])
}

fn ask(token: &str) -> Authentication {
    ask_issuer(issuer(), token)
}

#[track_caller]
fn identity(answer: Authentication) -> Identity {
    match answer {
        Authentication::Verified(identity) => Arc::unwrap_or_clone(identity),
        other => panic!("expected an identity, got {other:?}"),
    }
}

#[track_caller]
fn fault(answer: Authentication) -> TokenFault {
    match answer {
        Authentication::Refused(fault) => fault,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_good_token_gives_its_identity() {
    let claims = claims_with(&[("name", "\"Alice\""), ("groups", "[\"a\",\"b\"]")], "");
    let identity = identity(ask(&sign(HEADER, &claims)));
    assert_eq!(identity.issuer_name(), "dev");
    assert_eq!(identity.issuer(), ISSUER);
    assert_eq!(identity.subject(), "alice");
    assert_eq!(identity.name(), "Alice");
    assert_eq!(identity.groups(), ["a", "b"]);
    assert_eq!(identity.expires_at(), SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 600));
}

#[test]
fn the_issuer_is_found_by_iss_and_only_its_own_keys_count() {
    let other = IssuerSettings {
        name: "other".to_owned(),
        issuer: "https://issuer.example/other".to_owned(),
        keys: key_set(&[keys()[1].jwk_with(serde_json::json!({"kid": "k1"}))]).into(),
        ..issuer()
    };
    let authenticator = Authenticator::new(AuthSettings { issuers: vec![issuer(), other] });
    let ask = |key: usize, algorithm, issuer: &str| {
        let header = format!(r#"{{"alg":"{algorithm:?}","typ":"at+jwt","kid":"k1"}}"#);
        let claims = claims_with(&[("iss", &format!("\"{issuer}\""))], "");
        let token = sign_with(&keys()[key].signing, algorithm, &header, &claims);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        at_once(authenticator.authenticate(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)))
    };
    assert_eq!(identity(ask(0, Algorithm::ES256, ISSUER)).issuer_name(), "dev");
    assert_eq!(identity(ask(1, Algorithm::ES384, "https://issuer.example/other")).issuer_name(), "other");
    assert_eq!(fault(ask(1, Algorithm::ES384, ISSUER)), TokenFault::WrongAlgorithm);
    assert_eq!(fault(ask(0, Algorithm::ES256, "https://issuer.example/other")), TokenFault::WrongAlgorithm);
    for stranger in ["https://issuer.example/de", "https://issuer.example/dev/", "HTTPS://issuer.example/dev", ""] {
        assert_eq!(fault(ask(0, Algorithm::ES256, stranger)), TokenFault::UnknownIssuer, "{stranger}");
    }
}

#[test]
fn no_fault_shows_any_of_the_token() {
    let canary = "canary-7f3a";
    let kid = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{canary}"}}"#);
    let subject = format!("\"{canary}\\u0007\"");
    for token in [
        canary.to_owned(),
        sign(&kid, &good_claims()),
        sign(&format!(r#"{{"alg":"{canary}"}}"#), &good_claims()),
        sign(HEADER, &claims_with(&[("sub", &subject)], "")),
        sign(HEADER, &claims_with(&[("iss", &format!("\"{canary}\""))], "")),
        sign(HEADER, &claims_with(&[("aud", &format!("\"{canary}\""))], "")),
    ] {
        let fault = fault(ask(&token));
        let shown = format!("{fault:?} {fault} {} {} {}", fault.public_message(), fault.reason(), fault.oauth_error());
        assert!(!shown.contains(canary), "{shown}");
        assert!(!fault.public_message().contains(['"', '\\']), "not fit for error_description: {shown}");
    }
}
