//! A plugin process without a guardian, whose parent and whose pipes can be taken away.
//!
//! Under wharf's guardian a plugin never outlives its host, whatever it does itself. Other hosts of the go-plugin
//! family have none, so the contract asks plugins to notice; here they can be seen doing it. What does not go by
//! itself is killed when the [`Orphanage`] is dropped.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::async_trait;
use wharf_supervisor::{Pipe, Runner, Running, Spec};

/// A parent that only waits. `$0` is where it says who its child is.
const PARENT: &str = "\"$@\" & echo $! > \"$0\"; wait";
/// Until the parent has said it.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Starts one plugin below a parent of its own.
#[derive(Debug, Default)]
pub(crate) struct Orphanage {
    parent: Mutex<Option<Child>>,
    plugin: Mutex<Option<OwnedFd>>,
    /// Ends both pipes.
    cut: CancellationToken,
    /// The host has vanished: its last handle kills nobody.
    vanished: CancellationToken,
}

impl Orphanage {
    /// Nobody reads any more what the plugin writes.
    pub(crate) fn close_outputs(&self) {
        self.cut.cancel();
    }

    /// From here on the host is gone: pipes closed, parent killed. The caller drops its handle on the process.
    pub(crate) fn vanish(&self) {
        self.vanished.cancel();
        self.cut.cancel();
        if let Some(parent) = lock(&self.parent).as_mut() {
            // It may be gone already.
            parent.start_kill().unwrap_or_default();
        }
    }

    /// Waits for the plugin's end. False: it lives on.
    pub(crate) async fn ends_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.is_gone() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(PAUSE).await;
        }
        true
    }

    fn is_gone(&self) -> bool {
        let plugin = lock(&self.plugin);
        let Some(plugin) = plugin.as_ref() else { return true };
        let mut handle = [PollFd::new(plugin, PollFlags::IN)];
        poll(&mut handle, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }

    fn signal(&self) {
        if let Some(plugin) = lock(&self.plugin).as_ref() {
            // It may be gone already.
            pidfd_send_signal(plugin, Signal::KILL).unwrap_or_default();
        }
    }
}

impl Drop for Orphanage {
    fn drop(&mut self) {
        self.signal();
    }
}

/// What the supervisor is handed, so that the orphanage can be kept.
pub(crate) struct Shared(pub(crate) std::sync::Arc<Orphanage>);

#[async_trait]
impl Runner for Shared {
    async fn start(&self, spec: Spec) -> io::Result<Running> {
        let told = spec.folder.join("child");
        let words = [OsString::from("-c"), PARENT.into(), told.clone().into(), spec.program.into()];
        #[expect(clippy::disallowed_methods, reason = "a runner starts processes itself")]
        let mut command = tokio::process::Command::new("/bin/sh");
        command
            .args(words)
            .args(&spec.args)
            .env_clear()
            .envs(&spec.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(folder) = &spec.current_dir {
            command.current_dir(folder);
        }
        let mut parent = command.spawn()?;
        let missing = || io::Error::other("the shell has no pipes");
        let stdout = parent.stdout.take().ok_or_else(missing)?;
        let stderr = parent.stderr.take().ok_or_else(missing)?;
        *lock(&self.0.parent) = Some(parent);
        let pid = timeout(PATIENCE, child(&told)).await.map_err(io::Error::from)??;
        *lock(&self.0.plugin) = Some(pidfd_open(pid, PidfdFlags::empty())?);
        let orphanage = std::sync::Arc::clone(&self.0);
        Ok(Running {
            id: pid.as_raw_nonzero().to_string(),
            stdout: self.0.pipe(stdout),
            stderr: self.0.pipe(stderr),
            ended: Box::pin(async move {
                while !orphanage.is_gone() {
                    sleep(PAUSE).await;
                }
                let parent = lock(&orphanage.parent).take();
                let mut parent = parent.ok_or_else(|| io::Error::other("there is no parent"))?;
                parent.wait().await
            }),
        })
    }

    fn kill(&self) {
        if !self.0.vanished.is_cancelled() {
            self.0.signal();
        }
    }
}

impl Orphanage {
    fn pipe(&self, inner: impl AsyncRead + Send + Unpin + 'static) -> Pipe {
        let cut = Box::pin(self.cut.clone().cancelled_owned());
        Box::new(Severable { inner: Some(Box::new(inner)), cut })
    }
}

/// The pid that the parent wrote down.
async fn child(told: &std::path::Path) -> io::Result<Pid> {
    loop {
        let text = std::fs::read_to_string(told).unwrap_or_default();
        if text.ends_with('\n') {
            let pid = text.trim().parse().ok().and_then(Pid::from_raw);
            return pid.ok_or_else(|| io::Error::other("the shell named no process"));
        }
        sleep(PAUSE).await;
    }
}

/// A pipe whose reading end goes when it is cut.
struct Severable {
    inner: Option<Pipe>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl AsyncRead for Severable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(context).is_ready() {
            self.inner = None;
        }
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_read(context, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
