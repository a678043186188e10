//! Calls that are called off. Source: proto/README.md, section 16.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use wharf_supervisor::CallError;

use super::operation::differs;
use crate::bench::{Ask, Bench, Stage, ended_somehow};
use crate::desk::Script;
use crate::verdict::{Finding, Verdict, failed};
use crate::watch::Run;

/// What a plugin gets to let go of what it waits for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Until a call has reached the plugin.
const ARRIVAL: Duration = Duration::from_millis(5);
/// A plugin that asks for something has done so by then.
const ASKED: Duration = Duration::from_secs(3);

const HINT: &str =
    "notice gRPC's cancel (or hold Host.WatchCancel open), stop what the call began, and return";

pub(super) fn begin<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let good = bench.good(ask).await?;
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Good, 3)?;
        let cancel = CancellationToken::new();
        let soon = async {
            sleep(ARRIVAL).await;
            cancel.cancel();
        };
        let (events, ()) = join(stage.begin(ask, &open, &cancel), soon).await;
        drop(events?);
        drop(open);
        works_on(stage, ask, &good).await
    }
    .boxed()
}

pub(super) fn middle<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let good = bench.good(ask).await?;
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Good, 3)?;
        let cancel = CancellationToken::new();
        if let Ok(mut events) = stage.begin(ask, &open, &cancel).await? {
            // An end this early is an end too; what counts comes afterwards.
            drop(events.next().await);
            cancel.cancel();
            drop(events.next().await);
        }
        drop(open);
        works_on(stage, ask, &good).await
    }
    .boxed()
}

async fn works_on(stage: Stage<'_>, ask: Ask<'_>, good: &Run) -> Verdict {
    stage.answers("a cancelled call").await?;
    let run = stage.run(ask, Script::Good, 3).await?;
    if let Err(error) = &run.end {
        return failed(format!("the next call: {error}"), HINT);
    }
    if run.facts != good.facts {
        return failed(
            format!("the next call says otherwise: {}", differs(&good.facts, &run.facts)),
            HINT,
        );
    }
    stage.goes("after a cancelled call").await
}

pub(super) fn waiting<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !bench.good(ask).await?.asks() {
            return Err(Finding::Beside);
        }
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Hold, 3)?;
        let cancel = CancellationToken::new();
        let call = async {
            match stage.begin(ask, &open, &cancel).await? {
                Err(error) => Ok(Err(error)),
                Ok(mut events) => loop {
                    match events.next().await {
                        Ok(Some(_)) => {}
                        Ok(None) => return Ok(Ok(())),
                        Err(error) => return Ok(Err(error)),
                    }
                },
            }
        };
        let stop = async {
            let is_held = timeout(ASKED, open.job.is_held()).await.is_ok();
            open.job.cancel.cancel();
            cancel.cancel();
            is_held
        };
        let (ended, is_held): (Verdict<Result<(), CallError>>, bool) = join(call, stop).await;
        // One that ended by itself meanwhile asked for nothing that could be held back.
        if !is_held || ended?.is_ok() {
            return Err(Finding::Beside);
        }
        if timeout(PATIENCE, open.job.is_let_go()).await.is_err() {
            let reason =
                format!("{PATIENCE:?} after the cancel it still waits for the answer of the host");
            return failed(reason, HINT);
        }
        drop(open);
        stage.answers("a cancelled call").await?;
        ended_somehow(&stage.run(ask, Script::Good, 3).await?)?;
        stage.goes("after a cancelled call").await
    }
    .boxed()
}
