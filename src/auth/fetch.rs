//! A small HTTP client for one purpose: to get a document of an issuer's, within bounds.
//!
//! One connection for each document, which is asked for every few minutes: no pool, no redirects, no compression, no proxy.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HOST, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Bytes of a document. The largest key sets of public issuers, with certificates, come to some 30 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Bytes of an answer's head, which holds cookies and policies of no use here.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// For name, connection and TLS. An issuer that is there takes milliseconds.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For all that one fetch takes, both documents of a discovery: requests may be waiting for it.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether keys may come over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    /// Only TLS.
    Refused,
    /// From this machine itself, which the configuration says in full.
    FromLoopback,
}

/// An address to fetch from: `https`, or `http` on this machine where that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUrl {
    uri: Uri,
    host: String,
    is_tls: bool,
}

impl KeyUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it; does not repeat it, since it may hold a password.
    pub fn parse(text: &str, clear_text: ClearText) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "not a URL")?;
        let authority = uri.authority().ok_or("not a URL with a host")?;
        if authority.as_str().contains('@') || text.contains('#') {
            return Err("a URL with a user or a fragment");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_tls = match (uri.scheme_str(), clear_text) {
            (Some("https"), ClearText::Refused | ClearText::FromLoopback) => true,
            (Some("http"), ClearText::FromLoopback) if is_loopback(&host) => false,
            (Some("http"), ClearText::FromLoopback) => return Err("http and not on this machine, expected https"),
            (_, ClearText::Refused | ClearText::FromLoopback) => return Err("not https"),
        };
        Ok(Self { uri, host, is_tls })
    }

    fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_tls { 443 } else { 80 })
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, FetchFault> {
        let target = self.uri.path_and_query().map_or("/", |target| target.as_str());
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        Request::get(target)
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("msq-gate/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|_| FetchFault::NotHttp)
    }
}

impl fmt::Display for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Why a document did not come. Whose fault: the issuer's, the network's, or the configuration's.
#[derive(Debug, thiserror::Error)]
pub enum FetchFault {
    /// The name is unknown, or nobody listens.
    #[error("cannot be reached: {0}")]
    Unreachable(io::Error),
    /// A certificate that is not trusted, among others.
    #[error("no TLS connection: {0}")]
    Tls(io::Error),
    /// The host is no name that a certificate could have.
    #[error("its host is not a name for TLS")]
    OddHost,
    /// Past [`CONNECT_TIMEOUT`].
    #[error("no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    SlowConnection,
    /// Past [`FETCH_TIMEOUT`].
    #[error("not answered within {} s", FETCH_TIMEOUT.as_secs())]
    Slow,
    /// What came is not HTTP/1.1, or was cut off.
    #[error("did not answer in HTTP, or not to the end")]
    NotHttp,
    /// A redirect.
    #[error("answered with a redirect ({0}), which is not followed: name the address it leads to")]
    Redirect(u16),
    /// Another status than 200.
    #[error("answered with status {0}")]
    Status(u16),
    /// Compressed although not asked for.
    #[error("answered with a Content-Encoding")]
    Encoded,
    /// Past [`MAX_DOCUMENT_BYTES`].
    #[error("answered with more than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
    /// Other bytes than text.
    #[error("answered with bytes that are not UTF-8")]
    NotText,
}

/// Gets documents; trusts the certificate authorities that it was made with.
#[derive(Clone)]
pub struct Fetcher(TlsConnector);

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}

impl Fetcher {
    /// A fetcher that trusts these authorities and no others. Those that cannot be read are passed over.
    ///
    /// # Errors
    /// None can be read.
    pub fn trusting(authorities: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let (read, _) = roots.add_parsable_certificates(authorities);
        if read == 0 {
            return Err("no certificate of an authority".to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Gets a document. The caller bounds the time of the whole.
    pub(in crate::auth) async fn get(&self, url: &KeyUrl) -> Result<String, FetchFault> {
        let stream = within_connect_timeout(TcpStream::connect((url.host.as_str(), url.port())))
            .await?
            .map_err(FetchFault::Unreachable)?;
        if !url.is_tls {
            return exchange(stream, url).await;
        }
        let name = ServerName::try_from(url.host.clone()).map_err(|_| FetchFault::OddHost)?;
        let stream = within_connect_timeout(self.0.connect(name, stream)).await?.map_err(FetchFault::Tls)?;
        exchange(stream, url).await
    }
}

async fn within_connect_timeout<T>(connecting: impl Future<Output = T>) -> Result<T, FetchFault> {
    timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| FetchFault::SlowConnection)
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &KeyUrl,
) -> Result<String, FetchFault> {
    let mut http = hyper::client::conn::http1::Builder::new();
    http.max_buf_size(MAX_HEAD_BYTES);
    let (mut sender, connection) =
        http.handshake(TokioIo::new(stream)).await.map_err(|_: hyper::Error| FetchFault::NotHttp)?;
    // Ends with this function, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(url.request()?).await.map_err(|_| FetchFault::NotHttp)?;
    read(response).await
}

async fn read(response: Response<Incoming>) -> Result<String, FetchFault> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchFault::Redirect(status.as_u16()));
    }
    if status != StatusCode::OK {
        return Err(FetchFault::Status(status.as_u16()));
    }
    let identity = HeaderValue::from_static("identity");
    if response.headers().get_all(CONTENT_ENCODING).iter().any(|encoding| encoding != identity) {
        return Err(FetchFault::Encoded);
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| FetchFault::NotHttp)?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_DOCUMENT_BYTES {
            return Err(FetchFault::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    String::from_utf8(bytes).map_err(|_| FetchFault::NotText)
}
