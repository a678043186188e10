//! Several calls at once. Source: proto/README.md, section 7: one unless the manifest says more; `Check`, `Ready` and
//! health at any time.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wharf_proto::v1::{CheckRequest, CheckScope};
use wharf_supervisor::{Bounds, CallError, Manifest, calls as ask_plugin};

use super::operation::differs;
use crate::bench::{Ask, Bench, SHORT};
use crate::desk::Script;
use crate::verdict::{Finding, Verdict, failed};

/// More at once shows nothing new.
const MOST: u32 = 8;
const BEGUN: Duration = Duration::from_secs(1);

/// Jobs that one process takes at a time, as the host reckons them.
fn places(manifest: &Manifest) -> u32 {
    let components = &manifest.components;
    let shared =
        components.len() == 1 || components.iter().all(|component| component.shared_process);
    let places = components.iter().map(|component| component.concurrency.unwrap_or(1)).min();
    if shared { places.unwrap_or(1).max(1) } else { 1 }
}

pub(super) fn calls<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let places = places(bench.subject.manifest()).min(MOST);
        if places < 2 {
            return Err(Finding::Beside);
        }
        let good = bench.good(ask).await?;
        let stage = bench.start().await?;
        let hint = "keep what belongs to a call in the call; share nothing that changes";
        for run in join_all((0..places).map(|_| stage.run(ask, Script::Good, 3))).await {
            let run = run?;
            if let Err(error) = &run.end {
                return failed(format!("one of {places} calls at once: {error}"), hint);
            }
            if run.facts != good.facts {
                let reason = format!(
                    "one of {places} calls at once says otherwise: {}",
                    differs(&good.facts, &run.facts)
                );
                return failed(reason, hint);
            }
        }
        if let Some(stranger) = stage.desk.strangers().first() {
            return failed(format!("during {places} calls at once: {stranger}"), hint);
        }
        stage.goes("after calls at once").await
    }
    .boxed()
}

pub(super) fn health<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        bench.good(ask).await?;
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Hold, 3)?;
        let cancel = CancellationToken::new();
        let call = stage.begin(ask, &open, &cancel);
        tokio::pin!(call);
        // Held in the host, or unread: it runs either way.
        let begun = tokio::select! {
            events = &mut call => Some(events?),
            _held = timeout(BEGUN, open.job.is_held()) => None,
        };
        let asking = async {
            stage.answers("the begin of a long call").await?;
            let request = CheckRequest {
                component: ask.component.id.clone(),
                scope: CheckScope::Attachment.into(),
                values: bench.sample(ask.component).settings_text(),
                ..CheckRequest::default()
            };
            match ask_plugin::check(&stage.process, request, &Bounds::new(SHORT)).await {
                Err(error @ (CallError::Unresponsive { .. } | CallError::Crashed { .. })) => {
                    failed(
                        format!("Check during a long call: {error}"),
                        "answer short calls from another thread than long ones",
                    )
                }
                _ => Ok(()),
            }
        };
        let told = if begun.is_some() {
            asking.await
        } else {
            tokio::pin!(asking);
            tokio::select! {
                biased;
                told = &mut asking => told,
                // It may end meanwhile; the questions stay.
                _ended = &mut call => asking.await,
            }
        };
        cancel.cancel();
        told
    }
    .boxed()
}
