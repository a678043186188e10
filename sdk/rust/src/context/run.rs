//! Running a method as a call: its task, its stream of events, and its end.
//!
//! The method runs in a task of the server's tracker. The stream that the host reads holds the call's
//! cancellation: when the host drops the call, the method is told, gets a grace time, and is dropped.
//! A panic is a fault of this call, not the end of the process.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context as Poller, Poll, ready};
use std::time::Duration;

use futures_util::{FutureExt, Stream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tonic::{Response, Status};
use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use super::{Ask, Context};
use crate::host::Dialer;
use crate::{Done, Error, goplugin};

/// Messages that may wait for the host. A message holds up to 1,000 entries, so a few are plenty.
const WAITING: usize = 4;

/// What calls share: who owns their tasks, what stops them all, how they reach the host.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) grace: Duration,
    pub(crate) dialer: Dialer,
}

impl Calls {
    /// Those of a plugin that runs as a process.
    pub(crate) fn new(plugin: &goplugin::Context, grace: Duration) -> Self {
        let (tasks, stop) = (plugin.tasks(), plugin.stop());
        Self { tasks, stop, grace, dialer: Dialer::socket(plugin.security()) }
    }

    /// Starts a long call: runs `method` in a task and hands back its events.
    pub(crate) fn start<F, R>(
        &self,
        job: Option<v1::JobContext>,
        method: F,
    ) -> Result<Response<Events>, Status>
    where
        F: FnOnce(Context) -> R + Send + 'static,
        R: Future<Output = Result<Done, Error>> + Send + 'static,
    {
        let (ask, cancelled) = self.asking(job)?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let context = Context::new(ask, sender);
        let grace = self.grace;
        self.tasks.spawn(async move {
            let outcome = outcome(method(context.clone()), &context, grace).await;
            context.end(outcome, grace).await;
        });
        Ok(Response::new(Events { receiver, ended: false, _cancel: cancelled }))
    }

    /// Answers a call with one message, by a method that may ask the host and takes its time. When the host drops the
    /// call, the method is told and gets the grace time, as that of a long call does.
    pub(crate) async fn answer<T, F, R>(
        &self,
        job: Option<v1::JobContext>,
        method: F,
    ) -> Result<Response<T>, Status>
    where
        T: Send + 'static,
        F: FnOnce(Ask) -> R + Send + 'static,
        R: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let (ask, _cancelled) = self.asking(job)?;
        let (sender, answer) = oneshot::channel();
        let grace = self.grace;
        self.tasks.spawn(async move {
            let answer = outcome(method(ask.clone()), &ask, grace).await;
            drop(sender.send(answer));
        });
        let answer = answer.await.unwrap_or_else(|_gone| Err(Error::cancelled()));
        answer.map(Response::new).map_err(|error| error.to_status())
    }

    /// What a call asks by, and what cancels the call when it is dropped. While stopping there is none.
    fn asking(&self, job: Option<v1::JobContext>) -> Result<(Ask, DropGuard), Status> {
        if self.stop.is_cancelled() {
            return Err(Status::unavailable("the plugin is stopping"));
        }
        let job = job.unwrap_or_default();
        let host = self.dialer.host(&job);
        let cancel = self.stop.child_token();
        let ask = Ask::new(job, cancel.clone(), host, self.tasks.clone());
        Ok((ask, cancel.drop_guard()))
    }
}

/// Runs the method to its end, its panic, or the end of the grace time after a cancel.
async fn outcome<T>(
    method: impl Future<Output = Result<T, Error>>,
    call: &Ask,
    grace: Duration,
) -> Result<T, Error> {
    let out_of_grace = async {
        call.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        biased;
        done = AssertUnwindSafe(method).catch_unwind() => done.unwrap_or_else(|panic| Err(panicked(&*panic))),
        () = out_of_grace => Err(Error::cancelled()),
    }
}

/// The error that a panic becomes.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no text");
    Error::fault("internal.panic", format!("the plugin panicked: {text}"))
}

impl Context {
    /// Sends what waits, then the closing event. After it nothing counts, so nothing is taken any more.
    async fn end(&self, outcome: Result<Done, Error>, grace: Duration) {
        let waiting = self.batches().close();
        let last = match outcome {
            Err(error) if error.is_not_offered() => Err(error.to_status()),
            Err(error) => Ok(Event::Error(error.into())),
            Ok(done) => Ok(Event::Result(done.wire)),
        };
        let events = waiting.into_iter().map(Ok).chain([last]);
        let sending = async {
            for event in events {
                let event = event.map(|event| v1::Event { event: Some(event) });
                if self.tell.events.send(event).await.is_err() {
                    break;
                }
            }
        };
        let too_late = async {
            self.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            () = sending => {}
            () = too_late => {}
        }
    }
}

/// The events of one call. Dropping it cancels the call.
pub(crate) struct Events {
    receiver: mpsc::Receiver<Result<v1::Event, Status>>,
    ended: bool,
    _cancel: DropGuard,
}

impl Stream for Events {
    type Item = Result<v1::Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.receiver.poll_recv(poller));
        self.ended = match &next {
            Some(Ok(event)) => matches!(event.event, Some(Event::Result(_) | Event::Error(_))),
            Some(Err(_)) | None => true,
        };
        Poll::Ready(next)
    }
}
