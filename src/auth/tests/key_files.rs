//! JWKS and PEM files.

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn faults(text: &str) -> Vec<String> {
    read_jwks(text, &SignatureAlgorithm::ALL).expect_err("expected faults")
}

#[track_caller]
fn one_fault(jwk: Value, expected: &str) {
    let found = faults(&jwks(&[jwk]));
    assert!(found.len() == 1 && found[0].contains(expected), "{found:?} should say {expected}");
}

#[test]
fn all_kinds_of_keys_are_read_from_both_kinds_of_files() {
    for key in keys() {
        for set in
            [key_set(std::slice::from_ref(&key.jwk)), read_pem(&key.public_pem, &SignatureAlgorithm::ALL).unwrap()]
        {
            assert_eq!(set.count(), 1);
            let algorithm = key.fits[0];
            let header = json!({"alg": format!("{algorithm:?}"), "typ": "at+jwt"}).to_string();
            let token = sign_with(&key.signing, algorithm, &header, &good_claims());
            identity(ask_issuer(IssuerSettings { keys: set.into(), ..issuer() }, &token));
        }
    }
}

#[test]
fn a_symmetric_key_is_refused_and_named() {
    let found = faults(&jwks(&[
        p256().jwk_with(json!({"kid": "good"})),
        json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "oct", "k": "c2VjcmV0", "use": "enc"}),
        p256().jwk_with(json!({"k": "c2VjcmV0"})),
    ]));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("key 2 (kid `shared`): a symmetric key"), "{}", found[0]);
    assert!(found[1].starts_with("key 3: a symmetric key"), "{}", found[1]);
    assert!(!found.concat().contains("c2VjcmV0"));
}

#[test]
fn a_private_key_is_refused() {
    one_fault(p256().jwk_with(json!({"d": "c2VjcmV0"})), "a private key");
    one_fault(keys()[3].jwk_with(json!({"d": "c2VjcmV0", "use": "enc"})), "a private key");
}

#[test]
fn small_and_odd_rsa_keys_are_refused() {
    let rsa = |modulus: &[u8], exponent: &[u8]| json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent)});
    let modulus = URL_SAFE_NO_PAD.decode(keys()[3].jwk["n"].as_str().unwrap()).unwrap();
    key_set(&[rsa(&modulus, &[1, 0, 1])]);
    // Some writers put a zero before.
    key_set(&[rsa(&[&[0], modulus.as_slice()].concat(), &[0, 1, 0, 1])]);
    one_fault(rsa(&[0xff; 128], &[1, 0, 1]), "1024 bits");
    one_fault(rsa(&[&[0x7f][..], &[0xff; 255]].concat(), &[1, 0, 1]), "2047 bits");
    one_fault(rsa(&[&[0; 128][..], &[0xff; 128]].concat(), &[1, 0, 1]), "1024 bits");
    one_fault(rsa(&[0xff; 1025], &[1, 0, 1]), "8200 bits");
    one_fault(rsa(&[], &[1, 0, 1]), "0 bits");
    one_fault(rsa(&modulus, &[1]), "not an RSA public key");
    one_fault(rsa(&modulus, &[]), "not an RSA public key");
    one_fault(rsa(&modulus, &[2]), "not an RSA public key");
}

#[test]
fn points_off_the_curve_and_short_coordinates_are_refused() {
    let point = |crv: &str, length: usize| {
        let coordinate = URL_SAFE_NO_PAD.encode(vec![1; length]);
        json!({"kty": "EC", "crv": crv, "x": coordinate, "y": coordinate})
    };
    one_fault(point("P-256", 32), "not a public key on P-256");
    one_fault(point("P-384", 48), "not a public key on P-384");
    one_fault(point("P-256", 31), "must be 32 bytes");
    one_fault(point("P-384", 32), "must be 48 bytes");
    one_fault(json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}), "not 32 bytes");
    one_fault(keys()[1].jwk_with(json!({"crv": "P-256"})), "must be 32 bytes");
}

