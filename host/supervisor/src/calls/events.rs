//! The stream of events of a long call, and the rules it must keep: it ends with one `result` or
//! one `error`, nothing follows, and it never falls silent for longer than allowed.

use tokio::time::{Instant, timeout};
use tonic::{Response, Status, Streaming};
use tracing::warn;
use wharf_proto::v1::{self, event::Event};

use super::bounds::Bounds;
use super::error::CallError;
use super::status;
use super::unary::{LAST_WORDS, unary};
use super::unfinished::Unfinished;
use crate::connect::{Process, Taint};
use crate::patience;

/// The events of one long call. Dropping it before their end cancels the call, and the process is not
/// lent again.
#[derive(Debug)]
pub struct Events {
    process: Process,
    call: &'static str,
    stream: Option<Streaming<v1::Event>>,
    bounds: Bounds,
    begun: Instant,
    warned: bool,
    unfinished: Unfinished,
}

/// What a wait for one message came to.
enum Arrival {
    Event(Event),
    Unknown,
    End,
}

/// Opens the stream of a long call.
pub(super) async fn events(
    process: &Process,
    call: &'static str,
    bounds: &Bounds,
    answer: impl Future<Output = Result<Response<Streaming<v1::Event>>, Status>>,
) -> Result<Events, CallError> {
    let begun = Instant::now();
    let stream = unary(process, call, bounds, answer).await?;
    Ok(Events {
        process: process.clone(),
        call,
        stream: Some(stream),
        bounds: bounds.clone(),
        begun,
        warned: false,
        unfinished: Unfinished::new(process),
    })
}

impl Events {
    /// The next event. A `result` is the last one and comes only after the stream has properly
    /// ended behind it; then `None`.
    ///
    /// # Errors
    /// The end of the call, after which there is only `None`. An `error` event is
    /// [`CallError::Plugin`].
    ///
    /// # Cancel safety
    /// No event is lost when this is dropped while it waits, unless it waits for the end behind a
    /// result.
    pub async fn next(&mut self) -> Result<Option<Event>, CallError> {
        if self.stream.is_none() {
            return Ok(None);
        }
        let next = self.advance().await;
        let open = matches!(next, Ok(Some(ref event)) if !matches!(event, Event::Result(_)));
        if !open {
            // Also tells the plugin, should it not have ended the call itself.
            self.stream = None;
            self.unfinished.ended();
        }
        if let Err(CallError::Protocol { .. } | CallError::Unresponsive { .. }) = next {
            self.process.set_taint(Taint::Fault);
        }
        next
    }

    /// Ends the call because enough has come. The plugin is trusted to stop at once: its process can
    /// be lent again.
    pub fn done(mut self) {
        self.unfinished.ended();
    }

    async fn advance(&mut self) -> Result<Option<Event>, CallError> {
        loop {
            match self.arrival().await? {
                Arrival::Event(Event::Error(error)) => {
                    self.expect_end("an error").await?;
                    return Err(CallError::Plugin(Box::new(error)));
                }
                Arrival::Event(event @ Event::Result(_)) => {
                    self.expect_end("a result").await?;
                    return Ok(Some(event));
                }
                Arrival::Event(event) => return Ok(Some(event)),
                Arrival::Unknown => self.warn_once(),
                // F39
                Arrival::End => return Err(self.broken("it ended without a result or an error")),
            }
        }
    }

    // F40
    async fn expect_end(&mut self, what: &str) -> Result<(), CallError> {
        match self.arrival().await? {
            Arrival::End => Ok(()),
            Arrival::Event(_) | Arrival::Unknown => {
                Err(self.broken(&format!("it sent more after {what}")))
            }
        }
    }

    async fn arrival(&mut self) -> Result<Arrival, CallError> {
        let Self { process, call, stream: Some(stream), bounds, begun, .. } = self else {
            return Ok(Arrival::End);
        };
        let (since, limit) = match bounds.deadline {
            Some(deadline) if deadline.saturating_sub(begun.elapsed()) < bounds.stall => {
                (*begun, deadline)
            }
            _ => (Instant::now(), bounds.stall),
        };
        let message = tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => {
                process.set_taint(Taint::Cancelled);
                return Err(CallError::Cancelled);
            }
            message = stream.message() => message,
            // What it sent before it ended still counts; the end of its connection is near.
            exit = process.end() => match timeout(LAST_WORDS, stream.message()).await {
                Ok(Ok(message)) => Ok(message),
                _ => return Err(status::crashed(process, call, exit)),
            },
            () = patience::over(since, limit) => {
                return Err(CallError::Unresponsive { call, after: limit });
            }
        };
        match message {
            Ok(Some(message)) => Ok(message.event.map_or(Arrival::Unknown, Arrival::Event)),
            Ok(None) => Ok(Arrival::End),
            Err(error) => Err(status::read(process, call, error).await),
        }
    }

    /// An event of a kind that this host does not know: the plugin is newer.
    fn warn_once(&mut self) {
        if !self.warned {
            self.warned = true;
            let plugin = self.process.name();
            warn!(plugin, call = self.call, "events of an unknown kind are ignored");
        }
    }

    fn broken(&self, detail: &str) -> CallError {
        CallError::Protocol { call: self.call, detail: detail.to_owned() }
    }
}
