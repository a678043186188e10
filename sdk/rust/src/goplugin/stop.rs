//! What ends a plugin: SIGTERM, its parent's end, or the host's word. Never SIGINT, as long as there is a host: Ctrl-C
//! in a terminal reaches plugins too, and it is the host who decides then.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::StartError;

/// How often the parent is looked for on systems without process descriptors.
const LOOK: Duration = Duration::from_secs(1);

/// What may end the plugin besides its controller, watched from the moment this exists: before anybody can know that
/// the plugin runs.
pub(super) enum Watch {
    /// A host started the plugin.
    Host { interrupt: Signal, terminate: Signal, parent: Parent },
    /// A user did, who may press Ctrl-C.
    Hand { interrupt: Signal, terminate: Signal },
    /// It runs inside another program.
    Nothing,
}

/// Why the plugin ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Somebody said so: the host, a signal, or the owner of a plugin in a test.
    Asked,
    /// Its parent process is gone.
    Orphaned,
}

impl Watch {
    pub(super) fn host() -> Result<Self, StartError> {
        let (interrupt, terminate) = signals()?;
        Ok(Self::Host { interrupt, terminate, parent: Parent::watch() })
    }

    pub(super) fn hand() -> Result<Self, StartError> {
        let (interrupt, terminate) = signals()?;
        Ok(Self::Hand { interrupt, terminate })
    }

    /// Returns when the plugin should stop, which `stop` then tells everybody.
    pub(super) async fn until_stop(self, stop: &CancellationToken) -> Reason {
        let reason = match self {
            Self::Nothing => stopped(stop).await,
            Self::Hand { mut interrupt, mut terminate } => tokio::select! {
                reason = stopped(stop) => reason,
                _ = terminate.recv() => Reason::Asked,
                _ = interrupt.recv() => Reason::Asked,
            },
            Self::Host { interrupt, terminate, parent } => {
                host(interrupt, terminate, parent, stop).await
            }
        };
        stop.cancel();
        reason
    }
}

fn signals() -> Result<(Signal, Signal), StartError> {
    let catch = |kind| signal(kind).map_err(StartError::system("signal handler"));
    Ok((catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?))
}

async fn stopped(stop: &CancellationToken) -> Reason {
    stop.cancelled().await;
    Reason::Asked
}

async fn host(
    mut interrupt: Signal,
    mut terminate: Signal,
    parent: Parent,
    stop: &CancellationToken,
) -> Reason {
    let gone = parent.gone();
    tokio::pin!(gone);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Reason::Asked,
            () = &mut gone => {
                tracing::debug!("the parent process is gone");
                return Reason::Orphaned;
            }
            _ = terminate.recv() => {
                tracing::debug!("SIGTERM");
                return Reason::Asked;
            }
            _ = interrupt.recv() => tracing::trace!("SIGINT is left to the host"),
        }
    }
}

/// The process that started this one.
pub(super) enum Parent {
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
