//! The service of the tests, as wharf's own plugin and the brokered servers of wharf's host answer it.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming, async_trait};
use wharf_supervisor::{Broker, Serving};

use crate::v1::peer_client::PeerClient;
use crate::v1::peer_server::{Peer as Service, PeerServer};
use crate::v1::{About, Call, Data, Id, Line, Nothing, Number, Output, Plan, Size, Text};

/// The largest message that is asked for, and what goes around it.
const LIMIT: usize = 80 << 20;

type Answers<T> = std::pin::Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service at one application version.
#[derive(Debug, Default)]
pub struct Peer {
    version: u32,
    /// `None` at the far end of the broker: there is no broker of a broker.
    broker: Option<Broker>,
    /// What it accepts for others; ends with it.
    offers: Mutex<Vec<Serving>>,
}

impl Peer {
    /// With a broker, for a plugin.
    pub fn new(version: u32, broker: Broker) -> Self {
        Self { version, broker: Some(broker), offers: Mutex::default() }
    }

    fn broker(&self) -> Result<&Broker, Status> {
        self.broker.as_ref().ok_or_else(|| Status::unimplemented("there is no broker here"))
    }
}

/// The service without a broker, for a brokered server.
pub fn routes() -> Routes {
    Routes::new(server(Peer::default()))
}

/// The service with limits that large messages pass.
pub fn server(peer: Peer) -> PeerServer<Peer> {
    PeerServer::new(peer).max_decoding_message_size(LIMIT)
}

/// Says something through a brokered connection, and what comes back.
pub(crate) async fn echo_through(broker: &Broker, id: u32, text: &str) -> Result<String, Status> {
    let channel = broker.dial(id).await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut client = PeerClient::new(channel);
    let answer = client.echo(Data { data: text.as_bytes().to_vec() }).await?.into_inner();
    String::from_utf8(answer.data).map_err(|error| Status::internal(error.to_string()))
}

fn size(bytes: u64) -> Result<usize, Status> {
    usize::try_from(bytes).map_err(|error| Status::invalid_argument(error.to_string()))
}

#[async_trait]
impl Service for Peer {
    type FlowStream = Answers<Data>;
    type SumStream = Answers<Number>;

    async fn echo(&self, request: Request<Data>) -> Result<Response<Data>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn make(&self, request: Request<Size>) -> Result<Response<Data>, Status> {
        Ok(Response::new(Data { data: vec![0; size(request.into_inner().bytes)?] }))
    }

    async fn measure(&self, request: Request<Data>) -> Result<Response<Size>, Status> {
        Ok(Response::new(Size { bytes: request.into_inner().data.len() as u64 }))
    }

    async fn flow(&self, request: Request<Plan>) -> Result<Response<Self::FlowStream>, Status> {
        let Plan { count, bytes, pause_ms } = request.into_inner();
        let bytes = size(bytes)?;
        let pause = Duration::from_millis(pause_ms.into());
        let messages = stream::iter(0..count).then(move |number| async move {
            if number > 0 && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            Ok(Data { data: vec![0; bytes] })
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn sum(
        &self,
        request: Request<Streaming<Number>>,
    ) -> Result<Response<Self::SumStream>, Status> {
        let sums = request.into_inner().scan(0, |sum, number| {
            let next = number.map(|number| {
                *sum += number.value;
                Number { value: *sum }
            });
            std::future::ready(Some(next))
        });
        Ok(Response::new(sums.boxed()))
    }

    async fn call_back(&self, request: Request<Call>) -> Result<Response<Text>, Status> {
        let Call { id, text } = request.into_inner();
        let text = echo_through(self.broker()?, id, &text).await?;
        Ok(Response::new(Text { text }))
    }

    async fn offer(&self, _: Request<Nothing>) -> Result<Response<Id>, Status> {
        let broker = self.broker()?;
        let id = broker.next_id();
        let serving = broker.serve(id, routes()).await;
        let serving = serving.map_err(|error| Status::unavailable(error.to_string()))?;
        self.offers.lock().expect("nothing panics while it is held").push(serving);
        Ok(Response::new(Id { id }))
    }

    async fn print(&self, request: Request<Output>) -> Result<Response<Nothing>, Status> {
        let Output { stdout, stderr, times } = request.into_inner();
        // Whoever prints much waits for the host to take it.
        let printing = tokio::task::spawn_blocking(move || {
            for _ in 0..times.max(1) {
                std::io::stdout().write_all(&stdout)?;
                std::io::stdout().flush()?;
                std::io::stderr().write_all(&stderr)?;
            }
            std::io::Result::Ok(())
        });
        match printing.await {
            Ok(Ok(())) => Ok(Response::new(Nothing {})),
            Ok(Err(error)) => Err(Status::internal(error.to_string())),
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    async fn log(&self, request: Request<Line>) -> Result<Response<Nothing>, Status> {
        let Line { level, message, fields } = request.into_inner();
        let colour = fields.get("colour").cloned().unwrap_or_default();
        let quote = fields.get("quote").cloned().unwrap_or_default();
        match level.as_str() {
            "trace" => tracing::trace!(colour, quote, "{message}"),
            "debug" => tracing::debug!(colour, quote, "{message}"),
            "info" => tracing::info!(colour, quote, "{message}"),
            "warn" => tracing::warn!(colour, quote, "{message}"),
            "error" => tracing::error!(colour, quote, "{message}"),
            other => return Err(Status::invalid_argument(format!("no such level: {other}"))),
        }
        Ok(Response::new(Nothing {}))
    }

    async fn hang(&self, _: Request<Nothing>) -> Result<Response<Nothing>, Status> {
        std::future::pending().await
    }

    async fn panic(&self, request: Request<Text>) -> Result<Response<Nothing>, Status> {
        panic!("{}", request.into_inner().text)
    }

    async fn exit(&self, request: Request<Number>) -> Result<Response<Nothing>, Status> {
        std::process::exit(i32::try_from(request.into_inner().value).unwrap_or(1))
    }

    async fn tell(&self, _: Request<Nothing>) -> Result<Response<About>, Status> {
        let variables = std::env::vars_os().map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        });
        Ok(Response::new(About {
            version: self.version,
            library: "wharf".to_owned(),
            pid: std::process::id(),
            environment: variables.collect(),
            ..About::default()
        }))
    }
}
