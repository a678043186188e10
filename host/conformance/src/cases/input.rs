//! Too little, too much, and nonsense.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::bench::{Ask, Bench, ended_somehow, pushes};
use crate::desk::Script;
use crate::operation::Operation;
use crate::verdict::{Finding, Verdict, ended_badly, failed};
use crate::watch::Run;

/// A large repository's units.
pub(super) const MANY: u32 = 50_000;

pub(super) fn empty<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if pushes(ask.component) {
            return Err(Finding::Beside);
        }
        bench.good(ask).await?;
        let stage = bench.start().await?;
        let run = stage.run(ask, Script::Empty, 0).await?;
        if ask.is(Operation::Publish)
            && let Err(error) = &run.end
        {
            return failed(
                format!("a version without units: {error}"),
                "an empty repository is published too",
            );
        }
        ends_properly(&run)?;
        stage.answers("empty input").await?;
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}

pub(super) fn garbage<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !bench.good(ask).await?.asked.contains(&"Download") {
            return Err(Finding::Beside);
        }
        let stage = bench.start().await?;
        let run = stage.run(ask, Script::Garbage, 3).await?;
        ends_properly(&run)?;
        stage.answers("noise").await?;
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}

/// With a result or an expected error, and no rule broken on the way.
fn ends_properly(run: &Run) -> Verdict {
    ended_somehow(run)?;
    if let Err(wharf_supervisor::CallError::Plugin(error)) = &run.end
        && error.class() == wharf_proto::v1::ErrorClass::Fault
    {
        return failed(
            format!("it calls that a fault of its own: {}", error.message),
            "what upstream sends wrong is an OPERATION error, code `content` or `integrity`",
        );
    }
    match run.breaches.first() {
        None => Ok(()),
        Some((_, breach)) => {
            failed(breach.clone(), "the rules of the stream hold whatever the input is")
        }
    }
}

pub(super) fn many<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !ask.is(Operation::Publish) || pushes(ask.component) {
            return Err(Finding::Beside);
        }
        let few = bench.good(ask).await?;
        let stage = bench.start().await?;
        let run = stage.run(ask, Script::Good, MANY).await?;
        if let Err(error) = &run.end {
            return Err(ended_badly(error));
        }
        ends_properly(&run)?;
        // Of one that passes all through, or pushes elsewhere, the number of files says nothing.
        let files = |run: &Run| run.facts.iter().filter(|fact| fact.starts_with("file ")).count();
        let least = usize::try_from(MANY).unwrap_or(usize::MAX);
        if files(&few) >= 3 && files(&run) < least {
            let reason = format!("of {MANY} units it publishes {} files", files(&run));
            return failed(reason, "read Host.QueryUnits to its end; it answers in pages");
        }
        stage.goes("after a large publication").await
    }
    .boxed()
}
