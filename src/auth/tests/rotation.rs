//! Keys that come and go, an issuer that is down, tokens with keys that nobody has. The clock is the test's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::issuer::{Server, at, forged, header_of, new_key, token_of, unavailable};
use super::*;

async fn ask_at(authenticator: &Authenticator, token: &str, seconds: u64) -> Authentication {
    authenticator.authenticate_token(token, at(seconds)).await
}

fn with_times(server: &Server, change: impl FnOnce(&mut KeyTimes)) -> Authenticator {
    let mut issuer = server.issuer();
    let IssuerKeys::Remote(remote) = &mut issuer.keys else { panic!("they are remote") };
    change(&mut remote.times);
    Authenticator::new(AuthSettings { issuers: vec![issuer] })
}

#[tokio::test]
async fn before_the_first_fetch_nothing_is_judged() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    for token in [token_of(p256(), "k1"), token_of(p256(), "k2"), forged("k1")] {
        let fault = unavailable(ask_at(&authenticator, &token, 0).await);
        assert_eq!((fault.why(), fault.reason()), (KeysFault::NotFetched, "keys_not_fetched"));
        assert!(fault.retry_after_seconds() > 0);
    }
    assert_eq!(server.asked(), 0);
    authenticator.fetch_due_keys(at(1)).await;
    identity(ask_at(&authenticator, &token_of(p256(), "k1"), 1).await);
    assert_eq!(fault(ask_at(&authenticator, &forged("k1"), 1).await), TokenFault::WrongSignature);
}

