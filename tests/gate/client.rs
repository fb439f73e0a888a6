//! A client that sends exactly the bytes it is told to, over TLS or in clear, and reads the answer whole.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// No single answer of the bed takes longer: a cold planner beside five other JVMs.
const ANSWER_BOUND: Duration = Duration::from_secs(90);

/// Where requests go.
#[derive(Clone)]
pub struct Server {
    address: String,
    tls: Option<Arc<ClientConfig>>,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came whole by its own framing.
    pub whole: bool,
}

impl Server {
    /// `url` is `https://host:port`, whose certificate `ca` must have signed, or `http://host:port`.
    pub fn new(url: &str, ca: &Path) -> Self {
        match url.split_once("://") {
            Some(("https", address)) => Self { address: address.to_owned(), tls: Some(tls_config(ca, &[b"http/1.1"])) },
            Some(("http", address)) => Self { address: address.to_owned(), tls: None },
            _ => panic!("not a URL that can be asked: {url}"),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends these bytes and reads one answer.
    pub fn send_raw(&self, bytes: &[u8]) -> Answer {
        self.try_raw(bytes).unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(bytes)))
    }

    pub fn try_raw(&self, bytes: &[u8]) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        // A server that answers before it has read everything may close meanwhile.
        let _ = stream.write_all(bytes);
        let _ = stream.flush();
        read_answer(&mut stream)
    }

    /// A connection on which the test speaks for itself.
    pub fn connect(&self) -> io::Result<Box<dyn Stream>> {
        self.connect_from().map(|(_, stream)| stream)
    }

    /// The same, with the address from which it comes.
    pub fn connect_from(&self) -> io::Result<(SocketAddr, Box<dyn Stream>)> {
        let tcp = TcpStream::connect(&self.address)?;
        tcp.set_read_timeout(Some(ANSWER_BOUND))?;
        tcp.set_nodelay(true)?;
        let own = tcp.local_addr()?;
        match &self.tls {
            None => Ok((own, Box::new(tcp))),
            Some(config) => {
                let name = ServerName::try_from("127.0.0.1").expect("an address");
                let connection = ClientConnection::new(Arc::clone(config), name).expect("TLS");
                Ok((own, Box::new(StreamOwned::new(connection, tcp))))
            }
        }
    }

    pub fn request<'a>(&'a self, method: &'a str, target: &'a str) -> Request<'a> {
        Request { server: self, method, target, headers: Vec::new(), body: Vec::new() }
    }

    pub fn get<'a>(&'a self, target: &'a str) -> Request<'a> {
        self.request("GET", target)
    }

    pub fn post<'a>(&'a self, target: &'a str) -> Request<'a> {
        self.request("POST", target)
    }
}

pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A client configuration that trusts `ca` alone and offers these protocols.
pub fn tls_config(ca: &Path, alpn: &[&[u8]]) -> Arc<ClientConfig> {
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
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// A request under construction.
pub struct Request<'a> {
    server: &'a Server,
    method: &'a str,
    target: &'a str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn basic(self, user: &str, password: &str) -> Self {
        use base64::Engine;
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        self.header("Authorization", &format!("Basic {credentials}"))
    }

    /// The body, with its media type.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", media_type)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.target, self.server.address);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
        if !framed && (!self.body.is_empty() || self.method == "POST") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub fn send(self) -> Answer {
        self.server.send_raw(&self.bytes())
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON, {}: {}", self.status, self.text()))
    }

    /// The same answer, if it has this status; else the test ends here and shows it.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Reads one answer; the connection's end ends a body that says nothing of its length.
pub fn read_answer(stream: &mut dyn Stream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(answer) = parse(&bytes, false) {
            return Ok(answer);
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            // TLS without a closing message: the end all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) if !bytes.is_empty() && error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error),
        }
    }
    parse(&bytes, true).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"))
}

fn parse(bytes: &[u8], ended: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(rest, ended);
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let find = |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let (body, whole) = if find("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        unchunk(rest)
    } else if let Some(length) = find("content-length").and_then(|value| value.parse::<usize>().ok()) {
        (rest[..rest.len().min(length)].to_vec(), rest.len() >= length)
    } else if status == 204 || status == 304 {
        (Vec::new(), true)
    } else {
        (rest.to_vec(), ended)
    };
    (whole || ended).then_some(Answer { status, headers, body, whole })
}

/// The body of these chunks, and whether the last one is among them.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { return (body, false) };
        rest = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(&rest[..rest.len().min(size)]);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
    (body, false)
}
