//! The way to the host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::service_fn;
use wharf_peer::{Address, CONNECTION_WINDOW, Connection, STREAM_WINDOW, Security};
use wharf_proto::handshake::Network;
use wharf_proto::v1;
use wharf_proto::v1::host_client::HostClient;

use crate::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MESSAGE: usize = 64 << 20;

/// Makes channels to the host, one for all calls of the process.
#[derive(Clone)]
pub(crate) struct Dialer {
    route: Arc<Route>,
}

enum Route {
    /// Over the socket that each job names; plain when the host uses no TLS on the plugin's socket either.
    Socket { tls: Option<Security>, open: Mutex<Option<(String, Channel)>> },
    /// Over a channel that is there already: the test harness.
    Ready(Channel),
}

impl Dialer {
    pub(crate) fn socket(tls: Option<Security>) -> Self {
        Self { route: Arc::new(Route::Socket { tls, open: Mutex::new(None) }) }
    }

    pub(crate) fn ready(channel: Channel) -> Self {
        Self { route: Arc::new(Route::Ready(channel)) }
    }

    pub(crate) fn host(&self, job: &v1::JobContext) -> Host {
        Host { dialer: self.clone(), address: job.host_address.clone(), token: job.token.clone() }
    }

    /// A channel to this address. Nothing is dialled before the first call.
    fn channel(&self, address: &str) -> Result<Channel, Error> {
        match &*self.route {
            Route::Ready(channel) => Ok(channel.clone()),
            Route::Socket { tls, open } => {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((known, channel)) = &*open
                    && known == address
                {
                    return Ok(channel.clone());
                }
                let channel = connect(address, tls.clone())?;
                *open = Some((address.to_owned(), channel.clone()));
                Ok(channel)
            }
        }
    }
}

fn connect(address: &str, tls: Option<Security>) -> Result<Channel, Error> {
    let Some(path) = address.strip_prefix("unix://").filter(|path| path.starts_with('/')) else {
        let message = if address.is_empty() {
            "this call came without a way to the host".to_owned()
        } else {
            format!("the host's address {address:?} is not of the form unix:///path")
        };
        return Err(Error::fault("protocol.host_address", message));
    };
    let address = Address { network: Network::Unix, text: path.to_owned() };
    let dial = service_fn(move |_uri| {
        let (address, tls) = (address.clone(), tls.clone());
        async move { open(&address, tls).await.map(TokioIo::new) }
    });
    Ok(endpoint().connect_with_connector_lazy(dial))
}

/// The parameters of every channel of the SDK. The authority is `localhost` on both sides of the contract.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint::from_static("http://localhost")
        .connect_timeout(CONNECT_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
}

async fn open(address: &Address, tls: Option<Security>) -> std::io::Result<Connection> {
    let socket = wharf_peer::dial(address, None).await.map_err(std::io::Error::other)?;
    socket.into_client(tls.as_ref()).await
}

/// One job's way to the host.
#[derive(Clone)]
pub(crate) struct Host {
    dialer: Dialer,
    address: String,
    token: String,
}

impl std::fmt::Debug for Host {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The generated client with the job's token on every call.
pub(crate) type Client = HostClient<InterceptedService<Channel, Token>>;

impl Host {
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let channel = self.dialer.channel(&self.address)?;
        let token = self.token.parse().map_err(|_invalid| {
            Error::fault("protocol.token", "the job's token cannot be sent as metadata")
        })?;
        let client = HostClient::with_interceptor(channel, Token(token));
        Ok(client.max_decoding_message_size(MAX_MESSAGE))
    }
}

/// Puts the job's token on a call.
#[derive(Clone)]
pub(crate) struct Token(MetadataValue<Ascii>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(wharf_proto::TOKEN_HEADER, self.0.clone());
        Ok(request)
    }
}
