//! The claims: their types, their times, and whose they are.

use super::*;

#[track_caller]
fn refused(changes: &[(&str, &str)], expected: TokenFault) {
    assert_eq!(fault(ask(&sign(HEADER, &claims_with(changes, "")))), expected, "{changes:?}");
}

#[track_caller]
fn accepted(changes: &[(&str, &str)]) -> Identity {
    identity(ask(&sign(HEADER, &claims_with(changes, ""))))
}

#[test]
fn four_claims_are_required_and_two_are_not() {
    for name in ["iss", "aud", "exp", "sub"] {
        let token = sign(HEADER, &claims_with(&[], name));
        assert_eq!(fault(ask(&token)), TokenFault::MissingClaim(name));
    }
    for name in ["nbf", "iat"] {
        identity(ask(&sign(HEADER, &claims_with(&[], name))));
    }
}

/// CVE-2026-25537 of the library: a time of the wrong type was as good as none.
#[test]
fn a_malformed_time_is_never_an_absent_one() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            "\"1800000000\"",
            "\"\"",
            "null",
            "true",
            "[1800000000]",
            "{}",
            "1e400",
            "-1e400",
            "-1",
            "-0.5",
            "1e12",
            "253402300800",
            "99999999999999999999999999",
        ] {
            refused(&[(name, value)], TokenFault::MalformedClaim(name));
        }
    }
}

#[test]
fn times_may_have_fractions_and_exponents() {
    accepted(&[("exp", "1800000600.5"), ("nbf", "1.8e9"), ("iat", "1800000000.0")]);
    accepted(&[("exp", "253402300799"), ("nbf", "0"), ("iat", "9999999999")]);
    assert_eq!(
        accepted(&[("exp", "1800000600.5")]).expires_at(),
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_600_500)
    );
}

#[test]
fn expiry_and_start_at_the_edges_of_the_leeway() {
    for (leeway, offset, is_valid) in [
        (60, -59, true),
        (60, -60, false),
        (60, -61, false),
        (0, 1, true),
        (0, 0, false),
        (0, -1, false),
        (300, -299, true),
        (300, -300, false),
    ] {
        let issuer = IssuerSettings { leeway: Duration::from_secs(leeway), ..issuer() };
        let expires = NOW.saturating_add_signed(offset).to_string();
        let answer = ask_issuer(issuer, &sign(HEADER, &claims_with(&[("exp", &expires)], "")));
        if is_valid {
            identity(answer);
        } else {
            assert_eq!(fault(answer), TokenFault::Expired, "leeway {leeway}, exp {offset}");
        }
    }
    for (leeway, offset, is_valid) in [
        (60, 59, true),
        (60, 60, true),
        (60, 61, false),
        (0, 0, true),
        (0, 1, false),
        (300, 300, true),
        (300, 301, false),
    ] {
        let issuer = IssuerSettings { leeway: Duration::from_secs(leeway), ..issuer() };
        let starts = NOW.saturating_add_signed(offset).to_string();
        let answer = ask_issuer(issuer, &sign(HEADER, &claims_with(&[("nbf", &starts)], "")));
        if is_valid {
            identity(answer);
        } else {
            assert_eq!(fault(answer), TokenFault::NotYetValid, "leeway {leeway}, nbf {offset}");
        }
    }
}

#[test]
fn a_clock_before_1970_accepts_nothing() {
    let headers =
        HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {}", sign(HEADER, &good_claims())).parse().unwrap())]);
    let authenticator = Authenticator::new(AuthSettings { issuers: vec![issuer()] });
    let now = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert_eq!(fault(at_once(authenticator.authenticate(&headers, now))), TokenFault::NotYetValid);
}

