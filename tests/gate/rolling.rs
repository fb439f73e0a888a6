//! Two gates that are replaced one after the other, under clients that do as they are asked: nothing fails.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use msq_gate_bed::{GateOptions, GateProcess};
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tokio_rustls::TlsConnector;

use crate::client::tls_config;
use crate::operations::{admin_on, admin_section, free_port};
use crate::support::{BED, options, own_gate, token};

/// Gates that are replaced.
const REPLACED: usize = 3;

/// A download is of so many pieces, one each tenth of a second.
const PIECES: usize = 15;

/// A Router whose logs of tasks come slowly, and everything else at once.
fn router(runtime: &tokio::runtime::Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    runtime.spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(tcp), service_fn(answer)));
        }
    });
    url
}

/// A body that comes piece by piece.
struct Slow {
    left: usize,
    next: Pin<Box<Sleep>>,
}

/// Between two pieces.
const PAUSE: Duration = Duration::from_millis(100);

impl Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.next.as_mut().poll(cx));
        self.left -= 1;
        self.next.as_mut().reset(tokio::time::Instant::now() + PAUSE);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"0123456789abcdef")))))
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Either<Slow, Full<Bytes>>>, Infallible> {
    let whole = |text: &'static str| Either::Right(Full::new(Bytes::from_static(text.as_bytes())));
    let body = match request.uri().path() {
        path if path.ends_with("/log") => {
            Either::Left(Slow { left: PIECES, next: Box::pin(tokio::time::sleep(PAUSE)) })
        }
        path if path.ends_with("/status") => {
            whole(r#"{"task":"wiki-1","status":{"id":"wiki-1","type":"query_controller","dataSource":"wiki"}}"#)
        }
        _ => whole("{}"),
    };
    Ok(Response::new(body))
}

/// Where clients may go now, as a load balancer knows it from `/readyz`.
type Live = Arc<Mutex<Vec<SocketAddr>>>;

/// What a client sends by, kept for as long as the gate wishes.
enum Connection {
    H1(http1::SendRequest<Empty<Bytes>>),
    H2(http2::SendRequest<Empty<Bytes>>),
}

impl Connection {
    async fn open(address: SocketAddr, version: Version, ca: &Path) -> Option<Self> {
        let alpn: &[&[u8]] = if version == Version::HTTP_2 { &[b"h2"] } else { &[b"http/1.1"] };
        let tcp = TcpStream::connect(address).await.ok()?;
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream = TokioIo::new(TlsConnector::from(tls_config(ca, alpn)).connect(name, tcp).await.ok()?);
        if version == Version::HTTP_2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.ok()?;
            tokio::spawn(connection);
            return Some(Self::H2(sender));
        }
        let (sender, connection) = http1::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        Some(Self::H1(sender))
    }

    async fn is_open(&mut self) -> bool {
        match self {
            Self::H1(sender) => sender.ready().await.is_ok(),
            Self::H2(sender) => sender.ready().await.is_ok(),
        }
    }

    async fn send(&mut self, request: Request<Empty<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::H1(sender) => sender.send_request(request).await,
            Self::H2(sender) => sender.send_request(request).await,
        }
    }
}