#[tokio::test]
async fn a_new_key_is_found_at_its_first_token() {
    let server = Server::start().await;
    let (old, new) = (new_key(), new_key());
    server.publish(&[(&old, "old")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    server.publish(&[(&new, "new")]);
    identity(ask_at(&authenticator, &token_of(&new, "new"), 100).await);
    assert_eq!(server.asked(), 2);
    // The same fetch has shown that the old key is gone.
    assert_eq!(fault(ask_at(&authenticator, &token_of(&old, "old"), 111).await), TokenFault::UnknownKey);
    assert_eq!(server.asked(), 3);
    identity(ask_at(&authenticator, &token_of(&new, "new"), 112).await);
}

/// A key without a name could be meant by any token; if it is not, the issuer is asked all the same.
#[tokio::test]
async fn a_new_key_is_found_beside_one_without_name() {
    let server = Server::start().await;
    let new = new_key();
    server.reply("/keys", super::issuer::Reply::Document(jwks(&[p256().jwk.clone()])));
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    identity(ask_at(&authenticator, &token_of(p256(), "any"), 20).await);
    assert_eq!(server.asked(), 1);
    server.publish(&[(&new, "new")]);
    identity(ask_at(&authenticator, &token_of(&new, "new"), 20).await);
}

#[tokio::test]
async fn a_removed_key_ends_within_the_refresh_period_for_cached_tokens_too() {
    let server = Server::start().await;
    let (old, new) = (new_key(), new_key());
    server.publish(&[(&old, "old"), (&new, "new")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let (removed, kept) = (token_of(&old, "old"), token_of(&new, "new"));
    identity(ask_at(&authenticator, &removed, 1).await);
    identity(ask_at(&authenticator, &kept, 1).await);
    server.publish(&[(&new, "new")]);
    // Not before nine tenths of the period, by then still the old keys; this token is young in the cache when they go.
    authenticator.fetch_due_keys(at(269)).await;
    let young = sign_with(&old.signing, old.fits[0], &header_of(&old, "old"), &good_claims());
    identity(ask_at(&authenticator, &young, 269).await);
    authenticator.fetch_due_keys(at(300)).await;
    assert_eq!(server.asked(), 2);
    // It may have come back since; once the issuer was asked, it has not.
    assert_eq!(unavailable(ask_at(&authenticator, &young, 301).await).why(), KeysFault::NotAsked);
    assert_eq!(fault(ask_at(&authenticator, &young, 310).await), TokenFault::UnknownKey);
    assert_eq!(fault(ask_at(&authenticator, &removed, 310).await), TokenFault::UnknownKey);
    identity(ask_at(&authenticator, &kept, 310).await);
}

/// The same name for another key: tokens verified with the first are verified again.
#[tokio::test]
async fn a_key_that_is_replaced_under_its_name_ends_too() {
    let server = Server::start().await;
    let (old, new) = (new_key(), new_key());
    server.publish(&[(&old, "k")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let token = token_of(&old, "k");
    identity(ask_at(&authenticator, &token, 250).await);
    server.publish(&[(&new, "k")]);
    authenticator.fetch_due_keys(at(300)).await;
    assert_eq!(fault(ask_at(&authenticator, &token, 300).await), TokenFault::WrongSignature);
    identity(ask_at(&authenticator, &token_of(&new, "k"), 300).await);
}

/// Asked every ten seconds of a simulated hour.
#[tokio::test]
async fn an_issuer_may_be_down_for_an_hour() {
    let server = Server::start().await;
    let (old, new) = (new_key(), new_key());
    server.publish(&[(&old, "old")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    server.go_down();
    let (known, unknown) = (token_of(&old, "old"), token_of(&new, "new"));
    for time in (0..3600).step_by(10) {
        authenticator.fetch_due_keys(at(time)).await;
        identity(ask_at(&authenticator, &known, time).await);
        assert_eq!(fault(ask_at(&authenticator, &forged("old"), time).await), TokenFault::WrongSignature);
        // Whether the issuer has that key cannot be known: neither 401 nor 200.
        assert_eq!(unavailable(ask_at(&authenticator, &unknown, time).await).why(), KeysFault::NotAsked);
    }
    // At once after 300 s, then at growing intervals, for the sake of unknown keys no oftener.
    let asked = server.asked();
    assert!((10..60).contains(&asked), "{asked}");
    let status = &authenticator.key_statuses(at(3600))[0];
    assert!(status.usable && status.failures > 5 && status.keys.unwrap().1 == Duration::from_secs(3600), "{status:?}");
    // It comes back, with a new key beside the old one.
    server.publish(&[(&old, "old"), (&new, "new")]);
    authenticator.fetch_due_keys(at(3900)).await;
    identity(ask_at(&authenticator, &unknown, 3900).await);
    identity(ask_at(&authenticator, &known, 3900).await);
    assert_eq!(authenticator.key_statuses(at(3900))[0].failures, 0);
}

#[tokio::test]
async fn past_the_configured_age_keys_are_not_used() {
    for answer in [StaleAnswer::Unauthorized, StaleAnswer::Unavailable] {
        let server = Server::start().await;
        server.publish(&[(p256(), "k1")]);
        let authenticator = with_times(&server, |times| {
            times.max_stale = Duration::from_secs(7200);
            times.stale_answer = answer;
        });
        authenticator.fetch_due_keys(at(0)).await;
        server.go_down();
        let token = token_of(p256(), "k1");
        for time in (0..=7200).step_by(100) {
            authenticator.fetch_due_keys(at(time)).await;
            identity(ask_at(&authenticator, &token, time).await);
        }
        // Verified a second ago, so it is in the cache.
        let stale = ask_at(&authenticator, &token, 7201).await;
        match answer {
            StaleAnswer::Unauthorized => assert_eq!(fault(stale), TokenFault::KeysTooOld),
            StaleAnswer::Unavailable => assert_eq!(unavailable(stale).why(), KeysFault::TooOld),
        }
        assert!(!authenticator.key_statuses(at(7201))[0].usable);
        server.publish(&[(p256(), "k1")]);
        authenticator.fetch_due_keys(at(7600)).await;
        identity(ask_at(&authenticator, &token, 7600).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_unknown_keys_are_one_fetch_in_each_window() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let template = forged("THE-KID-OF-IT");
    let (header, rest) = template.split_once('.').unwrap();
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let mut fetched = 1;
    for (window, time) in [(0, 20), (1, 25), (2, 30), (3, 31)] {
        let mut asking = tokio::task::JoinSet::new();
        for n in 0..2_500 {
            let id = format!("random-{window}-{n}");
            let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.replace("THE-KID-OF-IT", &id)));
            let authenticator = authenticator.clone();
            asking.spawn(async move { ask_at(&authenticator, &token, time).await });
        }
        let good = ask_at(&authenticator, &token_of(p256(), "k1"), time).await;
        identity(good);
        let (mut unknown, mut later) = (0, 0);
        for answer in asking.join_all().await {
            match answer {
                Authentication::Refused(fault) => {
                    assert_eq!(fault, TokenFault::UnknownKey);
                    unknown += 1;
                }
                other => {
                    assert_eq!(unavailable(other).why(), KeysFault::NotAsked);
                    later += 1;
                }
            }
        }
        // In an open window the first has the issuer asked, and learns that it has no such key.
        let opens = matches!(time, 20 | 30);
        fetched += usize::from(opens);
        assert_eq!((server.asked(), unknown, later), (fetched, usize::from(opens), 2_500 - usize::from(opens)));
    }
}

#[tokio::test]
async fn a_key_that_the_issuer_lacks_is_remembered_for_a_while() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let token = token_of(p256(), "gone");
    for (time, asked) in [(10, 2), (11, 2), (25, 2), (39, 2), (40, 3), (69, 3)] {
        assert_eq!(fault(ask_at(&authenticator, &token, time).await), TokenFault::UnknownKey);
        assert_eq!(server.asked(), asked, "at {time}");
    }
}

/// Two rotations within one window: the second key's tokens are asked to come back, never refused.
#[tokio::test]
async fn a_key_that_could_not_be_looked_for_is_no_401() {
    let server = Server::start().await;
    let (one, two) = (new_key(), new_key());
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    server.publish(&[(&one, "one")]);
    identity(ask_at(&authenticator, &token_of(&one, "one"), 50).await);
    server.publish(&[(&two, "two")]);
    let fault = unavailable(ask_at(&authenticator, &token_of(&two, "two"), 52).await);
    assert_eq!((fault.why(), fault.retry_after_seconds()), (KeysFault::NotAsked, 9));
    identity(ask_at(&authenticator, &token_of(&two, "two"), 60).await);
    assert_eq!(server.asked(), 3);
}

/// Old tokens with an old key are many after a rotation.
#[tokio::test]
async fn a_token_that_no_key_could_save_has_nobody_asked() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    for (claim, value, expected) in [
        ("exp", (NOW - 3600).to_string(), TokenFault::Expired),
        ("aud", "\"another\"".to_owned(), TokenFault::WrongAudience),
        ("nonce", "\"n\"".to_owned(), TokenFault::IdToken),
    ] {
        let token = sign(&header_of(p256(), "other"), &claims_with(&[(claim, &value)], ""));
        assert_eq!(fault(ask_at(&authenticator, &token, 100).await), expected);
    }
    assert_eq!(server.asked(), 1);
}

/// A caller who leaves while the issuer is asked does not spoil it for the next.
#[tokio::test]
async fn a_fetch_outlives_who_asked_for_it() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let new = new_key();
    server.publish(&[(p256(), "k1"), (&new, "new")]);
    let token = token_of(&new, "new");
    {
        let mut asking = std::pin::pin!(ask_at(&authenticator, &token, 20));
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(asking.as_mut().poll(context).is_pending())).await
        );
    }
    // The fetch under way began before this one asked, but it has the key.
    identity(ask_at(&authenticator, &token, 20).await);
    assert_eq!(server.asked(), 2);
}

/// A clock set back by an hour neither stops the fetching nor lets a removed key live on.
#[tokio::test]
async fn a_clock_set_back_is_survived() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(3600)).await;
    let token = token_of(p256(), "k1");
    identity(ask_at(&authenticator, &token, 3600).await);
    identity(ask_at(&authenticator, &token, 0).await);
    let other = new_key();
    server.publish(&[(&other, "k2")]);
    authenticator.fetch_due_keys(at(0)).await;
    assert_eq!(fault(ask_at(&authenticator, &token, 11).await), TokenFault::UnknownKey);
    identity(ask_at(&authenticator, &token_of(&other, "k2"), 11).await);
}

/// A chain of keys, each published one period before it signs and one after it has ceased to; callers throughout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_under_load_refuses_no_good_token_and_serves_no_bad_one() {
    const ROTATIONS: usize = 12;
    let server = Server::start().await;
    let chain: Arc<Vec<(TestKey, String)>> =
        Arc::new((0..ROTATIONS + 3).map(|n| (new_key(), format!("k{n}"))).collect());
    let tokens: Arc<Vec<String>> = Arc::new(chain.iter().map(|(key, id)| token_of(key, id)).collect());
    let publish = |n: usize| {
        let published: Vec<_> = chain.iter().skip(n).take(3).map(|(key, id)| (key, id.as_str())).collect();
        server.publish(&published);
    };
    let authenticator = server.authenticator();
    publish(0);
    authenticator.fetch_due_keys(at(0)).await;
    // The rotation that all published keys are of, and the time.
    let (rotation, clock) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let asked = Arc::new(AtomicUsize::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (authenticator, tokens) = (authenticator.clone(), Arc::clone(&tokens));
        let (rotation, clock, asked) = (Arc::clone(&rotation), Arc::clone(&clock), Arc::clone(&asked));
        callers.spawn(async move {
            loop {
                let n = rotation.load(Ordering::SeqCst);
                if n >= ROTATIONS {
                    return;
                }
                let time = clock.load(Ordering::SeqCst);
                // The middle of the three published keys signs: it is good in this rotation and the next.
                match ask_at(&authenticator, &tokens[n + 1], time).await {
                    Authentication::Verified(_) => {}
                    answer => panic!("a good token of rotation {n} at {time}: {answer:?}"),
                }
                // Gone from what was published for two refreshes.
                if let Some(removed) = n.checked_sub(2) {
                    match ask_at(&authenticator, &tokens[removed], time).await {
                        Authentication::Refused(TokenFault::UnknownKey) | Authentication::Unavailable(_) => {}
                        answer => panic!("a removed key in rotation {n} at {time}: {answer:?}"),
                    }
                }
                asked.fetch_add(1, Ordering::SeqCst);
                // A verification waits for nothing, and the issuer has no thread of its own.
                tokio::task::yield_now().await;
            }
        });
    }
    for n in 1..=ROTATIONS {
        let enough = asked.load(Ordering::SeqCst) + 40;
        while asked.load(Ordering::SeqCst) < enough && !callers.is_empty() {
            assert!(callers.try_join_next().is_none(), "a caller stopped");
            tokio::task::yield_now().await;
        }
        publish(n);
        clock.fetch_add(300, Ordering::SeqCst);
        authenticator.fetch_due_keys(at(clock.load(Ordering::SeqCst))).await;
        rotation.store(n, Ordering::SeqCst);
    }
    callers.join_all().await;
    assert!(asked.load(Ordering::SeqCst) > 40 * ROTATIONS);
}