#[test]
fn the_audience_is_a_string_or_an_array_of_them() {
    for value in ["\"msq-gate\"", "\"other\"", "[\"msq-gate\"]", "[\"x\",\"other\"]"] {
        accepted(&[("aud", value)]);
    }
    for value in ["\"\"", "\"MSQ-GATE\"", "\"msq-gate \"", "\"msq\"", "[]", "[\"x\"]", "\"msq-gate,other\""] {
        refused(&[("aud", value)], TokenFault::WrongAudience);
    }
    for value in ["null", "1", "true", "{}", "{\"msq-gate\":1}", "[\"msq-gate\",1]", "[null]", "[[\"msq-gate\"]]"] {
        refused(&[("aud", value)], TokenFault::MalformedClaim("aud"));
    }
}

#[test]
fn iss_and_sub_are_strings() {
    for value in ["null", "1", "[\"https://issuer.example/dev\"]", "{}"] {
        refused(&[("iss", value)], TokenFault::MalformedClaim("iss"));
        refused(&[("sub", value)], TokenFault::MalformedClaim("sub"));
    }
}

#[test]
fn a_subject_is_short_and_can_be_printed() {
    let long = |length: usize| format!("\"{}\"", "s".repeat(length));
    assert_eq!(accepted(&[("sub", &long(256))]).subject().len(), 256);
    refused(&[("sub", &long(257))], TokenFault::MalformedClaim("sub"));
    for value in [r#""""#, r#""a\nb""#, r#""a\u0000""#, r#""\u001b[31m""#, r#""a\u007f""#, r#""a\u0085b""#] {
        refused(&[("sub", value)], TokenFault::MalformedClaim("sub"));
    }
    assert_eq!(accepted(&[("sub", "\"Ünï 7@x|y\"")]).subject(), "Ünï 7@x|y");
}

#[test]
fn a_name_that_cannot_be_shown_gives_way_to_the_subject() {
    assert_eq!(accepted(&[("name", "\"Alice B.\"")]).name(), "Alice B.");
    let long = format!("\"{}\"", "n".repeat(257));
    for value in ["1", "null", "\"\"", "[\"x\"]", r#""a\nb""#, &long] {
        assert_eq!(accepted(&[("name", value)]).name(), "alice");
    }
    assert_eq!(accepted(&[]).name(), "alice");
    let unnamed = IssuerSettings { name_claim: None, ..issuer() };
    let token = sign(HEADER, &claims_with(&[("name", "\"Bob\"")], ""));
    assert_eq!(identity(ask_issuer(unnamed, &token)).name(), "alice");
}

#[test]
fn groups_are_an_array_of_strings_or_absent() {
    assert!(accepted(&[]).groups().is_empty());
    assert!(accepted(&[("groups", "[]")]).groups().is_empty());
    assert_eq!(accepted(&[("groups", "[\"a\",\"\",\"a\"]")]).groups(), ["a", "", "a"]);
    for value in ["null", "\"admins\"", "1", "true", "{}", "{\"0\":\"admins\"}", "[1]", "[\"a\",null]", "[[\"a\"]]"] {
        refused(&[("groups", value)], TokenFault::MalformedGroups);
    }
}

#[test]
fn groups_have_their_bound() {
    let many = |count: usize| format!("[{}]", vec!["\"g\""; count].join(","));
    assert_eq!(accepted(&[("groups", &many(1_000))]).groups().len(), 1_000);
    refused(&[("groups", &many(1_001))], TokenFault::TooManyGroups);
}

#[test]
fn groups_are_where_the_pointer_says() {
    let keycloak = || IssuerSettings { groups_claim: ClaimPointer::parse("/realm_access/roles"), ..issuer() };
    let ask = |value: &str| {
        ask_issuer(keycloak(), &sign(HEADER, &claims_with(&[("realm_access", value), ("groups", "[\"x\"]")], "")))
    };
    assert_eq!(identity(ask("{\"roles\":[\"r\"]}")).groups(), ["r"]);
    assert!(identity(ask("{}")).groups().is_empty());
    for value in ["null", "[]", "\"roles\"", "{\"roles\":\"r\"}"] {
        assert_eq!(fault(ask(value)), TokenFault::MalformedGroups, "{value}");
    }
    let none = IssuerSettings { groups_claim: None, ..issuer() };
    let token = sign(HEADER, &claims_with(&[("groups", "\"not looked at\"")], ""));
    assert!(identity(ask_issuer(none, &token)).groups().is_empty());
}

