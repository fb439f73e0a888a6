//! The listener: connections, TLS, limits on what comes before there is a request, and the end.

mod caught;
mod connection;
mod peers;
mod progress;
mod stall;
mod tls;

pub use connection::MAX_HEADERS;

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

/// After an accept that failed for want of file descriptors, waiting is all that helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener that is bound and not yet served.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
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
        let tls = settings.tls.map(tls::acceptor).transpose()?;
        let bound = TcpListener::bind(settings.listen).await;
        let listener = bound.map_err(|error| ServerFault::Bind(settings.listen, error))?;
        Ok(Self { listener, tls, grace: Duration::from_secs(settings.grace_seconds), limits, audit })
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready; then accepts no more, and waits for what runs, for the grace period at most.
    /// Whether all ended within it.
    pub async fn run(self, gate: Arc<Gate>, stop: impl Future<Output = ()>) -> bool {
        let peers = Peers::new(&self.limits);
        // Every connection holds a receiver: when all are gone, so are the connections.
        let (stopping, stopped) = watch::channel(false);
        let context =
            Arc::new(Context { gate, tls: self.tls.clone(), limits: self.limits.clone(), audit: self.audit.clone() });
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = &mut stop => break,
            };
            let Some((stream, peer)) = accepted else { continue };
            match peers.enter(peer.ip()) {
                Ok(place) => {
                    let (context, stopped) = (Arc::clone(&context), stopped.clone());
                    tokio::spawn(async move {
                        connection::serve(stream, peer, &context, stopped).await;
                        drop(place);
                    });
                }
                Err(Refused::TooMany) => self.audit.connection(peer, "too_many_connections"),
                Err(Refused::TooManyOfPeer) => self.audit.connection(peer, "too_many_connections_of_peer"),
            }
        }
        drop((self.listener, stopped));
        let _ = stopping.send(true);
        tokio::time::timeout(self.grace, stopping.closed()).await.is_ok()
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
