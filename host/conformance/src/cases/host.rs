//! A host that refuses what it is asked. Source: proto/README.md, sections 10 and 15.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tonic::Code;
use wharf_proto::v1::ErrorClass;
use wharf_supervisor::CallError;

use crate::bench::{Ask, Bench};
use crate::desk::Script;
use crate::verdict::{Finding, Verdict, ended_badly, failed};

pub(super) fn unavailable<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    refuses(bench, ask, Code::Unavailable, &[ErrorClass::Operation]).boxed()
}

pub(super) fn unimplemented<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    refuses(bench, ask, Code::Unimplemented, ANY).boxed()
}

pub(super) fn unauthenticated<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    refuses(bench, ask, Code::Unauthenticated, ANY).boxed()
}

pub(super) fn forbidden<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    refuses(bench, ask, Code::PermissionDenied, ANY).boxed()
}

/// Whose fault a refusal is can be argued about; that nobody asked for a stop cannot.
const ANY: &[ErrorClass] = &[ErrorClass::Usage, ErrorClass::Operation, ErrorClass::Fault];

async fn refuses<'a>(
    bench: &'a Bench<'a>,
    ask: Ask<'a>,
    code: Code,
    classes: &[ErrorClass],
) -> Verdict {
    if !bench.good(ask).await?.asks() {
        return Err(Finding::Beside);
    }
    let stage = bench.start().await?;
    let open = stage.job(ask.component, Script::Refuse(code), 3)?;
    let run = stage.run_in(ask, &open, None).await?;
    let asked = open.job.asked();
    let Some(call) = asked.iter().find(|call| **call != "WatchCancel") else {
        return Err(Finding::Beside);
    };
    drop(open);
    let hint = "end the call with the event `error`; its class is that of the table in proto/README.md, section 10";
    match &run.end {
        Ok(()) if asked.contains(&"QueryUnits") => {
            let reason = format!(
                "Host.QueryUnits ended with {code:?}, and the call with a result all the same"
            );
            return failed(reason, "what cannot be read must not look like an empty repository");
        }
        Ok(()) => {}
        Err(CallError::Plugin(error)) if classes.contains(&error.class()) => {}
        Err(CallError::Plugin(error)) => {
            let class = error.class().as_str_name();
            let reason = format!(
                "Host.{call} ended with {code:?}, and the call with class {class} ({})",
                error.code
            );
            return failed(reason, hint);
        }
        Err(error) => return Err(ended_badly(error)),
    }
    stage.answers("a host that refused").await?;
    stage.process.stop().await;
    Ok(())
}

pub(super) fn token<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !bench.good(ask).await?.asks() {
            return Err(Finding::Beside);
        }
        let stage = bench.start().await?;
        for _job in 0..2 {
            let open = stage.job(ask.component, Script::Good, 3)?;
            stage.run_in(ask, &open, None).await?;
        }
        let strangers = stage.desk.strangers();
        stage.process.stop().await;
        match strangers.first() {
            Some(stranger) => failed(
                format!("in the second job of a process: {stranger}"),
                "send JobContext.token of the very call as metadata wharf-token; keep none between calls",
            ),
            None => Ok(()),
        }
    }
    .boxed()
}