#[test]
fn keys_for_other_uses_and_of_other_kinds_are_passed_over() {
    for more in [
        json!({"use": "enc"}),
        json!({"use": "tls"}),
        json!({"key_ops": ["encrypt"]}),
        json!({"key_ops": []}),
        json!({"alg": "ECDH-ES"}),
        json!({"alg": "ES256K"}),
        json!({"crv": "P-521"}),
        json!({"crv": "secp256k1"}),
        json!({"kty": "AKP"}),
    ] {
        let other = p256().jwk_with(more.clone());
        assert_eq!(key_set(&[other.clone(), p256().jwk.clone()]).count(), 1, "{more}");
        one_fault(other, "no key that can verify");
    }
    for more in
        [json!({"use": "sig"}), json!({"key_ops": ["verify"]}), json!({"x5c": ["AAAA"]}), json!({"alg": "ES256"})]
    {
        assert_eq!(key_set(&[p256().jwk_with(more.clone())]).count(), 1, "{more}");
    }
}

#[test]
fn malformed_members_are_refused() {
    one_fault(json!({}), "`kty` is missing");
    one_fault(json!({"kty": 1}), "`kty` is not a string");
    one_fault(json!({"kty": "EC"}), "`crv` is missing");
    one_fault(json!({"kty": "RSA", "e": "AQAB"}), "`n` is missing");
    one_fault(json!({"kty": "RSA", "n": "a+b", "e": "AQAB"}), "`n` is not base64url");
    one_fault(p256().jwk_with(json!({"kid": 1})), "`kid` is not a string");
    one_fault(p256().jwk_with(json!({"kid": ""})), "`kid` is empty or over 256 bytes");
    one_fault(p256().jwk_with(json!({"kid": "k".repeat(257)})), "`kid` is empty or over 256 bytes");
    one_fault(p256().jwk_with(json!({"use": 1})), "`use` is not a string");
    one_fault(p256().jwk_with(json!({"key_ops": "verify"})), "`key_ops` is not an array");
    one_fault(p256().jwk_with(json!({"alg": "RS256"})), "`alg` is RS256, which a key of this kind cannot make");
    one_fault(keys()[1].jwk_with(json!({"alg": "ES256"})), "`alg` is ES256, which a key of this kind cannot make");
}

#[test]
fn a_kid_twice_is_refused() {
    let named = |key: usize, id: &str| keys()[key].jwk_with(json!({"kid": id}));
    assert_eq!(faults(&jwks(&[named(0, "a"), named(1, "b"), named(2, "a")])), ["two keys have the kid `a`"]);
    assert_eq!(key_set(&[named(0, "a"), named(1, "A"), keys()[2].jwk.clone(), keys()[2].jwk.clone()]).count(), 4);
}

#[test]
fn what_is_no_jwks_is_refused() {
    for (text, expected) in [
        ("", "not JSON"),
        ("{\"keys\":[]", "not JSON"),
        ("{\"keys\":[],\"keys\":[]}", "not JSON"),
        ("[]", "not a JWKS"),
        ("{}", "not a JWKS"),
        ("{\"keys\":{}}", "not a JWKS"),
        ("{\"keys\":[]}", "no key that can verify"),
        ("{\"keys\":[1]}", "`kty` is missing"),
    ] {
        let found = faults(text);
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
    }
}

#[test]
fn pem_holds_public_keys_only() {
    let read = |text: &str| read_pem(text, &SignatureAlgorithm::ALL).map(|set| set.count());
    let all: String = keys().iter().map(|key| key.public_pem.as_str()).collect();
    assert_eq!(read(&all), Ok(4));
    let private = KeyPair::generate().unwrap().serialize_pem();
    for (text, expected) in [
        ("", "no key that can verify"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "neither RSA, P-256, P-384 nor Ed25519"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n", "not PEM"),
        (&private, "expected PUBLIC KEY"),
    ] {
        let found = read(text).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
    }
    // Only what is allowed: an RSA key beside `algorithms = ["ES256"]` is of no use.
    assert!(read_pem(&keys()[3].public_pem, &[SignatureAlgorithm::Es256]).is_err());
}
