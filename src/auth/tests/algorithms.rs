//! Algorithm confusion (RFC 8725 sections 2.1 and 3.1): a token never widens what its key may be used for.

use serde_json::json;

use super::*;

/// Every `alg` one might write: ours, the symmetric ones, `none` in the spellings that once got through elsewhere.
const WORDS: [&str; 26] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512", "none",
    "None", "NONE", "nOnE", "", " ", "rs256", "es256", "EDDSA", "RS256 ", "ES512", "ES256K", "RSA-OAEP", "dir",
];

fn word(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

fn token(key: &TestKey, header_alg: &str) -> String {
    // Signed as the header says where the key can, else as the key can: the best a forger with the key could do.
    let signing = key.fits.iter().copied().find(|fit| word(*fit) == header_alg).unwrap_or(key.fits[0]);
    let header = json!({"alg": header_alg, "typ": "at+jwt", "kid": "k1"}).to_string();
    sign_with(&key.signing, signing, &header, &good_claims())
}

fn issuer_with(key: &TestKey, more: serde_json::Value, allowed: &[SignatureAlgorithm]) -> IssuerSettings {
    IssuerSettings { keys: read_jwks(&jwks(&[key.jwk_with(more)]), allowed).unwrap().into(), ..issuer() }
}

#[test]
fn only_exact_pairs_of_key_and_alg_pass() {
    let mut passed = 0;
    for key in keys() {
        let mut jwks = vec![(json!({"kid": "k1"}), key.fits.clone())];
        jwks.extend(key.fits.iter().map(|fit| (json!({"kid": "k1", "alg": word(*fit)}), vec![*fit])));
        for (more, fits) in jwks {
            let issuer = issuer_with(key, more, &SignatureAlgorithm::ALL);
            for alg in WORDS {
                let answer = ask_issuer(issuer.clone(), &token(key, alg));
                if fits.iter().any(|fit| word(*fit) == alg) {
                    identity(answer);
                    passed += 1;
                } else {
                    assert_eq!(fault(answer), TokenFault::WrongAlgorithm, "{} {fits:?} {alg}", key.kind);
                }
            }
        }
    }
    assert_eq!(passed, 2 + 2 + 2 + 12);
}

#[test]
fn the_issuer_narrows_what_its_keys_can_do() {
    let rsa = &keys()[3];
    let narrow = issuer_with(rsa, json!({"kid": "k1"}), &[SignatureAlgorithm::Ps256, SignatureAlgorithm::Es256]);
    for alg in WORDS {
        let answer = ask_issuer(narrow.clone(), &token(rsa, alg));
        assert_eq!(matches!(answer, Authentication::Verified(_)), alg == "PS256", "{alg}");
    }
}

#[test]
fn a_signature_of_another_algorithm_of_the_same_key_fails() {
    let rsa = &keys()[3];
    let issuer = issuer_with(rsa, json!({"kid": "k1"}), &SignatureAlgorithm::ALL);
    for signing in &rsa.fits {
        for claimed in &rsa.fits {
            let header = json!({"alg": word(*claimed), "typ": "at+jwt", "kid": "k1"}).to_string();
            let answer = ask_issuer(issuer.clone(), &sign_with(&rsa.signing, *signing, &header, &good_claims()));
            if signing == claimed {
                identity(answer);
            } else {
                assert_eq!(fault(answer), TokenFault::WrongSignature, "{signing:?} {claimed:?}");
            }
        }
    }
}

/// The attack that gave the class its name: the public key, which everybody has, as an HMAC secret.
#[test]
fn a_public_key_is_no_hmac_secret() {
    for key in keys() {
        let pem = read_pem(&key.public_pem, &SignatureAlgorithm::ALL).unwrap();
        let der: Vec<u8> = pem_body(&key.public_pem);
        for secret in
            [key.public_pem.as_bytes(), key.public_pem.trim().as_bytes(), &der, key.jwk.to_string().as_bytes()]
        {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                for claimed in [word(algorithm), word(key.fits[0])] {
                    let header = json!({"alg": claimed, "typ": "at+jwt", "kid": "k1"}).to_string();
                    let forged = sign_with(&EncodingKey::from_secret(secret), algorithm, &header, &good_claims());
                    for keys in [pem.clone(), key_set(&[key.jwk_with(json!({"kid": "k1"}))])] {
                        let fault = fault(ask_issuer(IssuerSettings { keys: keys.into(), ..issuer() }, &forged));
                        assert!(matches!(fault, TokenFault::WrongAlgorithm | TokenFault::WrongSignature), "{fault:?}");
                    }
                }
            }
        }
    }
}

fn pem_body(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn none_needs_no_signature_and_gets_nothing() {
    for alg in ["none", "None", "NONE", "nOnE", "none ", "", "null"] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": "k1"}).to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(good_claims()));
        assert_eq!(fault(ask(&format!("{message}."))), TokenFault::WrongAlgorithm, "{alg}");
        assert_eq!(fault(ask(&message)), TokenFault::Malformed, "{alg}");
    }
    for header in
        [r#"{"typ":"at+jwt"}"#, r#"{"alg":null}"#, r#"{"alg":["ES256"]}"#, r#"{"alg":0}"#, r#"{"ALG":"ES256"}"#]
    {
        assert_eq!(fault(ask(&sign(header, &good_claims()))), TokenFault::MalformedHeader("alg"), "{header}");
    }
}

#[test]
fn a_good_header_with_no_or_another_signature_fails() {
    let good = sign(HEADER, &good_claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = sign(HEADER, &claims_with(&[("sub", "\"bob\"")], ""));
    let (_, other_signature) = other.rsplit_once('.').unwrap();
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for forged in ["", "AA", other_signature, &zeros, signature.get(..84).unwrap(), &format!("{signature}AA")] {
        assert_eq!(fault(ask(&format!("{message}.{forged}"))), TokenFault::WrongSignature, "{forged}");
    }
    identity(ask(&good));
}

#[test]
fn every_bit_of_header_and_claims_is_signed() {
    let good = sign(HEADER, &good_claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    for at in 0..message.len() {
        let mut bytes = message.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let forged = format!("{}.{signature}", String::from_utf8(bytes).unwrap());
        fault(ask(&forged));
    }
}
