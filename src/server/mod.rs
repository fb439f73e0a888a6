//! The listener: connections, TLS, limits on what comes before there is a request, and the end.

mod activity;
mod caught;
mod connection;
mod tls;

pub use connection::{IDLE_TIMEOUT, MAX_CONNECTIONS, MAX_HEADERS};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::config::ServerSettings;
use crate::proxy::Gate;

/// After an accept that failed for want of file descriptors, waiting is all that helps.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener that is bound and not yet served.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    grace: Duration,
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
    pub async fn bind(settings: ServerSettings) -> Result<Self, ServerFault> {
        let tls = settings.tls.map(tls::acceptor).transpose()?;
        let bound = TcpListener::bind(settings.listen).await;
        let listener = bound.map_err(|error| ServerFault::Bind(settings.listen, error))?;
        Ok(Self { listener, tls, grace: Duration::from_secs(settings.grace_seconds) })
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
        // Each connection holds a receiver: it is told to end, and has ended when the receiver is gone.
        let (ending, told) = watch::channel(());
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&places) => accepted,
                () = &mut stop => break,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let (tls, gate, told) = (self.tls.clone(), Arc::clone(&gate), told.clone());
            tokio::spawn(async move {
                connection::serve(stream, peer, tls, gate, told).await;
                drop(place);
            });
        }
        drop(self.listener);
        drop(told);
        ending.send_replace(());
        tokio::time::timeout(self.grace, ending.closed()).await.is_ok()
    }

    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, place)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}
