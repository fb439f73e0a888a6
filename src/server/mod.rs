//! The listener: connections, TLS, limits on what comes before there is a request, and the end.

mod admin;
mod caught;
mod certificate;
mod connection;
mod linger;
mod observed;
mod peers;
mod phase;
mod progress;
mod readiness;
mod stall;
mod streams;
mod tls;

pub use admin::{Admin, AdminServer};
pub use certificate::Certificate;
pub use readiness::Readiness;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::config::{Limits, ServerSettings};
use crate::proxy::Gate;
use crate::telemetry::AuditLog;
use connection::Context;
use peers::{Peers, Refused};
use phase::{Phase, Watch};

/// After an accept that failed for want of file descriptors, waiting is all that helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener that is bound and not yet served.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    certificate: Option<Arc<Certificate>>,
    drain: Duration,
    grace: Duration,
    limits: Limits,
    audit: AuditLog,
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}; choose another [server] listen")]
    Bind(SocketAddr, io::Error),
    /// The admin listener's address cannot be listened on.
    #[error("cannot listen on {0}: {1}; choose another [admin] listen")]
    BindAdmin(SocketAddr, io::Error),
    /// The certificate or its key is not usable.
    #[error("the server's certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub async fn bind(settings: ServerSettings, limits: Limits, audit: AuditLog) -> Result<Self, ServerFault> {
        let certificate = settings.tls.map(Certificate::new).transpose()?.map(Arc::new);
        let tls = certificate.clone().map(tls::acceptor).transpose()?;
        let bound = TcpListener::bind(settings.listen).await;
        let listener = bound.map_err(|error| ServerFault::Bind(settings.listen, error))?;
        let [drain, grace] = [settings.drain_seconds, settings.grace_seconds].map(Duration::from_secs);
        Ok(Self { listener, tls, certificate, drain, grace, limits, audit })
    }

    /// The certificate that it serves, if it serves one.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready. Then `readiness` fails at once; clients are asked to go elsewhere for as long as
    /// the configuration says, or until `hurry` is ready; then the listener closes, and what is under way has the grace
    /// period to end. Whether all ended within it.
    pub async fn run(
        self,
        gate: Arc<Gate>,
        readiness: &Readiness,
        stop: impl Future<Output = ()>,
        hurry: impl Future<Output = ()>,
    ) -> bool {
        let peers = Peers::new(&self.limits);
        // Every connection holds a receiver: when all are gone, so are the connections.
        let (phase, seen) = watch::channel(Phase::Serving);
        let context = Context { gate, tls: self.tls.clone(), limits: self.limits.clone(), audit: self.audit.clone() };
        let mut serving = Box::pin(self.serve(Arc::new(context), &peers, Watch::new(seen)));
        tokio::select! {
            () = &mut serving => {}
            () = stop => {}
        }
        readiness.stop();
        let _ = phase.send(Phase::Draining);
        tokio::select! {
            () = &mut serving => {}
            () = hurry => {}
            () = tokio::time::sleep(self.drain) => {}
        }
        drop(serving);
        drop(self.listener);
        let _ = phase.send(Phase::Stopping);
        tokio::time::timeout(self.grace, phase.closed()).await.is_ok()
    }

    /// Accepts connections, for ever.
    async fn serve(&self, context: Arc<Context>, peers: &Peers, phase: Watch) {
        loop {
            let Some((stream, peer)) = self.accept().await else { continue };
            match peers.enter(peer.ip()) {
                Ok(place) => {
                    let (context, phase) = (Arc::clone(&context), phase.clone());
                    let open = self.audit.metrics().connection();
                    tokio::spawn(async move {
                        connection::serve(stream, peer, &context, phase.clone()).await;
                        // Not before: the server waits until nobody watches its phase any more.
                        drop((place, open, phase));
                    });
                }
                Err(Refused::TooMany) => self.audit.connection(peer, "too_many_connections"),
                Err(Refused::TooManyOfPeer) => self.audit.connection(peer, "too_many_connections_of_peer"),
            }
        }
    }

    async fn accept(&self) -> Option<(TcpStream, SocketAddr)> {
        match self.listener.accept().await {
            Ok(accepted) => Some(accepted),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}
