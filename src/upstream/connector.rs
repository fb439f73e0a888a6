//! How connections to Routers are made: TCP, and TLS over it where the configuration says so, within one time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::RouterTls;

/// Makes connections.
#[derive(Clone)]
pub struct Connector {
    made_by: MadeBy,
    patience: Duration,
}

#[derive(Clone)]
enum MadeBy {
    Tcp(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

/// With these certificates, if Routers are spoken to over TLS; a connection may take so long.
pub fn new(tls: Option<&RouterTls>, patience: Duration) -> Connector {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(patience));
    tcp.set_nodelay(true);
    let made_by = match tls {
        None => MadeBy::Tcp(tcp),
        Some(tls) => {
            tcp.enforce_http(false);
            let builder = HttpsConnectorBuilder::new().with_tls_config(tls.client.clone());
            MadeBy::Tls(builder.https_only().enable_http1().wrap_connector(tcp))
        }
    };
    Connector { made_by, patience }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Made = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Service<Uri> for Connector {
    type Response = Made;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Made, Fault>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        match &mut self.made_by {
            MadeBy::Tcp(tcp) => tcp.poll_ready(cx).map_err(Into::into),
            MadeBy::Tls(tls) => tls.poll_ready(cx),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let patience = self.patience;
        let making: Self::Future = match &mut self.made_by {
            MadeBy::Tcp(tcp) => {
                let making = tcp.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(making.await?)) })
            }
            MadeBy::Tls(tls) => tls.call(uri),
        };
        // The TLS handshake has no bound of its own.
        Box::pin(async move { tokio::time::timeout(patience, making).await? })
    }
}
