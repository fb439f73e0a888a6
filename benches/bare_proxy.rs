//! What hyper alone costs: a proxy that authorizes nothing, with the gate's own settings for TLS and HTTP. The bench
//! `cost` measures the gate beside it.
//!
//! `bare_proxy ADDRESS ROUTER CERTIFICATE KEY`

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use msq_gate::config::Limits;
use msq_gate::upstream::{POOL_IDLE_CONNECTIONS, POOL_IDLE_TIMEOUT};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// As the gate's `head_seconds`.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

type Fault = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Proxy {
    client: Client<HttpConnector, Incoming>,
    router: Authority,
}

fn main() -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, router, certificate, key] = arguments.as_slice() else {
        return Err("expected ADDRESS ROUTER CERTIFICATE KEY".into());
    };
    runtime.block_on(serve(address.parse()?, router.parse()?, &acceptor(certificate, key)?))
}

fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor, Fault> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(address: SocketAddr, router: Uri, tls: &TlsAcceptor) -> Result<(), Fault> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_max_idle_per_host(POOL_IDLE_CONNECTIONS)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector);
    let router = router.authority().cloned().ok_or("the Router's URL has no host")?;
    let proxy = Proxy { client, router };
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (tls, proxy) = (tls.clone(), proxy.clone());
        // What breaks a connection ends that connection.
        tokio::spawn(async move { drop(connection(stream, &tls, proxy).await) });
    }
}

async fn connection(stream: TcpStream, tls: &TlsAcceptor, proxy: Proxy) -> Result<(), Fault> {
    stream.set_nodelay(true)?;
    let stream = tls.accept(stream).await?;
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| {
        let proxy = proxy.clone();
        async move { Ok::<_, Infallible>(proxy.forward(request).await) }
    });
    if is_h2 {
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await?;
    } else {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let limits = Limits::default();
        builder.max_buf_size(limits.head_bytes).max_headers(limits.head_fields);
        builder.serve_connection(TokioIo::new(stream), service).await?;
    }
    Ok(())
}

impl Proxy {
    /// Passes everything on but what is about the connection.
    async fn forward(&self, mut request: Request<Incoming>) -> Response<BoxBody<Bytes, hyper::Error>> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(self.router.clone()).path_and_query(target).build();
        let Ok(uri) = uri else { return status(StatusCode::BAD_REQUEST) };
        *request.uri_mut() = uri;
        *request.version_mut() = http::Version::HTTP_11;
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONNECTION);
        match self.client.request(request).await {
            Ok(mut response) => {
                response.headers_mut().remove(CONNECTION);
                response.map(BodyExt::boxed)
            }
            Err(_) => status(StatusCode::BAD_GATEWAY),
        }
    }
}

fn status(status: StatusCode) -> Response<BoxBody<Bytes, hyper::Error>> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}