#[test]
fn typ_tells_an_access_token() {
    let ask_typ = |typ: &str| ask(&sign(&format!(r#"{{"alg":"ES256","kid":"k1"{typ}}}"#), &good_claims()));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        identity(ask_typ(&format!(",\"typ\":\"{typ}\"")));
    }
    for typ in ["JWT", "jwt", "id+jwt", "logout+jwt", "", "at+jwt ", "x/at+jwt", "application/application/at+jwt"] {
        assert_eq!(fault(ask_typ(&format!(",\"typ\":\"{typ}\""))), TokenFault::WrongType, "{typ}");
    }
    assert_eq!(fault(ask_typ("")), TokenFault::WrongType);
    for typ in ["null", "1", "[\"at+jwt\"]"] {
        assert_eq!(fault(ask_typ(&format!(",\"typ\":{typ}"))), TokenFault::MalformedHeader("typ"), "{typ}");
    }
}

#[test]
fn azp_tells_an_access_token() {
    let rule = |typ: Option<&str>| AccessTokenRule::new(typ, vec!["console".to_owned(), "cli".to_owned()]).unwrap();
    let ask = |typ: Option<&str>, header_typ: &str, azp: Option<&str>| {
        let issuer = IssuerSettings { access_token: rule(typ), ..issuer() };
        let header = format!(r#"{{"alg":"ES256","kid":"k1"{header_typ}}}"#);
        let changes: Vec<_> = azp.map(|azp| ("azp", azp)).into_iter().collect();
        ask_issuer(issuer, &sign(&header, &claims_with(&changes, "")))
    };
    for typ in ["", ",\"typ\":\"JWT\"", ",\"typ\":\"at+jwt\""] {
        identity(ask(None, typ, Some("\"console\"")));
        identity(ask(None, typ, Some("\"cli\"")));
    }
    assert_eq!(fault(ask(None, ",\"typ\":\"logout+jwt\"", Some("\"cli\""))), TokenFault::WrongType);
    assert_eq!(fault(ask(None, ",\"typ\":\"dpop+jwt\"", Some("\"cli\""))), TokenFault::WrongType);
    assert_eq!(fault(ask(None, "", Some("\"CLI\""))), TokenFault::WrongParty);
    assert_eq!(fault(ask(None, "", Some("\"\""))), TokenFault::WrongParty);
    assert_eq!(fault(ask(None, "", Some("[\"cli\"]"))), TokenFault::MalformedClaim("azp"));
    assert_eq!(fault(ask(None, "", Some("null"))), TokenFault::MalformedClaim("azp"));
    assert_eq!(fault(ask(None, "", None)), TokenFault::MissingClaim("azp"));
    // Both named, both must hold.
    identity(ask(Some("at+jwt"), ",\"typ\":\"at+jwt\"", Some("\"cli\"")));
    assert_eq!(fault(ask(Some("at+jwt"), ",\"typ\":\"JWT\"", Some("\"cli\""))), TokenFault::WrongType);
    assert_eq!(fault(ask(Some("at+jwt"), ",\"typ\":\"at+jwt\"", Some("\"x\""))), TokenFault::WrongParty);
}

#[test]
fn an_id_token_opens_nothing() {
    for value in ["\"n-0S6_WzA2Mj\"", "null", "\"\"", "1"] {
        refused(&[("nonce", value)], TokenFault::IdToken);
        refused(&[("at_hash", value)], TokenFault::IdToken);
        refused(&[("c_hash", value)], TokenFault::IdToken);
    }
    refused(&[("typ", "\"ID\"")], TokenFault::IdToken);
    refused(&[("token_use", "\"id\"")], TokenFault::IdToken);
    accepted(&[("typ", "\"Bearer\""), ("token_use", "\"access\"")]);
}

#[test]
fn a_rule_that_accepts_everything_cannot_be_made() {
    assert_eq!(AccessTokenRule::new(None, Vec::new()), None);
}
