//! Tokens into cookies and back.

use std::time::Duration;

use super::*;

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(COOKIE, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn read(values: &[&str]) -> Result<Option<String>, TokenFault> {
    session_token(&headers(values))
}

/// At this time before the `exp` of the identity.
fn before_exp(identity: &Identity, seconds: u64) -> SystemTime {
    identity.expires_at() - Duration::from_secs(seconds)
}

fn set(token: &str, seconds: u64) -> Result<Vec<String>, TokenFault> {
    let identity = Identity::for_tests("dev", "alice", &[]);
    let cookies = begin_session(token, &identity, before_exp(&identity, seconds))?;
    Ok(cookies.iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect())
}

/// What a browser sends back of the cookies it was given.
fn sent_back(cookies: &[String]) -> String {
    let kept = cookies.iter().filter(|cookie| !cookie.ends_with("Max-Age=0"));
    kept.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_token_of_any_length_comes_back_as_it_was() {
    for length in [1_usize, 500, 3999, 4000, 4001, 8000, 8001, 12_000, 15_999, 16_000] {
        let token: String = (0..length).map(|at| char::from(b'a' + u8::try_from(at % 26).unwrap())).collect();
        let cookies = set(&token, 3600).unwrap();
        assert_eq!(cookies.len(), 4);
        assert!(cookies.iter().all(|cookie| cookie.len() <= 4096), "{length}");
        assert_eq!(read(&[&sent_back(&cookies)]), Ok(Some(token)), "{length}");
        let cleared = cookies.iter().filter(|cookie| cookie.contains("=; ") && cookie.ends_with("Max-Age=0")).count();
        assert_eq!(cleared, 4 - length.div_ceil(MAX_COOKIE_PART), "{length}");
    }
    assert_eq!(set(&"x".repeat(16_001), 3600), Err(TokenFault::TooLarge));
}

#[test]
fn a_cookie_is_the_hosts_own_and_lives_no_longer_than_its_token() {
    assert_eq!(
        set("abc", 3600).unwrap()[0],
        "__Host-msq-gate-1=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"
    );
    // Also with the longest life there is.
    assert!(set(&"x".repeat(MAX_COOKIE_PART), 4_000_000_000).unwrap()[0].len() <= 4096);
    assert_eq!(set("abc", 0), Err(TokenFault::Expired));
    let identity = Identity::for_tests("dev", "alice", &[]);
    let late = identity.expires_at() + Duration::from_secs(30);
    assert_eq!(begin_session("abc", &identity, late).err(), Some(TokenFault::Expired));
}

#[test]
fn ending_clears_every_part() {
    let cookies = end_session();
    assert_eq!(cookies.len(), 4);
    for (cookie, name) in cookies.iter().zip(NAMES) {
        let wanted = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
        assert_eq!(cookie.to_str().unwrap(), wanted);
    }
}

#[test]
fn cookies_are_found_among_others_and_in_crumbs() {
    for none in [
        &[][..],
        &[""],
        &["a=b; c"],
        &["__Host-msq-gate=x"],
        &["__host-msq-gate-1=x"],
        &["__Host-msq-gate-1="],
        &["x__Host-msq-gate-1=x"],
        &["__Host-msq-gate-5=x"],
    ] {
        assert_eq!(read(none), Ok(None), "{none:?}");
    }
    for whole in [
        &["__Host-msq-gate-1=a; __Host-msq-gate-2=b"][..],
        &["__Host-msq-gate-2=b;__Host-msq-gate-1=a;"],
        &["other=1; __Host-msq-gate-2=b", "__Host-msq-gate-1=a"],
        &["__Host-msq-gate-1=a", "z=\"q\"", "__Host-msq-gate-2=b", "__Host-msq-gate-3="],
    ] {
        assert_eq!(read(whole), Ok(Some("ab".to_owned())), "{whole:?}");
    }
    assert_eq!(read(&["__Host-msq-gate-1=a=b"]), Ok(Some("a=b".to_owned())));
}

#[test]
fn parts_that_could_be_joined_in_two_ways_are_refused() {
    for odd in [
        &["__Host-msq-gate-1=a; __Host-msq-gate-1=a"][..],
        &["__Host-msq-gate-1=a", "__Host-msq-gate-1=b"],
        &["__Host-msq-gate-1=; __Host-msq-gate-1=a"],
        &["__Host-msq-gate-2=b"],
        &["__Host-msq-gate-1=a; __Host-msq-gate-3=c"],
        &["__Host-msq-gate-1=; __Host-msq-gate-2=b"],
    ] {
        assert_eq!(read(odd), Err(TokenFault::MalformedSession), "{odd:?}");
    }
    let mut bytes = HeaderMap::new();
    bytes.insert(COOKIE, HeaderValue::from_bytes(b"__Host-msq-gate-1=\xff").unwrap());
    assert_eq!(session_token(&bytes), Err(TokenFault::MalformedSession));
}
