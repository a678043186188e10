//! One connection to the other side, whatever carries it, with or without TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::transport::server::Connected;
use wharf_proto::tls::{self, Identity};

/// TLS for both roles. The plugin is the TLS server of the main connection; of a brokered one, whoever accepts it.
#[derive(Clone, Debug)]
pub struct Security {
    /// For connections that this side makes.
    pub client: Arc<ClientConfig>,
    /// For connections that this side accepts.
    pub server: Arc<ServerConfig>,
}

impl Security {
    /// Mutual TLS in which each side takes exactly one certificate: go-plugin's AutoMTLS.
    ///
    /// # Errors
    /// Those of [`tls::client_config`], about `peer_der`.
    pub fn pinned(identity: &Identity, peer_der: &[u8]) -> Result<Self, tls::Error> {
        Ok(Self {
            client: tls::client_config(identity, peer_der)?,
            server: tls::server_config(identity, peer_der)?,
        })
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection: a Unix or TCP socket or a multiplexed stream, in clear or inside TLS.
pub struct Connection(Box<dyn Io>);

impl Connection {
    pub(crate) fn new(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Box::new(io))
    }

    /// Shakes hands as the TLS client, if there is TLS at all. Has no deadline of its own.
    ///
    /// # Errors
    /// The handshake's: the other side is not the one that was pinned, or speaks no TLS.
    pub async fn into_client(self, security: Option<&Security>) -> io::Result<Self> {
        let Some(security) = security else { return Ok(self) };
        let connector = TlsConnector::from(Arc::clone(&security.client));
        connector.connect(tls::server_name(), self).await.map(Self::new)
    }

    /// Shakes hands as the TLS server, if there is TLS at all. Has no deadline of its own.
    ///
    /// # Errors
    /// As [`Connection::into_client`].
    pub async fn into_server(self, security: Option<&Security>) -> io::Result<Self> {
        let Some(security) = security else { return Ok(self) };
        let acceptor = TlsAcceptor::from(Arc::clone(&security.server));
        acceptor.accept(self).await.map(Self::new)
    }
}

impl From<UnixStream> for Connection {
    fn from(stream: UnixStream) -> Self {
        Self::new(stream)
    }
}

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self::new(stream)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