/// Callers throughout: an issuer goes down, makes another key meanwhile, and comes back after an hour with both, then with
/// the new one alone. What is good is never 401, what is bad never 200; what cannot be known is neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_without_the_issuer_under_load_is_no_wrong_answer() {
    const BACK: u64 = 3600;
    const REMOVED: u64 = 7200;
    let server = Server::start().await;
    let (old, new) = (new_key(), new_key());
    let tokens = Arc::new([token_of(&old, "old"), token_of(&new, "new"), forged("old")]);
    server.publish(&[(&old, "old")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    server.go_down();
    let (clock, asked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (authenticator, tokens) = (authenticator.clone(), Arc::clone(&tokens));
        let (clock, asked) = (Arc::clone(&clock), Arc::clone(&asked));
        callers.spawn(async move {
            loop {
                let time = clock.load(Ordering::SeqCst);
                let [known, unknown, bad] = &*tokens;
                // The clock may go on while one asks.
                let now = || clock.load(Ordering::SeqCst);
                match ask_at(&authenticator, known, time).await {
                    Authentication::Verified(_) if time < REMOVED + 300 => {}
                    // From one refresh after its removal on; before that a fetch for the other's sake may have shown it.
                    Authentication::Refused(TokenFault::UnknownKey) | Authentication::Unavailable(_)
                        if now() >= REMOVED => {}
                    answer => panic!("the old key's token at {time}: {answer:?}"),
                }
                match ask_at(&authenticator, unknown, time).await {
                    Authentication::Verified(_) if now() >= BACK => {}
                    Authentication::Unavailable(_) if time < BACK + 300 => {}
                    answer => panic!("the new key's token at {time}: {answer:?}"),
                }
                match ask_at(&authenticator, bad, time).await {
                    Authentication::Refused(TokenFault::WrongSignature) => {}
                    Authentication::Refused(TokenFault::UnknownKey) | Authentication::Unavailable(_)
                        if now() >= REMOVED => {}
                    answer => panic!("a forged token at {time}: {answer:?}"),
                }
                asked.fetch_add(1, Ordering::SeqCst);
                if time > REMOVED + 600 {
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    for time in (0..=REMOVED + 610).step_by(10) {
        clock.store(time, Ordering::SeqCst);
        match time {
            BACK => server.publish(&[(&old, "old"), (&new, "new")]),
            REMOVED => server.publish(&[(&new, "new")]),
            _ => {}
        }
        authenticator.fetch_due_keys(at(time)).await;
        let enough = asked.load(Ordering::SeqCst) + 4;
        while asked.load(Ordering::SeqCst) < enough && time <= REMOVED + 600 {
            assert!(callers.try_join_next().is_none(), "a caller stopped");
            tokio::task::yield_now().await;
        }
    }
    callers.join_all().await;
    assert!(asked.load(Ordering::SeqCst) > 3000);
}
