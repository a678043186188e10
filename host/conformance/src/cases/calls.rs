//! Calls that the plugin never promised. Source: proto/README.md, section 8.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tonic::Code;
use wharf_supervisor::{Bounds, CallError, Component};

use crate::bench::{Ask, Bench, SHORT, Stage};
use crate::desk::Script;
use crate::operation::{Asked, Operation};
use crate::raw;
use crate::sample::Sample;
use crate::verdict::{Verdict, failed};
use crate::watch::watch;

const HINT: &str =
    "answer gRPC status UNIMPLEMENTED to everything that the manifest does not offer";

pub(super) fn unoffered<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let components = &bench.subject.manifest().components;
        let stage = bench.start().await?;
        for operation in Operation::ALL {
            let mut declared = components.iter().flat_map(Operation::declared);
            if declared.any(|one| one == operation) {
                continue;
            }
            let of_role = components.iter().find(|component| component.role == operation.role());
            let id = of_role.map_or("no-such-component", |component| component.id.as_str());
            match end(bench, &stage, components, operation, id).await? {
                Err(CallError::Unimplemented { .. }) => {}
                Ok(()) => return failed(format!("{} ends with a result", operation.call()), HINT),
                Err(error) => return failed(format!("{}: {error}", operation.call()), HINT),
            }
        }
        let unknown =
            raw::unary(stage.process.channel(), "/wharf.v1.Nothing/Ask", bytes::Bytes::new());
        match tokio::time::timeout(SHORT, unknown).await {
            Ok(Err(status)) if status.code() == Code::Unimplemented => {}
            Ok(Err(status)) => {
                return failed(format!("an unknown service: {:?}", status.code()), HINT);
            }
            Ok(Ok(_)) => return failed("an unknown service answers", HINT),
            Err(_elapsed) => {
                return failed(format!("an unknown service: no answer within {SHORT:?}"), HINT);
            }
        }
        stage.goes("after calls that it does not offer").await
    }
    .boxed()
}

/// How a call ends that nobody prepared anything for.
async fn end(
    bench: &Bench<'_>,
    stage: &Stage<'_>,
    components: &[Component],
    operation: Operation,
    id: &str,
) -> Verdict<Result<(), CallError>> {
    let Some(any) = components.first() else { return Ok(Err(CallError::Cancelled)) };
    let open = stage.job(any, Script::Good, 1)?;
    let sample = Sample::default();
    let asked = Asked {
        component: id,
        sample: &sample,
        job: &open.job,
        uploads: Vec::new(),
        item: None,
        parent: None,
        identifier: String::new(),
    };
    let bounds = Bounds::new(SHORT);
    Ok(match asked.begin(operation, &stage.process, &bounds).await {
        Ok(events) => watch(events, &bench.subject.types, operation, None).await.end,
        Err(error) => Err(error),
    })
}

pub(super) fn unknown_component<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let components = std::slice::from_ref(ask.component);
        let hint = "one service answers for all components of a role: look for Instance.component, and refuse what is not there";
        match end(bench, &stage, components, ask.operation, "no-such-component").await? {
            Err(CallError::Plugin(_) | CallError::Unimplemented { .. }) => {}
            Ok(()) => return failed("it works for a component that does not exist", hint),
            Err(error) => return failed(error.to_string(), hint),
        }
        stage.answers("a call to a component that is not there").await?;
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}
