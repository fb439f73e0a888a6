//! The `Authorization` header and the header of the token.

use super::*;

fn values(texts: &[&str]) -> Vec<HeaderValue> {
    texts.iter().map(|text| HeaderValue::from_bytes(text.as_bytes()).unwrap()).collect()
}

#[test]
fn no_header_is_absent_and_nothing_else_is() {
    assert_eq!(ask_value(issuer(), &[]), Authentication::Absent);
    for value in ["", " ", "Bearer", "Bearer ", "bearer", "Basic", "null", "undefined"] {
        fault(ask_value(issuer(), &values(&[value])));
    }
}

#[test]
fn the_scheme_is_bearer_in_any_case() {
    let token = sign(HEADER, &good_claims());
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        identity(ask_value(issuer(), &values(&[&format!("{scheme} {token}")])));
        identity(ask_value(issuer(), &values(&[&format!("{scheme}   {token}")])));
    }
    for value in [
        "Basic YWxpY2U6cHc=".to_owned(),
        "Negotiate YII".to_owned(),
        "DPoP abc".to_owned(),
        format!("Bearer,{token}"),
        format!("Bearer\t{token}"),
        format!(" Bearer {token}"),
        format!("BearerX {token}"),
        format!("Bear {token}"),
        token.clone(),
    ] {
        assert_eq!(fault(ask_value(issuer(), &values(&[&value]))), TokenFault::WrongScheme, "{value}");
    }
    for value in [format!("Bearer Bearer {token}"), format!("Bearer {token}, Basic x"), format!("Bearer {token} x")] {
        assert_eq!(fault(ask_value(issuer(), &values(&[&value]))), TokenFault::Malformed, "{value}");
    }
}

#[test]
fn two_headers_are_refused_even_if_both_are_good() {
    let good = format!("Bearer {}", sign(HEADER, &good_claims()));
    for pair in [[good.as_str(), good.as_str()], [&good, "Basic x"], ["Basic x", &good], [&good, ""]] {
        assert_eq!(fault(ask_value(issuer(), &values(&pair))), TokenFault::SeveralHeaders);
    }
}

#[test]
fn other_bytes_than_text_are_refused() {
    let good = format!("Bearer {}", sign(HEADER, &good_claims()));
    for bytes in [[good.as_bytes(), b"\xff"].concat(), "Bearer ü".as_bytes().to_vec(), b"Bearer \x80".to_vec()] {
        let value = HeaderValue::from_bytes(&bytes).unwrap();
        assert_eq!(fault(ask_value(issuer(), &[value])), TokenFault::HeaderNotText);
    }
}

#[test]
fn a_token_has_its_bound() {
    let padded = |length: usize| sign(HEADER, &claims_with(&[("x", &format!("\"{}\"", "x".repeat(length)))], ""));
    let mut length = 11_000;
    while padded(length).len() < MAX_TOKEN_BYTES {
        length += 1;
    }
    // Base64 grows by steps, so the bound itself may be stepped over.
    let (below, above) = (padded(length - 1), padded(length + 1));
    assert!(below.len() <= MAX_TOKEN_BYTES && above.len() > MAX_TOKEN_BYTES);
    identity(ask(&below));
    assert_eq!(fault(ask(&above)), TokenFault::TooLarge);
    assert_eq!(fault(ask(&"A".repeat(MAX_TOKEN_BYTES))), TokenFault::Malformed);
    assert_eq!(fault(ask(&"A".repeat(MAX_TOKEN_BYTES + 1))), TokenFault::TooLarge);
}

#[test]
fn only_the_compact_form_of_three_parts_is_read() {
    let good = sign(HEADER, &good_claims());
    let parts: Vec<&str> = good.split('.').collect();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        parts[..2].join("."),
        format!("{good}.{}", parts[2]),
        format!("{}.{}.{}.{}.{}", parts[0], "", "", parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", encode("[]"), parts[1], parts[2]),
        format!("{}.{}.{}", encode("\"x\""), parts[1], parts[2]),
        format!("{}.{}.{}", encode(&format!("{HEADER}x")), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encode("null"), parts[2]),
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}"), parts[2]),
        format!("{}.{}.{}", parts[0], encode(&"[".repeat(5_000)), parts[2]),
        r#"{"protected":"e30","payload":"e30","signature":""}"#.to_owned(),
    ] {
        assert_eq!(fault(ask(&token)), TokenFault::Malformed, "{token}");
    }
}

