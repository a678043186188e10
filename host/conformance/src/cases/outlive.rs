//! A plugin whose outputs nobody reads, and one whose host is gone. Source: proto/README.md, sections 5 and 6.
//!
//! wharf's guardian would end it in any case; these processes have none.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::bench::{Ask, Bench, GRACE, Stage};
use crate::desk::{Desk, Script};
use crate::operation::Operation;
use crate::orphan::{Orphanage, Shared};
use crate::verdict::{Verdict, ended_badly, failed};

/// The contract says "look every second"; the rest is for the end itself.
const PATIENCE: Duration = Duration::from_secs(10);
const BEGUN: Duration = Duration::from_secs(1);

async fn start<'a>(bench: &'a Bench<'a>) -> Verdict<(Stage<'a>, Arc<Orphanage>)> {
    let (desk, orphanage) = (Arc::new(Desk::default()), Arc::new(Orphanage::default()));
    let launch = bench.launch(&desk).runner(Arc::new(Shared(Arc::clone(&orphanage))));
    let process = launch.start().await?;
    Ok((bench.meet(process, desk).await?, orphanage))
}

pub(super) fn outputs<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let (stage, orphanage) = start(bench).await?;
        orphanage.close_outputs();
        stage.answers("the end of its pipes").await?;
        let hint =
            "a write to standard output or error that fails (EPIPE, SIGPIPE) is no reason to end";
        for component in &bench.subject.manifest().components {
            for operation in Operation::declared(component) {
                let ask = Ask { component, operation };
                if bench.good(ask).await.is_err() {
                    continue;
                }
                if let Err(error) = &stage.run(ask, Script::Good, 3).await?.end {
                    let call = operation.call();
                    return failed(
                        format!("{call}, while nobody reads what it prints: {error}"),
                        hint,
                    );
                }
            }
        }
        stage.process.stop().await;
        if orphanage.ends_within(GRACE).await {
            return Ok(());
        }
        failed("while nobody reads what it prints, it does not end", hint)
    }
    .boxed()
}

pub(super) fn host<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let (stage, orphanage) = start(bench).await?;
        orphanage.vanish();
        drop(stage);
        gone(&orphanage, "its host is gone").await
    }
    .boxed()
}

pub(super) fn call<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        bench.good(ask).await?;
        let (stage, orphanage) = start(bench).await?;
        let open = stage.job(ask.component, Script::Hold, 3)?;
        let cancel = CancellationToken::new();
        let events = {
            let call = stage.begin(ask, &open, &cancel);
            tokio::pin!(call);
            tokio::select! {
                events = &mut call => Some(events?.map_err(|error| ended_badly(&error))?),
                _held = timeout(BEGUN, open.job.is_held()) => None,
            }
        };
        orphanage.vanish();
        drop(events);
        drop(stage);
        gone(&orphanage, "its host is gone in the middle of a call").await
    }
    .boxed()
}

async fn gone(orphanage: &Orphanage, when: &str) -> Verdict {
    if orphanage.ends_within(PATIENCE).await {
        return Ok(());
    }
    let hint = "look at getppid every second: a new number means that the host is gone; end calls, and exit";
    failed(format!("{PATIENCE:?} after {when} it still runs"), hint)
}