/// What all clients count.
#[derive(Default)]
struct Counts {
    answered: AtomicUsize,
    repeated: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

struct Client {
    live: Live,
    version: Version,
    target: &'static str,
    token: String,
    counts: Arc<Counts>,
    done: Arc<AtomicBool>,
}

/// Times that a request is sent at most.
const ATTEMPTS: usize = 4;

impl Client {
    /// Sends one request after the other until it is enough.
    async fn run(self, ca: PathBuf, first: usize) {
        let (mut kept, mut turn) = (None, first);
        while !self.done.load(Ordering::Relaxed) {
            match self.ask(&mut kept, &mut turn, &ca).await {
                Ok(()) => self.counts.answered.fetch_add(1, Ordering::Relaxed),
                Err(fault) => {
                    self.counts.failed.lock().expect("lock").push(format!("{:?} {fault}", self.version));
                    0
                }
            };
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn ask(&self, kept: &mut Option<Connection>, turn: &mut usize, ca: &Path) -> Result<(), String> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                self.counts.repeated.fetch_add(1, Ordering::Relaxed);
            }
            let Some(mut connection) = self.connection(kept.take(), turn, ca).await else { continue };
            let Ok(response) = connection.send(self.request()).await else {
                // Not one byte of an answer: a safe request may be repeated.
                continue;
            };
            let asked_to_go = response.headers().get("connection").is_some_and(|value| value == "close");
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| format!("cut off: {error}"))?.to_bytes();
            let whole = !self.target.ends_with("/log") || body.len() == PIECES * 16;
            if status != StatusCode::OK || !whole {
                return Err(format!("{status} {} bytes", body.len()));
            }
            if !asked_to_go {
                *kept = Some(connection);
            }
            return Ok(());
        }
        Err("no answer at all".to_owned())
    }

    /// The one that is there, if it may be used still; else another, to the gate whose turn it is.
    async fn connection(&self, kept: Option<Connection>, turn: &mut usize, ca: &Path) -> Option<Connection> {
        if let Some(mut kept) = kept
            && kept.is_open().await
        {
            return Some(kept);
        }
        *turn += 1;
        let address = {
            let live = self.live.lock().expect("lock");
            live[*turn % live.len()]
        };
        Connection::open(address, self.version, ca).await
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        let uri = if self.version == Version::HTTP_2 {
            format!("https://127.0.0.1{}", self.target)
        } else {
            self.target.to_owned()
        };
        let request = Request::get(uri).header("Authorization", format!("Bearer {}", self.token));
        let request = if self.version == Version::HTTP_2 { request } else { request.header("Host", "127.0.0.1") };
        request.body(Empty::new()).expect("a request")
    }
}

fn address_of(process: &GateProcess) -> SocketAddr {
    process.url.strip_prefix("https://").expect("https").parse().expect("an address")
}

/// A gate that asks clients to go for a second, and the port of its admin listener.
fn start(router_url: &str) -> (GateProcess, u16) {
    let port = free_port();
    let environment = vec![("MSQ_GATE__SERVER__DRAIN_SECONDS".to_owned(), "1".to_owned())];
    let options =
        GateOptions { router_url: router_url.to_owned(), more: admin_section(port), environment, ..options() };
    (own_gate(options).0, port)
}

/// Ends a gate as its supervisor would; clients go elsewhere as soon as it is not ready.
fn replace(process: GateProcess, port: u16, live: &Live) {
    let (admin, address) = (admin_on(port), address_of(&process));
    admin.get("/readyz").send().expect(200);
    let ending = std::thread::spawn(move || process.terminate());
    let asked = Instant::now();
    while admin.get("/readyz").send().status == 200 {
        assert!(asked.elapsed() < Duration::from_millis(900), "it is ready still");
    }
    admin.get("/healthz").send().expect(200);
    live.lock().expect("lock").retain(|other| *other != address);
    let status = ending.join().expect("joined").expect("ended");
    assert!(status.success(), "{status}");
}

#[test]
fn a_rolling_restart_fails_no_request() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("tokio");
    let router = router(&runtime);
    let mut gates = VecDeque::from([start(&router), start(&router)]);
    let live: Live = Arc::new(Mutex::new(gates.iter().map(|(process, _)| address_of(process)).collect()));
    let (counts, done) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
    let (short, long) = ("/status", "/druid/indexer/v1/task/wiki-1/log");
    let kinds =
        [(Version::HTTP_11, short), (Version::HTTP_2, short), (Version::HTTP_11, long), (Version::HTTP_2, long)];
    let clients: Vec<_> = (0..8)
        .map(|n| {
            let (version, target) = kinds[n % kinds.len()];
            let (live, counts, done) = (Arc::clone(&live), Arc::clone(&counts), Arc::clone(&done));
            let client = Client { live, version, target, token: token("admin"), counts, done };
            runtime.spawn(client.run(BED.ca.clone(), n))
        })
        .collect();
    for _ in 0..REPLACED {
        let (process, port) = gates.pop_front().expect("a gate");
        let next = start(&router);
        live.lock().expect("lock").push(address_of(&next.0));
        gates.push_back(next);
        replace(process, port, &live);
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        runtime.block_on(client).expect("a client");
    }
    let failed = counts.failed.lock().expect("lock").clone();
    let first: Vec<_> = failed.iter().take(5).collect();
    let (answered, repeated) = (counts.answered.load(Ordering::Relaxed), counts.repeated.load(Ordering::Relaxed));
    println!("{answered} requests answered, {repeated} repeated, {} failed", failed.len());
    assert!(failed.is_empty(), "{} failed, {answered} answered, {repeated} repeated: {first:?}", failed.len());
    assert!(answered > 100, "only {answered} requests");
}
