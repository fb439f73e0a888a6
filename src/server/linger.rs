//! A stream that is closed without taking the last answer away: what the client still sends is read and dropped first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long what a client still sends is read after the last answer. A socket that is closed with something unread sends a
/// reset, at which a client may drop an answer that it has not read yet (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// What is read and dropped at once, in bytes.
const PIECE: usize = 4096;

/// How often pieces are read without a break.
const PIECES: usize = 64;

/// The stream, and since it was shut the time that is left to its client.
pub struct Linger<S> {
    inner: S,
    shut: Option<Pin<Box<Sleep>>>,
}

impl<S> Linger<S> {
    /// Nothing changes until `inner` is shut.
    pub const fn new(inner: S) -> Self {
        Self { inner, shut: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Linger<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.shut.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
        }
        let shut = this.shut.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut piece = [0; PIECE];
        for _ in 0..PIECES {
            if shut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut piece);
            match ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                // Its end, or it has gone: the answer is where it will be.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_a_client_still_sends_is_taken_before_the_end() {
        let (server, mut client) = duplex(64);
        let closing = tokio::spawn(async move {
            let mut server = Linger::new(server);
            server.write_all(b"no").await?;
            server.shutdown().await
        });
        // Far more than the pipe holds: it is all taken only where the other end reads.
        client.write_all(&[b'x'; 10_000]).await.expect("taken");
        client.shutdown().await.expect("shut");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("read");
        assert_eq!(answer, b"no");
        closing.await.expect("ended").expect("closed");
    }

    #[tokio::test]
    async fn a_client_that_does_not_end_is_not_waited_for_longer() {
        let (server, client) = duplex(64);
        let begun = tokio::time::Instant::now();
        Linger::new(server).shutdown().await.expect("closed");
        assert!(begun.elapsed() >= LINGER, "not as long as it may still send");
        drop(client);
    }
}
