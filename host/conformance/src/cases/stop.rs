//! The end: by Shutdown, by SIGTERM, not by SIGINT. Source: proto/README.md, section 6.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use tokio_util::sync::CancellationToken;
use wharf_supervisor::StopStep;

use crate::bench::{Ask, Bench, GRACE, SHORT};
use crate::desk::{Desk, Script};
use crate::verdict::{Verdict, failed, skipped};

/// In which a signal that is not ignored has ended a process.
const EFFECT: Duration = Duration::from_millis(500);

pub(super) fn shutdown<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        stage.goes("of an idle process").await
    }
    .boxed()
}

pub(super) fn sigterm<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let launch = bench.launch(&Arc::new(Desk::default())).stop_times(Duration::ZERO, GRACE);
        let process = launch.start().await?;
        let stopped = process.stop().await;
        let hint = "handle SIGTERM as Shutdown: end running calls, remove the socket, exit with status 0 within 2 s";
        match (stopped.step, stopped.exit.code) {
            (StopStep::Terminate, Some(0)) => Ok(()),
            (StopStep::Terminate, _) => failed(format!("on SIGTERM it {}", stopped.exit), hint),
            _ => failed(format!("SIGTERM did not end it within {GRACE:?}"), hint),
        }
    }
    .boxed()
}

pub(super) fn sigint<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let process = &stage.process;
        let Some(pid) = i32::try_from(process.pid()).ok().and_then(Pid::from_raw) else {
            return skipped("the process has no number here", "run it on this machine");
        };
        // The number is still its own: the handle that would have it reaped is ours.
        if let Err(error) = kill_process(pid, Signal::INT) {
            return skipped(
                format!("SIGINT could not be sent: {error}"),
                "run it as the same user",
            );
        }
        let hint =
            "ignore SIGINT: who presses Ctrl-C means the host, which ends its plugins itself";
        if let Ok(exit) = tokio::time::timeout(EFFECT, process.wait()).await {
            return failed(format!("on SIGINT it {exit}"), hint);
        }
        if let Err(error) = process.ping(SHORT).await {
            return failed(format!("after SIGINT: {error}"), hint);
        }
        stage.goes("after SIGINT").await
    }
    .boxed()
}

pub(super) fn busy<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        bench.good(ask).await?;
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Hold, 3)?;
        let cancel = CancellationToken::new();
        // A plugin that asks for nothing is stopped with its events unread.
        let call = stage.begin(ask, &open, &cancel);
        let _events = tokio::time::timeout(EFFECT, call).await;
        tokio::time::timeout(EFFECT, open.job.is_held()).await.unwrap_or_default();
        stage.goes("in the middle of a call").await
    }
    .boxed()
}
