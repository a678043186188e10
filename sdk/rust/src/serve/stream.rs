//! A connection to the other side, with or without TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_rustls::TlsStream;
use tonic::transport::server::Connected;

/// A connection on a Unix socket.
pub(crate) enum PeerStream {
    /// In clear: the host asked for it.
    Plain(UnixStream),
    /// Mutual TLS.
    Tls(Box<TlsStream<UnixStream>>),
}

impl PeerStream {
    pub(crate) fn to_host(stream: tokio_rustls::client::TlsStream<UnixStream>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }

    pub(crate) fn from_host(stream: tokio_rustls::server::TlsStream<UnixStream>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

impl Connected for PeerStream {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for PeerStream {
    fn poll_read(
        self: Pin<&mut Self>,
        poller: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(poller, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(poller, buffer),
        }
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        self: Pin<&mut Self>,
        poller: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(poller, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(poller, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        poller: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(poller, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(poller, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, poller: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(poller),
            Self::Tls(stream) => Pin::new(stream).poll_flush(poller),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, poller: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(poller),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(poller),
        }
    }
}
