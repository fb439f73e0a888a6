//! A token as the password of Basic.

use base64::engine::general_purpose::STANDARD;

use super::*;

fn issuer_with_basic() -> IssuerSettings {
    IssuerSettings { basic_password: true, ..issuer() }
}

fn basic(issuer: IssuerSettings, credentials: &[u8]) -> Authentication {
    let value = format!("Basic {}", STANDARD.encode(credentials));
    ask_value(issuer, &[HeaderValue::from_str(&value).unwrap()])
}

fn named(name: &str) -> String {
    sign(HEADER, &claims_with(&[("name", &format!("\"{name}\""))], ""))
}

#[test]
fn the_user_is_the_tokens_subject_or_name() {
    let token = named("Alice A.");
    for user in ["alice", "Alice A."] {
        let identity = identity(basic(issuer_with_basic(), format!("{user}:{token}").as_bytes()));
        assert_eq!((identity.subject(), identity.name()), ("alice", "Alice A."));
    }
    for user in ["", "Alice", "ALICE", "alice ", "bob", "Alice A", "*", "alice\u{200b}"] {
        let answer = basic(issuer_with_basic(), format!("{user}:{token}").as_bytes());
        assert_eq!(fault(answer), TokenFault::WrongUser, "{user}");
    }
    // UTF-8, as RFC 7617 section 2.1 has it.
    let identity = identity(basic(issuer_with_basic(), format!("Zoë:{}", named("Zoë")).as_bytes()));
    assert_eq!(identity.name(), "Zoë");
}

#[test]
fn the_token_is_judged_as_ever() {
    for (token, expected) in [
        (sign(HEADER, &claims_with(&[("exp", &(NOW - 100).to_string())], "")), TokenFault::Expired),
        (sign(HEADER, &claims_with(&[("aud", "\"x\"")], "")), TokenFault::WrongAudience),
        (sign(&HEADER.replace("k1", "k2"), &good_claims()), TokenFault::UnknownKey),
        (format!("{}A", sign(HEADER, &good_claims())), TokenFault::WrongSignature),
        (sign(HEADER, &claims_with(&[("iss", "\"x\"")], "")), TokenFault::UnknownIssuer),
    ] {
        assert_eq!(fault(basic(issuer_with_basic(), format!("alice:{token}").as_bytes())), expected);
    }
}

#[test]
fn a_password_that_is_no_token_is_refused() {
    for password in ["", "secret", "a:b", ":", "a.b", "a.b.c", " "] {
        let answer = basic(issuer_with_basic(), format!("alice:{password}").as_bytes());
        assert_eq!(fault(answer), TokenFault::PasswordNotToken, "{password}");
    }
    // The first colon ends the user name, so that a name with one has a password that is no token.
    let token = sign(HEADER, &good_claims());
    assert_eq!(fault(basic(issuer_with_basic(), format!("a:lice:{token}").as_bytes())), TokenFault::PasswordNotToken);
}

#[test]
fn other_shapes_are_refused() {
    let token = sign(HEADER, &good_claims());
    let good = format!("alice:{token}");
    for credentials in [
        b"".to_vec(),
        b"alice".to_vec(),
        token.clone().into_bytes(),
        [b"\xff:".as_slice(), token.as_bytes()].concat(),
        format!("alice:{token}\n").into_bytes(),
        format!("alice\u{0}:{token}").into_bytes(),
        format!("alice\u{7f}:{token}").into_bytes(),
        format!("alice\u{85}:{token}").into_bytes(),
    ] {
        assert_eq!(fault(basic(issuer_with_basic(), &credentials)), TokenFault::MalformedBasic, "{credentials:?}");
    }
    let encoded = STANDARD.encode(&good);
    for value in [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        format!("Basic {good}"),
        format!("Basic {}", encoded.trim_end_matches('=').get(1..).unwrap()),
        format!("Basic {encoded}="),
        format!("Basic {encoded} x"),
        format!("Basic {encoded},"),
        format!("Basic token=\"{encoded}\""),
    ] {
        let answer = ask_value(issuer_with_basic(), &[HeaderValue::from_str(&value).unwrap()]);
        assert_eq!(fault(answer), TokenFault::MalformedBasic, "{value}");
    }
    for scheme in ["basic", "BASIC", "Basic  "] {
        identity(ask_value(issuer_with_basic(), &[HeaderValue::from_str(&format!("{scheme} {encoded}")).unwrap()]));
    }
    for scheme in ["Basics", "Digest", "Negotiate"] {
        let answer = ask_value(issuer_with_basic(), &[HeaderValue::from_str(&format!("{scheme} {encoded}")).unwrap()]);
        assert_eq!(fault(answer), TokenFault::WrongScheme);
    }
    let long = [b"a".repeat(30_000), b":x".to_vec()].concat();
    assert_eq!(fault(basic(issuer_with_basic(), &long)), TokenFault::TooLarge);
}

#[test]
fn only_the_issuers_that_allow_it_have_it() {
    let token = sign(HEADER, &good_claims());
    let credentials = format!("alice:{token}");
    // Where no issuer does, the scheme is unknown and the password not even read.
    assert_eq!(fault(basic(issuer(), credentials.as_bytes())), TokenFault::WrongScheme);
    let other = IssuerSettings {
        name: "other".to_owned(),
        issuer: "https://issuer.example/other".to_owned(),
        ..issuer_with_basic()
    };
    let authenticator = Authenticator::new(AuthSettings { issuers: vec![issuer(), other] });
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let ask = |value: &str| {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
        at_once(authenticator.authenticate(&headers, now))
    };
    // Verified as a bearer token, so in the cache; as a password it is refused all the same, and then still a good bearer token.
    for _ in 0..2 {
        identity(ask(&format!("Bearer {token}")));
        assert_eq!(fault(ask(&format!("Basic {}", STANDARD.encode(&credentials)))), TokenFault::BasicNotAllowed);
    }
    let allowed = sign(HEADER, &claims_with(&[("iss", "\"https://issuer.example/other\"")], ""));
    for user in ["alice", "bob", "alice"] {
        let answer = ask(&format!("Basic {}", STANDARD.encode(format!("{user}:{allowed}"))));
        assert_eq!(matches!(answer, Authentication::Verified(_)), user == "alice", "{answer:?}");
    }
}

#[test]
fn no_fault_shows_the_password() {
    let canary = "canary-7f3a";
    for credentials in [format!("alice:{canary}"), format!("{canary}:x"), canary.to_owned(), format!("{canary}\n:x")] {
        let fault = fault(basic(issuer_with_basic(), credentials.as_bytes()));
        assert!(!format!("{fault:?} {fault} {}", fault.reason()).contains(canary));
    }
}
