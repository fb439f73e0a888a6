//! What is fetched, and from whom; what comes of an issuer that does not answer as it should.

use serde_json::json;

use super::issuer::{Reply, Server, Tls, at, source, token_of, unavailable};
use super::*;

/// Long enough for loopback, short enough to wait for.
const SOON: Duration = Duration::from_millis(300);

async fn fault_of(address: KeyAddress) -> String {
    source(address).fetch_within(SOON).await.map(|_| ()).unwrap_err().to_string()
}

fn good_jwks() -> String {
    jwks(&[p256().jwk_with(json!({"kid": "k1"}))])
}

/// A head that promises `length` bytes, and a body.
fn raw(length: usize, headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n");
    Reply::Raw([head.as_bytes(), body].concat())
}

/// Whatever comes instead of a key set, the last good one stays in use, and the operator reads why.
#[tokio::test]
async fn no_bad_answer_replaces_good_keys() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    let good = good_jwks();
    let symmetric = json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0"});
    let mut time = 0;
    for (reply, told) in [
        (Reply::Down, "did not answer in HTTP, or not to the end"),
        (Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "did not answer in HTTP"),
        (Reply::Raw(good.clone().into_bytes()), "did not answer in HTTP"),
        (raw(good.len() + 1, "", good.as_bytes()), "not to the end"),
        (Reply::status("404 Not Found", ""), "answered with status 404"),
        (Reply::status("500 Oops", ""), "answered with status 500"),
        (Reply::status("204 No Content", ""), "answered with status 204"),
        (
            Reply::status("302 Found", "Location: /elsewhere\r\n"),
            "answered with a redirect (302), which is not followed",
        ),
        (Reply::status("308 Permanent Redirect", "Location: /elsewhere\r\n"), "a redirect (308)"),
        (raw(good.len(), "Content-Encoding: gzip\r\n", good.as_bytes()), "answered with a Content-Encoding"),
        (raw(MAX_DOCUMENT_BYTES + 1, "", &vec![b' '; MAX_DOCUMENT_BYTES + 1]), "more than 262144 bytes"),
        (Reply::Endless(vec![b' '; 4096]), "more than 262144 bytes"),
        (Reply::Raw([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 70_000]].concat()), "did not answer in HTTP"),
        (Reply::Stalled(Vec::new()), "not answered within"),
        (Reply::Stalled(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()), "not answered within"),
        (raw(2, "", b"\xff\xff"), "bytes that are not UTF-8"),
        (Reply::Document(String::new()), "not JSON"),
        (Reply::Document("<html>".to_owned()), "not JSON"),
        (Reply::Document(good.replace("\"keys\"", "\"keys\":[],\"keys\"")), "not JSON: "),
        (Reply::Document("{}".to_owned()), "not a JWKS"),
        (Reply::Document(jwks(&[])), "no key that can verify signatures"),
        (Reply::Document(jwks(std::slice::from_ref(&symmetric))), "key 1 (kid `s`): a symmetric key"),
        (
            Reply::Document(jwks(&[p256().jwk_with(json!({"kid": "a"})), keys()[1].jwk_with(json!({"kid": "a"}))])),
            "two keys have the kid `a`",
        ),
        (Reply::Document(jwks(&vec![p256().jwk.clone(); MAX_PUBLISHED_KEYS + 1])), "more than 100 keys"),
    ] {
        server.reply("/keys", reply.clone());
        let fault = fault_of(KeyAddress::Jwks(server.url("/keys"))).await;
        assert!(fault.starts_with(&format!("{}/keys: ", server.base)) && fault.contains(told), "{fault}; {told}");
        if !matches!(reply, Reply::Stalled(_)) {
            time += 400;
            authenticator.fetch_due_keys(at(time)).await;
            assert!(authenticator.key_statuses(at(time))[0].failures > 0, "{told}");
        }
        identity(authenticator.authenticate_token(&token_of(p256(), "k1"), at(time)).await);
    }
    server.publish(&[(p256(), "k2")]);
    authenticator.fetch_due_keys(at(time + 400)).await;
    identity(authenticator.authenticate_token(&token_of(p256(), "k2"), at(time + 400)).await);
}

