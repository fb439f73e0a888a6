//! An issuer on loopback that does as it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, IsCa, Issuer as Signer};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// What is sent for a request.
#[derive(Clone)]
pub(super) enum Reply {
    /// This document, status 200.
    Document(String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then nothing more for as long as the client waits.
    Stalled(Vec<u8>),
    /// This one again and again, after a head.
    Endless(Vec<u8>),
    /// The end of the connection.
    Down,
}

impl Reply {
    pub(super) fn status(line: &str, headers: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {line}\r\n{headers}Content-Length: 2\r\n\r\n{{}}").into_bytes())
    }
}

/// A server; one path has one reply, any other none.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) base: String,
    replies: Arc<Mutex<HashMap<String, Reply>>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::serve(None).await
    }

    pub(super) async fn start_tls(tls: &Tls) -> Self {
        Self::serve(Some(tls.acceptor.clone())).await
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let server = Self { base, replies: Arc::default(), asked: Arc::default() };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, tls) = (accepting.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => server.answer(stream).await,
                        Some(tls) => server.answer(tls.accept(stream).await?).await,
                    }
                });
            }
        });
        server
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.contains("accept-encoding: identity") || head.contains("Accept-Encoding: identity"), "{head}");
        self.asked.fetch_add(1, Ordering::SeqCst);
        let path = head.split(' ').nth(1).unwrap();
        let reply = self.replies.lock().unwrap().get(path).cloned().unwrap_or(Reply::Down);
        match reply {
            Reply::Document(text) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
                stream.write_all(&[head.as_bytes(), text.as_bytes()].concat()).await?;
            }
            Reply::Raw(bytes) => stream.write_all(&bytes).await?,
            Reply::Stalled(bytes) => {
                stream.write_all(&bytes).await?;
                std::future::pending::<()>().await;
            }
            Reply::Endless(bytes) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    stream.write_all(&bytes).await?;
                }
            }
            Reply::Down => {}
        }
        stream.shutdown().await
    }

    pub(super) fn reply(&self, path: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub(super) fn url(&self, path: &str) -> KeyUrl {
        KeyUrl::parse(&format!("{}{path}", self.base), ClearText::FromLoopback).unwrap()
    }

    /// Publishes these keys under `/keys`, each with its name.
    pub(super) fn publish(&self, keys: &[(&TestKey, &str)]) {
        let keys: Vec<_> = keys.iter().map(|(key, id)| key.jwk_with(serde_json::json!({"kid": id}))).collect();
        self.reply("/keys", Reply::Document(jwks(&keys)));
    }

    pub(super) fn go_down(&self) {
        self.reply("/keys", Reply::Down);
    }

    /// Requests so far.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// An issuer whose keys are under `/keys`.
    pub(super) fn issuer(&self) -> IssuerSettings {
        let remote = RemoteKeySettings {
            source: source(KeyAddress::Jwks(self.url("/keys"))),
            times: times(),
            startup: Startup::ServeUnready,
        };
        IssuerSettings { keys: IssuerKeys::Remote(Box::new(remote)), ..super::issuer() }
    }

    pub(super) fn authenticator(&self) -> Authenticator {
        Authenticator::new(AuthSettings { issuers: vec![self.issuer()] })
    }
}

pub(super) fn times() -> KeyTimes {
    KeyTimes {
        refresh: Duration::from_secs(300),
        unknown_key_interval: Duration::from_secs(10),
        max_stale: Duration::from_secs(86_400),
        stale_answer: StaleAnswer::Unavailable,
    }
}

pub(super) fn source(address: KeyAddress) -> KeySource {
    let clear_text = ClearText::FromLoopback;
    KeySource { address, fetcher: Tls::any().fetcher(), clear_text, algorithms: SignatureAlgorithm::ALL.to_vec() }
}

/// A certificate authority and a server's certificate by it.
pub(super) struct Tls {
    authority: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

impl Tls {
    pub(super) fn for_name(name: &str) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &Signer::new(authority, authority_key)).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        Self { authority: authority_certificate.der().clone(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// One for where it does not matter, made once.
    fn any() -> &'static Self {
        static ANY: OnceLock<Tls> = OnceLock::new();
        ANY.get_or_init(|| Self::for_name("127.0.0.1"))
    }

    pub(super) fn fetcher(&self) -> Fetcher {
        Fetcher::trusting([self.authority.clone()]).unwrap()
    }
}

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

/// A token that is valid for a week.
pub(super) fn token_of(key: &TestKey, id: &str) -> String {
    let claims = claims_with(&[("exp", &(NOW + 604_800).to_string())], "");
    sign_with(&key.signing, key.fits[0], &header_of(key, id), &claims)
}

/// A token like one of a key with this name, which nobody has.
pub(super) fn forged(id: &str) -> String {
    let good = token_of(p256(), id);
    format!("{}.{}", good.rsplit_once('.').unwrap().0, URL_SAFE_NO_PAD.encode([7; 64]))
}

pub(super) fn header_of(key: &TestKey, id: &str) -> String {
    serde_json::json!({"alg": format!("{:?}", key.fits[0]), "typ": "at+jwt", "kid": id}).to_string()
}

pub(super) fn new_key() -> TestKey {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    test_key("P-256", &pair, EncodingKey::from_ec_pem, vec![Algorithm::ES256])
}

#[track_caller]
pub(super) fn unavailable(answer: Authentication) -> KeysUnavailable {
    match answer {
        Authentication::Unavailable(fault) => fault,
        other => panic!("expected that it cannot be judged, got {other:?}"),
    }
}
