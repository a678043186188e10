//! A body for the reader of forms, which takes all that is there whenever it is asked, and searches for the end of a
//! part's head without end. Both are bounded here.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, Sleep};

/// Bytes handed over in one go.
const GULP: usize = 256 << 10;
/// Bytes that the reader may hold without having made something of them.
const HELD: usize = 2 << 20;
/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Why a body ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Connection(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("nothing came for {} s", SILENCE.as_secs())]
    Silence,
    /// A part's head has no end.
    #[error("the head of a part is too long")]
    Head,
}

/// How much the reader holds; whoever gets something from it says so.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<AtomicUsize>);

impl Held {
    /// The reader made something of what it held.
    pub(super) fn relieve(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A body, in sips.
pub(super) struct Sips<'b> {
    body: &'b mut Incoming,
    held: Held,
    gulp: usize,
    silence: Pin<Box<Sleep>>,
}

impl<'b> Sips<'b> {
    pub(super) fn new(body: &'b mut Incoming, held: Held) -> Self {
        let silence = Box::pin(tokio::time::sleep(SILENCE));
        Self { body, held, gulp: 0, silence }
    }
}

impl Stream for Sips<'_> {
    type Item = Result<Bytes, Broken>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.gulp >= GULP {
            this.gulp = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match Pin::new(&mut *this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                // What is no data is a trailer, and says nothing here.
                let bytes = frame.into_data().unwrap_or_default();
                this.gulp += bytes.len();
                this.silence.as_mut().reset(Instant::now() + SILENCE);
                if this.held.0.fetch_add(bytes.len(), Ordering::Relaxed) > HELD {
                    return Poll::Ready(Some(Err(Broken::Head)));
                }
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                this.gulp = 0;
                this.silence.poll_unpin(context).map(|()| Some(Err(Broken::Silence)))
            }
        }
    }
}