#[test]
fn a_key_twice_has_no_meaning() {
    for header in
        [r#"{"alg":"ES256","typ":"at+jwt","alg":"ES256"}"#, r#"{"alg":"none","\u0061lg":"ES256","typ":"at+jwt"}"#]
    {
        assert_eq!(fault(ask(&sign(header, &good_claims()))), TokenFault::Malformed, "{header}");
    }
    let twice = |member: &str| good_claims().replacen('{', &format!("{{{member},"), 1);
    for member in [r#""sub":"root""#, r#""\u0073ub":"root""#, r#""exp":9999999999"#, r#""x":{"a":1,"a":1}"#] {
        assert_eq!(fault(ask(&sign(HEADER, &twice(member)))), TokenFault::Malformed, "{member}");
    }
}

#[test]
fn a_token_cannot_bring_its_key_or_an_extension() {
    for name in ["jku", "jwk", "x5u", "x5c", "crit"] {
        for value in ["\"https://evil.example/keys\"", "{}", "[]", "[\"b64\"]", "null", "\"\""] {
            let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"k1","{name}":{value}}}"#);
            assert_eq!(fault(ask(&sign(&header, &good_claims()))), TokenFault::ForbiddenHeader(name), "{header}");
        }
    }
    // Others are without effect (RFC 7515 section 4).
    identity(ask(&sign(r#"{"alg":"ES256","typ":"at+jwt","kid":"k1","x5t":"abc","foo":1}"#, &good_claims())));
}

#[test]
fn kid_only_picks() {
    let header = |kid: &str| format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":{kid}}}"#);
    for (kid, expected) in [
        ("\"k2\"", TokenFault::UnknownKey),
        ("\"K1\"", TokenFault::UnknownKey),
        ("\"\"", TokenFault::UnknownKey),
        ("\"../../etc/passwd\"", TokenFault::UnknownKey),
        ("\"k1' OR '1'='1\"", TokenFault::UnknownKey),
        ("1", TokenFault::MalformedHeader("kid")),
        ("null", TokenFault::MalformedHeader("kid")),
        ("[\"k1\"]", TokenFault::MalformedHeader("kid")),
    ] {
        assert_eq!(fault(ask(&sign(&header(kid), &good_claims()))), expected, "{kid}");
    }
    let long = |length: usize| header(&format!("\"{}\"", "k".repeat(length)));
    assert_eq!(fault(ask(&sign(&long(256), &good_claims()))), TokenFault::UnknownKey);
    assert_eq!(fault(ask(&sign(&long(257), &good_claims()))), TokenFault::MalformedHeader("kid"));
}

#[test]
fn without_kid_one_key_must_fit() {
    let header = r#"{"alg":"ES256","typ":"at+jwt"}"#;
    let token = sign(header, &good_claims());
    let ask_keys =
        |keys: &[serde_json::Value]| ask_issuer(IssuerSettings { keys: key_set(keys).into(), ..issuer() }, &token);
    let named = |key: usize, id: &str| keys()[key].jwk_with(serde_json::json!({"kid": id}));
    identity(ask_keys(&[named(0, "k1")]));
    identity(ask_keys(&[named(3, "r"), named(0, "k1"), named(1, "k2")]));
    assert_eq!(fault(ask_keys(&[named(3, "r")])), TokenFault::WrongAlgorithm);
    assert_eq!(fault(ask_keys(&[named(0, "k1"), named(0, "k2")])), TokenFault::AmbiguousKey);
    assert_eq!(fault(ask_keys(&[p256().jwk.clone(), p256().jwk.clone()])), TokenFault::AmbiguousKey);
}

/// A PEM file has no place for a `kid`, yet most issuers write one.
#[test]
fn a_kid_that_no_key_has_can_mean_a_key_without() {
    let ask_keys = |keys: &[serde_json::Value]| {
        ask_issuer(IssuerSettings { keys: key_set(keys).into(), ..issuer() }, &sign(HEADER, &good_claims()))
    };
    let other = keys()[1].jwk_with(serde_json::json!({"kid": "other"}));
    identity(ask_keys(&[p256().jwk.clone()]));
    identity(ask_keys(&[p256().jwk.clone(), other.clone()]));
    assert_eq!(fault(ask_keys(&[other])), TokenFault::UnknownKey);
    let pem = read_pem(&p256().public_pem, &[SignatureAlgorithm::Es256]).unwrap();
    identity(ask_issuer(IssuerSettings { keys: pem.into(), ..issuer() }, &sign(HEADER, &good_claims())));
}
