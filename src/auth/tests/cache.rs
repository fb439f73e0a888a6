//! The cache gives what verifying again would give, and is bounded.

use std::sync::Arc;

use super::super::cache::{TokenCache, Verified};
use super::super::claims;
use super::issuer::at;
use super::*;
use crate::json;

fn authenticator(issuer: IssuerSettings) -> Authenticator {
    Authenticator::new(AuthSettings { issuers: vec![issuer] })
}

fn second(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.checked_add_signed(seconds).unwrap())
}

#[test]
fn a_cached_token_is_answered_as_a_new_one_at_every_second() {
    let with = |starts: i64, ends: i64| {
        let (starts, ends) = (NOW.checked_add_signed(starts).unwrap(), NOW.checked_add_signed(ends).unwrap());
        sign(HEADER, &claims_with(&[("nbf", &starts.to_string()), ("exp", &format!("{ends}.5"))], ""))
    };
    for token in [with(-600, 40), with(0, 1), with(50, 90)] {
        let caching = authenticator(issuer());
        for seconds in (-70..160).chain((-70..160).rev()) {
            let now = second(seconds);
            let fresh = at_once(authenticator(issuer()).authenticate_token(&token, now));
            assert_eq!(at_once(caching.authenticate_token(&token, now)), fresh, "at {seconds}");
        }
        assert_eq!(caching.cache().size().0, 1);
    }
}

#[test]
fn an_entry_holds_for_five_minutes_one_generation_and_its_time() {
    let claims = json::parse(&claims_with(&[("exp", &(NOW + 400).to_string())], "")).unwrap();
    let (identity, validity) = claims::verify(&claims, Some("at+jwt"), &issuer(), at(0)).unwrap();
    let (identity, generation) = (Arc::new(identity), 7);
    let entry = Verified { identity, issuer: 0, generation, validity, verified_at: at(0) };
    assert!(entry.holds(7, at(0)) && entry.holds(7, at(299)));
    assert!(!entry.holds(7, at(300)) && !entry.holds(8, at(1)) && !entry.holds(6, at(1)));
    assert!(!entry.holds(7, second(-1)), "a clock set back tells no age");
    let later = Verified { verified_at: at(200), ..entry };
    // exp and the leeway of 60 s, as ever.
    assert!(later.holds(7, at(459)) && !later.holds(7, at(460)));
}

#[test]
fn what_is_refused_is_not_kept() {
    let authenticator = authenticator(issuer());
    for token in [
        "x".to_owned(),
        sign(HEADER, &claims_with(&[("aud", "\"x\"")], "")),
        sign(&HEADER.replace("k1", "k2"), &good_claims()),
        "A".repeat(MAX_TOKEN_BYTES + 1),
    ] {
        fault(at_once(authenticator.authenticate_token(&token, at(0))));
    }
    assert_eq!(authenticator.cache().size(), (0, 0, 0));
    let good = sign(HEADER, &good_claims());
    identity(at_once(authenticator.authenticate_token(&good, at(0))));
    assert_eq!(authenticator.cache().size().0, 1);
    // One more or one less byte is another token.
    for other in [format!("{good}A"), good.get(..good.len() - 1).unwrap().to_owned()] {
        assert_eq!(fault(at_once(authenticator.authenticate_token(&other, at(0)))), TokenFault::WrongSignature);
    }
}

/// Another configuration is another authenticator with a cache and a key of its own.
#[test]
fn nothing_is_shared_between_configurations() {
    let (one, two) = (TokenCache::new(), TokenCache::new());
    assert_ne!(one.tag("a"), two.tag("a"));
    assert_eq!(one.tag("a"), one.tag("a"));
    assert_ne!(one.tag("a"), one.tag("b"));
}

#[test]
fn entries_and_bytes_are_bounded() {
    let claims = json::parse(&good_claims()).unwrap();
    let (identity, validity) = claims::verify(&claims, Some("at+jwt"), &issuer(), at(0)).unwrap();
    let entry = |groups: usize| {
        let identity = Identity { groups: vec!["g".repeat(100); groups], ..identity.clone() };
        Verified { identity: Arc::new(identity), issuer: 0, generation: 0, validity, verified_at: at(0) }
    };
    let cache = TokenCache::new();
    let insert = |n: usize, groups| cache.insert(cache.tag(&n.to_string()), entry(groups));
    let holds = |n: usize| cache.find(cache.tag(&n.to_string()).as_ref()).is_some();
    for n in 0..MAX_CACHED_TOKENS + 10 {
        insert(n, 0);
    }
    assert_eq!((cache.size().0, cache.size().1), (MAX_CACHED_TOKENS, MAX_CACHED_TOKENS));
    assert!(!holds(9) && holds(10) && holds(MAX_CACHED_TOKENS + 9));
    // The same again and again.
    for _ in 0..2 * MAX_CACHED_TOKENS {
        insert(0, 0);
    }
    assert!(holds(0) && cache.size().1 <= MAX_CACHED_TOKENS);
    for n in 0..1_000 {
        insert(n, 100);
        assert!(holds(n) && cache.size().2 <= MAX_CACHED_BYTES);
    }
    let (count, _, bytes) = cache.size();
    assert!(count > 500 && bytes > MAX_CACHED_BYTES * 9 / 10, "{count} {bytes}");
}
