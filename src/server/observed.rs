//! A stream of bytes that is looked at as it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream, and who looks. What that one says against it ends the stream.
pub struct Observed<S, L> {
    inner: S,
    look: L,
}

impl<S, L: FnMut(&[u8]) -> io::Result<()>> Observed<S, L> {
    /// Each piece that is read is shown to `look`.
    pub const fn new(inner: S, look: L) -> Self {
        Self { inner, look }
    }
}

impl<S: AsyncRead + Unpin, L: FnMut(&[u8]) -> io::Result<()> + Unpin> AsyncRead for Observed<S, L> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let piece = buf.filled().get(before..).unwrap_or_default();
        if !piece.is_empty() {
            (self.look)(piece)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, L: Unpin> AsyncWrite for Observed<S, L> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
