//! The ladder down: ask, signal, kill. Each step has its time, and the whole has an end.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tonic::Code;
use tracing::{debug, warn};
use wharf_proto::goplugin::Empty;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;

use super::process::Process;
use crate::exit::{ByHost, Exit};
use crate::time::after;

/// How long the kernel may take to end a killed tree; longer only if a process hangs inside it.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// How long the end of the stdio service's stream may lag behind the end of the process.
const STDIO_GRACE: Duration = Duration::from_millis(500);

/// How long each step may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopTimes {
    /// From the `Shutdown` call to the end of the process. Zero: the step is left out.
    pub(crate) grace: Duration,
    /// From `SIGTERM` to the end of the process. Zero: the step is left out.
    pub(crate) term_grace: Duration,
}

/// Which step ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopStep {
    /// It had ended before.
    AlreadyEnded,
    /// It went when it was asked by go-plugin's `Shutdown`.
    Shutdown,
    /// It went on `SIGTERM`.
    Terminate,
    /// It had to be killed.
    Kill,
    /// None: it belongs to a test or a debugger, and lives on.
    LeftRunning,
}

/// How a stop went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The step that ended the process.
    pub step: StopStep,
    /// How it ended.
    pub exit: Exit,
    /// From the first step to the last trace of the tree.
    pub took: Duration,
}

pub(super) async fn ladder(process: &Process) -> Stopped {
    let begun = Instant::now();
    let shared = process.shared();
    shared.blame(ByHost::Stopped);
    process.close_broker();
    let step = descend(process).await;
    let unseen = || Exit::unseen(ByHost::Stopped, process.stderr_tail());
    let exit = if step == StopStep::LeftRunning {
        unseen()
    } else {
        timeout(KILL_GRACE, shared.wait()).await.unwrap_or_else(|_elapsed| unseen())
    };
    if step != StopStep::LeftRunning {
        if timeout(KILL_GRACE, shared.hold.gone()).await.is_err() {
            warn!(plugin = shared.name, pid = process.pid(), "a killed process is still there");
        }
        // What it printed last may still be on its way through the connection.
        timeout(STDIO_GRACE, shared.stdio_read.cancelled()).await.ok();
    }
    process.join_tasks().await;
    let took = begun.elapsed();
    debug!(plugin = shared.name, pid = process.pid(), ?step, ?took, "plugin {exit}");
    Stopped { step, exit, took }
}

async fn descend(process: &Process) -> StopStep {
    let shared = process.shared();
    let StopTimes { grace, term_grace } = process.stop_times();
    if !shared.hold.may_end() {
        return StopStep::LeftRunning;
    }
    if shared.hold.status().is_some() {
        return StopStep::AlreadyEnded;
    }
    if !grace.is_zero() && shut_down(process, after(Instant::now(), grace)).await {
        return StopStep::Shutdown;
    }
    if !term_grace.is_zero() && shared.hold.terminate() {
        warn!(plugin = shared.name, pid = process.pid(), ?grace, "did not shut down; SIGTERM");
        if timeout(term_grace, shared.hold.ended()).await.is_ok() {
            return StopStep::Terminate;
        }
    }
    warn!(plugin = shared.name, pid = process.pid(), ?term_grace, "did not end; SIGKILL");
    shared.hold.kill();
    StopStep::Kill
}

/// Whether the process ended in time. The answer to the call means nothing, for a plugin may cut it
/// off by obeying; only one that does not know the call need not be waited for.
async fn shut_down(process: &Process, deadline: Instant) -> bool {
    let hold = &process.shared().hold;
    let mut client = GrpcControllerClient::new(process.channel());
    let asked = async {
        match client.shutdown(Empty {}).await {
            Err(status) if status.code() == Code::Unimplemented => {}
            _ => std::future::pending().await,
        }
    };
    let ended = async {
        tokio::select! {
            biased;
            _end = hold.ended() => true,
            () = asked => false,
        }
    };
    timeout_at(deadline, ended).await.unwrap_or(false)
}