/// One key that is of no use does not keep the others of an issuer from being used.
#[tokio::test]
async fn of_a_mixed_set_the_good_keys_are_used() {
    let server = Server::start().await;
    let small = json!({"kty": "RSA", "kid": "small", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128])});
    server.reply(
        "/keys",
        Reply::Document(jwks(&[
            small,
            json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0"}),
            keys()[1].jwk_with(json!({"kid": "private", "d": "c2VjcmV0"})),
            keys()[2].jwk_with(json!({"kid": "ed"})),
            keys()[3].jwk_with(json!({"kid": "enc", "use": "enc"})),
            json!({"kty": "AKP", "kid": "new"}),
            json!(1),
            p256().jwk_with(json!({"kid": "k1"})),
        ])),
    );
    let fetched = source(KeyAddress::Jwks(server.url("/keys"))).fetch().await.unwrap();
    assert_eq!(fetched.keys.count(), 2);
    let titles: Vec<_> = fetched.passed_over.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(titles, ["key 1 (kid `small`)", "key 2 (kid `s`)", "key 3 (kid `private`)", "key 7"]);
    assert!(!fetched.passed_over.concat().contains("c2VjcmV0"));
    let authenticator = server.authenticator();
    authenticator.fetch_due_keys(at(0)).await;
    for (key, id, good) in [(p256(), "k1", true), (&keys()[2], "ed", true), (&keys()[1], "private", false)] {
        let answer = authenticator.authenticate_token(&token_of(key, id), at(0)).await;
        assert_eq!(matches!(answer, Authentication::Verified(_)), good, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn discovery_leads_to_the_keys_of_its_own_issuer_only() {
    const PATH: &str = "/.well-known/openid-configuration";
    let server = Server::start().await;
    server.publish(&[(p256(), "k1")]);
    let keys_at = format!("{}/keys", server.base);
    let document = |issuer: &str, uri: &str| Reply::Document(json!({"issuer": issuer, "jwks_uri": uri}).to_string());
    let address = |issuer: &str| KeyAddress::discovery(issuer, ClearText::FromLoopback).unwrap();
    // With and without the slash at the end, which is part of the name and not of the path (section 4.1).
    for issuer in [server.base.clone(), format!("{}/", server.base)] {
        server.reply(PATH, document(&issuer, &keys_at));
        assert_eq!(source(address(&issuer)).fetch().await.unwrap().keys.count(), 1);
    }
    let issuer = format!("{}/realms/a", server.base);
    server.reply("/realms/a/.well-known/openid-configuration", document(&issuer, &keys_at));
    assert_eq!(source(address(&issuer)).fetch().await.unwrap().keys.count(), 1);

    let base = server.base.clone();
    for (reply, told) in [
        (document("https://other.example", &keys_at), "its `issuer` is `https://other.example`, expected `http://127"),
        (document(&format!("{base}/"), &keys_at), "expected `http://127"),
        (document(&base, "http://keys.example/jwks"), "its `jwks_uri` is http and not on this machine"),
        (document(&base, "/keys"), "its `jwks_uri` is not a URL with a host"),
        (document(&base, "file:///etc/passwd"), "its `jwks_uri` is not"),
        (document(&base, "https://user:pw@keys.example/"), "its `jwks_uri` is a URL with a user or a fragment"),
        (Reply::Document(json!({"issuer": base}).to_string()), "it has no `jwks_uri` that is a string"),
        (Reply::Document(json!({"issuer": base, "jwks_uri": [keys_at]}).to_string()), "it has no `jwks_uri`"),
        (Reply::Document(json!({"jwks_uri": keys_at}).to_string()), "it has no `issuer`"),
        (Reply::Document("<html>".to_owned()), "not a discovery document: not JSON"),
        (Reply::status("302 Found", "Location: /keys\r\n"), "answered with a redirect (302)"),
        (Reply::Down, "did not answer in HTTP"),
    ] {
        server.reply(PATH, reply);
        let fault = fault_of(address(&base)).await;
        assert!(fault.starts_with(&format!("{base}{PATH}: ")) && fault.contains(told), "{fault}; {told}");
    }
    // The fault is the second address's.
    server.reply(PATH, document(&base, &format!("{base}/nothing")));
    assert!(fault_of(address(&base)).await.starts_with(&format!("{base}/nothing: ")));
}

#[tokio::test]
async fn only_the_configured_authority_and_name_are_trusted() {
    let tls = Tls::for_name("127.0.0.1");
    let server = Server::start_tls(&tls).await;
    server.publish(&[(p256(), "k1")]);
    let ask = async |fetcher: Fetcher, server: &Server| {
        let source = KeySource { fetcher, ..source(KeyAddress::Jwks(server.url("/keys"))) };
        source.fetch().await.map(|fetched| fetched.keys.count()).map_err(|fault| fault.to_string())
    };
    assert_eq!(ask(tls.fetcher(), &server).await, Ok(1));
    let fault = ask(Tls::for_name("127.0.0.1").fetcher(), &server).await.unwrap_err();
    assert!(fault.contains("no TLS connection: invalid peer certificate"), "{fault}");
    let misnamed = Tls::for_name("issuer.example");
    let fault = ask(misnamed.fetcher(), &Server::start_tls(&misnamed).await).await.unwrap_err();
    assert!(fault.contains("no TLS connection: invalid peer certificate: certificate not valid for name"), "{fault}");
    // TLS is not spoken where it should be.
    let plain = Server::start().await.base.replace("http:", "https:");
    let address = KeyAddress::Jwks(KeyUrl::parse(&plain, ClearText::Refused).unwrap());
    assert!(fault_of(address).await.contains("127.0.0.1"));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_told() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = KeyUrl::parse(&format!("http://{free}/keys"), ClearText::FromLoopback).unwrap();
    let fault = fault_of(KeyAddress::Jwks(url)).await;
    assert!(fault.starts_with(&format!("http://{free}/keys: cannot be reached: ")), "{fault}");
}

#[test]
fn addresses_are_https_or_this_machine() {
    for (text, strict, loopback) in [
        ("https://issuer.example/keys", true, true),
        ("https://issuer.example:8443", true, true),
        ("https://[::1]/keys", true, true),
        ("http://127.0.0.1:9/keys", false, true),
        ("http://127.8.8.8/keys", false, true),
        ("http://localhost/keys", false, true),
        ("http://[::1]:80/keys", false, true),
        ("http://issuer.example/keys", false, false),
        ("http://127.0.0.1.example/keys", false, false),
        ("http://localhost.example/keys", false, false),
        ("http://10.0.0.1/keys", false, false),
        ("https://user@issuer.example/keys", false, false),
        ("http://127.0.0.1@evil.example/", false, false),
        ("https://issuer.example/keys#a", false, false),
        ("ftp://issuer.example/keys", false, false),
        ("file:///etc/keys", false, false),
        ("issuer.example", false, false),
        ("/keys", false, false),
        ("https://", false, false),
        ("", false, false),
    ] {
        assert_eq!(KeyUrl::parse(text, ClearText::Refused).is_ok(), strict, "{text}");
        assert_eq!(KeyUrl::parse(text, ClearText::FromLoopback).is_ok(), loopback, "{text}");
    }
    assert!(KeyAddress::discovery("https://issuer.example/?tenant=a", ClearText::Refused).is_err());
    assert!(KeyAddress::discovery("urn:issuer", ClearText::Refused).is_err());
}

#[tokio::test]
async fn start_up_waits_serves_or_fails_as_configured() {
    let server = Server::start().await;
    server.go_down();
    let with = |startup| {
        let mut issuer = server.issuer();
        let IssuerKeys::Remote(remote) = &mut issuer.keys else { panic!("they are remote") };
        remote.startup = startup;
        Authenticator::new(AuthSettings { issuers: vec![issuer] })
    };
    let failing = with(Startup::Fail);
    let _tasks = failing.keep_keys_fresh();
    assert_eq!(failing.first_keys().await, Err(FirstKeysFault("dev".to_owned())));

    let unready = with(Startup::ServeUnready);
    let _tasks = unready.keep_keys_fresh();
    assert_eq!(unready.first_keys().await, Ok(()));
    let now = SystemTime::now();
    assert!(!unready.key_statuses(now)[0].usable);
    assert_eq!(
        unavailable(unready.authenticate_token(&token_of(p256(), "k1"), now).await).why(),
        KeysFault::NotFetched
    );

    let waiting = with(Startup::Wait);
    let _tasks = waiting.keep_keys_fresh();
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting.first_keys()).await.is_err());
    server.publish(&[(p256(), "k1")]);
    // The first retry comes within a second.
    tokio::time::timeout(FIRST_RETRY * 4, waiting.first_keys()).await.unwrap().unwrap();
    assert!(waiting.key_statuses(SystemTime::now())[0].usable);
    let failing = with(Startup::Fail);
    let _tasks = failing.keep_keys_fresh();
    assert_eq!(failing.first_keys().await, Ok(()));
}

#[tokio::test]
async fn a_probe_tells_each_address() {
    let server = Server::start().await;
    server.publish(&[(p256(), "k1"), (&keys()[1], "k2")]);
    let other = Server::start().await;
    let issuers = vec![
        server.issuer(),
        issuer(),
        IssuerSettings { name: "two".to_owned(), issuer: "https://two.example".to_owned(), ..other.issuer() },
    ];
    let results = probe(&AuthSettings { issuers }).await;
    assert_eq!(results.len(), 2);
    assert!(matches!(&results[0], (name, Ok(2)) if name == "dev"), "{results:?}");
    let (name, fault) = &results[1];
    assert_eq!(name, "two");
    assert!(fault.as_ref().unwrap_err().to_string().starts_with(&format!("{}/keys: ", other.base)));
}
