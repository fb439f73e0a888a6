//! The load: the same requests to either proxy, as fast as they are answered or at a fixed rate.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connections at a time, in every row.
pub const CONNECTIONS: usize = 32;

/// A proxy, with connections that are kept.
pub struct Target {
    pub address: SocketAddr,
    pub tls: TlsConnector,
    pub kept: Vec<Connection>,
}

/// One connection over TLS and HTTP/1.1.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// What is asked for, and whether each time on a new connection.
#[derive(Clone)]
pub struct Work {
    pub request: Arc<[u8]>,
    pub is_fresh: bool,
}

/// Trusts `ca` alone, and resumes nothing: each handshake is a full one.
pub fn tls(ca: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).expect("the CA's file") {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

impl Target {
    /// Opens the connections that are kept.
    pub async fn new(address: SocketAddr, tls: &TlsConnector) -> io::Result<Self> {
        let mut kept = Vec::new();
        for _ in 0..CONNECTIONS {
            kept.push(Connection::open(address, tls).await?);
        }
        Ok(Self { address, tls: tls.clone(), kept })
    }

    /// Asks so often, on all connections at once, each as soon as its last answer has come.
    pub async fn drive(&mut self, work: &Work, requests: usize) -> io::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut running = JoinSet::new();
        for mut connection in self.kept.drain(..) {
            let (next, work, to) = (Arc::clone(&next), work.clone(), (self.address, self.tls.clone()));
            running.spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < requests {
                    connection.work(&work, &to).await?;
                }
                Ok(connection)
            });
        }
        self.kept = running.join_all().await.into_iter().collect::<io::Result<_>>()?;
        Ok(())
    }

    /// Asks at this rate, for so long. How long each answer took from when its request was due, however late the one
    /// before it was.
    pub async fn pace(&mut self, work: &Work, per_second: u32, time: Duration) -> io::Result<Vec<Duration>> {
        let between = Duration::from_secs(1) / per_second;
        let all = u32::try_from(time.as_nanos() / between.as_nanos()).expect("not so many");
        let start = Instant::now();
        let mut running = JoinSet::new();
        for (mut connection, first) in self.kept.drain(..).zip(0..) {
            let (work, to) = (work.clone(), (self.address, self.tls.clone()));
            running.spawn(async move {
                let mut took = Vec::new();
                for number in (first..all).step_by(CONNECTIONS) {
                    let due = start + between * number;
                    // The timer's own lateness is not the proxy's.
                    let is_early = Instant::now() < due;
                    tokio::time::sleep_until(due.into()).await;
                    let begin = if is_early { Instant::now() } else { due };
                    connection.work(&work, &to).await?;
                    took.push(begin.elapsed());
                }
                Ok::<_, io::Error>((connection, took))
            });
        }
        let mut all = Vec::new();
        for ended in running.join_all().await {
            let (connection, took) = ended?;
            self.kept.push(connection);
            all.extend(took);
        }
        Ok(all)
    }
}

impl Connection {
    async fn open(address: SocketAddr, tls: &TlsConnector) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let stream = tls.connect(ServerName::from(address.ip()), tcp).await?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    async fn work(&mut self, work: &Work, to: &(SocketAddr, TlsConnector)) -> io::Result<()> {
        if !work.is_fresh {
            return self.ask(&work.request).await;
        }
        let mut connection = Self::open(to.0, &to.1).await?;
        connection.ask(&work.request).await?;
        connection.stream.shutdown().await
    }

    /// Sends a request and reads its answer, which must be 200. Of its body nothing is kept.
    async fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            if !self.buffer.starts_with(b"HTTP/1.1 200 ") {
                return Err(io::Error::other(String::from_utf8_lossy(&self.buffer).into_owned()));
            }
            let length = content_length(&self.buffer[..end]);
            self.buffer.drain(..end + 4);
            return match length {
                Some(length) => self.skip(length).await,
                None => self.skip_chunks().await,
            };
        }
    }

    async fn skip(&mut self, mut left: usize) -> io::Result<()> {
        while self.buffer.len() < left {
            left -= self.buffer.len();
            self.more().await?;
        }
        Ok(())
    }

    /// The body of no answer has what its end looks like.
    async fn skip_chunks(&mut self) -> io::Result<()> {
        const END: &[u8] = b"\r\n0\r\n\r\n";
        let mut tail = Vec::new();
        loop {
            tail.extend_from_slice(&self.buffer);
            if tail.ends_with(END) {
                return Ok(());
            }
            tail.drain(..tail.len().saturating_sub(END.len()));
            self.more().await?;
        }
    }

    /// The next piece, in the place of the last.
    async fn more(&mut self) -> io::Result<()> {
        self.buffer.clear();
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What a head says of its body's length.
pub fn content_length(head: &[u8]) -> Option<usize> {
    let name = b"content-length:";
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.find(|line| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name))?;
    str::from_utf8(&line[name.len()..]).ok()?.trim().parse().ok()
}
