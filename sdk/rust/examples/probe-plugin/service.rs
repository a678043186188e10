//! The service of the plugin for tests.

use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use futures_util::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};
use wharf_sdk::goplugin::{BrokerError, Context, Serving, routes};

use crate::probe::probe_client::ProbeClient;
use crate::probe::probe_server::{self, ProbeServer};
use crate::probe::{Connection, Output, Size, Text};

/// Writes its file when it is dropped: the sign that a plugin ended in order.
pub(crate) struct Ended(pub(crate) PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        std::fs::write(&self.0, "ended").expect("the file can be written");
    }
}

pub(crate) struct Probe {
    context: Context,
    serving: Mutex<Vec<Serving>>,
    _ended: Option<Ended>,
}

impl Probe {
    pub(crate) fn new(context: Context, ended: Option<Ended>) -> Self {
        Self { context, serving: Mutex::default(), _ended: ended }
    }
}

type Texts = Pin<Box<dyn Stream<Item = Result<Text, Status>> + Send>>;

fn refused(error: &BrokerError) -> Status {
    Status::failed_precondition(error.to_string())
}

#[wharf_sdk::async_trait]
impl probe_server::Probe for Probe {
    type TickStream = Texts;
    type ChatStream = Texts;

    async fn echo(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        let text = format!("{} at version {}", request.into_inner().text, self.context.version());
        Ok(Response::new(Text { text }))
    }

    async fn measure(&self, request: Request<Text>) -> Result<Response<Size>, Status> {
        let bytes = request.into_inner().text.len() as u64;
        Ok(Response::new(Size { bytes }))
    }

    async fn make(&self, request: Request<Size>) -> Result<Response<Text>, Status> {
        let bytes = usize::try_from(request.into_inner().bytes).unwrap_or_default();
        Ok(Response::new(Text { text: "x".repeat(bytes) }))
    }

    /// With the text "stubborn" it ignores that the plugin stops; else it says a last word.
    async fn tick(&self, request: Request<Text>) -> Result<Response<Texts>, Status> {
        let text = request.into_inner();
        let first = stream::iter([Ok(text.clone())]);
        if text.text == "stubborn" {
            return Ok(Response::new(first.chain(stream::pending()).boxed()));
        }
        let context = self.context.clone();
        let last = stream::once(async move {
            context.stopping().await;
            Ok(Text { text: "last".to_owned() })
        });
        Ok(Response::new(first.chain(last).boxed()))
    }

    async fn chat(&self, request: Request<Streaming<Text>>) -> Result<Response<Texts>, Status> {
        Ok(Response::new(request.into_inner().boxed()))
    }

    async fn call_back(&self, request: Request<Connection>) -> Result<Response<Text>, Status> {
        let channel = self.context.broker().dial(request.into_inner().id).await;
        let channel = channel.map_err(|error| refused(&error))?;
        ProbeClient::new(channel).echo(Text { text: "called back".to_owned() }).await
    }

    async fn accept(&self, _: Request<Text>) -> Result<Response<Connection>, Status> {
        let broker = self.context.broker();
        let id = broker.next_id();
        let services = routes![ProbeServer::new(Self::new(self.context.clone(), None))];
        let serving = broker.serve(id, services).await.map_err(|error| refused(&error))?;
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).push(serving);
        Ok(Response::new(Connection { id }))
    }

    async fn print(&self, request: Request<Output>) -> Result<Response<Size>, Status> {
        let output = request.into_inner();
        let bytes = output.text.len() as u64 * u64::from(output.times);
        if output.child {
            // The call is over long before the child has been listened to.
            self.context.spawn(async move {
                drop(tokio::task::spawn_blocking(move || print_by_child(&output)).await);
            });
        } else {
            print(&output);
        }
        Ok(Response::new(Size { bytes }))
    }

    async fn log(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        let text = request.into_inner().text;
        let error = std::io::Error::other("no route");
        tracing::trace!(text, "at trace");
        tracing::debug!(text, "at debug");
        tracing::info!(text, count = 7, "at info");
        tracing::warn!(text, error = &error as &dyn std::error::Error, "at warn");
        tracing::error!(text, "at error");
        Ok(Response::new(Text { text }))
    }

    #[expect(clippy::panic, reason = "this is what is tested")]
    async fn panic(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        std::panic::panic_any(request.into_inner().text)
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what is tested")]
fn print(output: &Output) {
    for _ in 0..output.times {
        if output.error {
            eprint!("{}", output.text);
        } else {
            print!("{}", output.text);
        }
    }
    drop(std::io::stdout().flush());
}

#[expect(
    clippy::disallowed_methods,
    reason = "this plugin has a child of its own, as real ones do"
)]
fn print_by_child(output: &Output) {
    let script = "i=0; while [ $i -lt $1 ]; do printf %s \"$0\"; i=$((i+1)); done";
    let times = output.times.to_string();
    let mut child = Command::new("/bin/sh");
    drop(child.args(["-c", script, &output.text, &times]).status());
}
