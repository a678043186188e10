//! What ends a plugin: SIGTERM, its parent's end, or the host's word. Never SIGINT: Ctrl-C in a terminal
//! reaches plugins too, and it is the host who decides then.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::StartError;

/// How often the parent is looked for on systems without process descriptors.
const LOOK: Duration = Duration::from_secs(1);

/// Signals and parent, watched from the moment this exists: before anybody can know that the plugin runs.
pub(crate) struct Watch {
    interrupt: Signal,
    terminate: Signal,
    parent: Parent,
}

impl Watch {
    pub(crate) fn begin() -> Result<Self, StartError> {
        let catch = |kind| {
            signal(kind).map_err(|source| StartError::System { what: "signal handler", source })
        };
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            parent: Parent::watch(),
        })
    }

    /// Returns when the plugin should stop.
    pub(crate) async fn until_stop(mut self, asked: &CancellationToken) {
        let gone = self.parent.gone();
        tokio::pin!(gone);
        loop {
            tokio::select! {
                () = asked.cancelled() => return,
                () = &mut gone => {
                    tracing::debug!("the parent process is gone");
                    return asked.cancel();
                }
                _ = self.terminate.recv() => {
                    tracing::debug!("SIGTERM");
                    return asked.cancel();
                }
                _ = self.interrupt.recv() => tracing::trace!("SIGINT is left to the host"),
            }
        }
    }
}

/// The process that started this one.
enum Parent {
    /// Its descriptor becomes readable when it ends: costs nothing while it lives.
    Descriptor(AsyncFd<OwnedFd>),
    /// To be looked for.
    Number(Option<Pid>),
}

impl Parent {
    fn watch() -> Self {
        let parent = getppid();
        let descriptor = parent.and_then(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok());
        let watched = descriptor.and_then(register);
        match watched {
            // Still its child, so the number was not given to another process in between.
            Some(descriptor) if getppid() == parent => Self::Descriptor(descriptor),
            _ => Self::Number(parent),
        }
    }

    async fn gone(self) {
        match self {
            Self::Descriptor(descriptor) => {
                if descriptor.readable().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Self::Number(parent) => {
                while getppid() == parent {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "an OwnedFd is its descriptor until dropped; the replacement is unsafe"
)]
fn register(descriptor: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::new(descriptor).ok()
}
