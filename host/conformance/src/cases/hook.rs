//! Hooks that components subscribe to. Source: proto/wharf/v1/plugin.proto, `HookRequest`.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wharf_proto::v1::{
    Error, ErrorClass, ErrorScope, HookDecision, HookRequest, HookResponse, Instance, Outcome,
};
use wharf_supervisor::{Bounds, CallError, Component, calls};

use crate::bench::{Bench, STALL, Stage};
use crate::contract::file_of;
use crate::desk::{Open, Script};
use crate::verdict::{Finding, Verdict, ended_badly, failed};

/// Until a call has reached the plugin.
const ARRIVAL: Duration = Duration::from_millis(5);

const HINT: &str = "answer every hook that plugin.json subscribes to with a decision; what is expected to go wrong is REFUSE with an error, or the error of the answer to `after`, and no gRPC status";

pub(super) fn decides<'a>(
    bench: &'a Bench<'a>,
    component: &'a Component,
) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = begun(bench, component).await?;
        for hook in &component.hooks {
            let open = stage.job(component, Script::Good, 3)?;
            let asked = Asked::of(bench, component, (&stage, &open));
            let ended = |error| if hook.on.starts_with("after:") { error } else { None };
            for error in [None, ended(Some(failure()))] {
                let told = call(&asked, &hook.on, error, &CancellationToken::new()).await;
                let answer = told.map_err(|error| ended_badly(&error))?;
                if let Some(breach) = breach(&hook.on, &answer) {
                    return failed(format!("{}: {breach}", hook.on), HINT);
                }
            }
        }
        stage.answers("hooks").await?;
        stage.goes("after hooks").await
    }
    .boxed()
}

pub(super) fn cancelled<'a>(
    bench: &'a Bench<'a>,
    component: &'a Component,
) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = begun(bench, component).await?;
        for hook in &component.hooks {
            let open = stage.job(component, Script::Hold, 3)?;
            let cancel = CancellationToken::new();
            let soon = async {
                sleep(ARRIVAL).await;
                cancel.cancel();
            };
            let asked = Asked::of(bench, component, (&stage, &open));
            // An end this early is an end too; what counts comes afterwards.
            drop(join(call(&asked, &hook.on, None, &cancel), soon).await);
            drop(open);
            stage.answers("a cancelled hook").await?;
        }
        stage.goes("after a cancelled hook").await
    }
    .boxed()
}

pub(super) fn unsubscribed<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let components = &bench.subject.manifest().components;
        let Some(any) = components.first() else { return Err(Finding::Beside) };
        if components.iter().any(|component| !component.hooks.is_empty()) {
            return Err(Finding::Beside);
        }
        let stage = bench.start().await?;
        let open = stage.job(any, Script::Good, 0)?;
        let asked = Asked::of(bench, any, (&stage, &open));
        let told = call(&asked, "before:sync", None, &CancellationToken::new()).await;
        stage.process.stop().await;
        match told {
            Err(CallError::Unimplemented { .. }) => Ok(()),
            Ok(_) => failed(
                "it decides on steps that its manifest does not subscribe to",
                "name the hooks of a component in plugin.json, or answer UNIMPLEMENTED",
            ),
            Err(error) => Err(ended_badly(&error)),
        }
    }
    .boxed()
}

/// A process, if the component has hooks.
async fn begun<'a>(bench: &'a Bench<'a>, component: &Component) -> Verdict<Stage<'a>> {
    if component.hooks.is_empty() {
        return Err(Finding::Beside);
    }
    bench.start().await
}

/// A hook's call, as the host would make it.
struct Asked<'a> {
    stage: &'a Stage<'a>,
    open: &'a Open,
    instance: Instance,
}

impl<'a> Asked<'a> {
    fn of(bench: &Bench<'_>, to: &Component, (stage, open): (&'a Stage<'a>, &'a Open)) -> Self {
        let settings = bench.sample(to).settings_text();
        let (component, name) = (to.id.clone(), "default".to_owned());
        let instance = Instance { component, name, settings, secrets: Vec::new() };
        Self { stage, open, instance }
    }
}

async fn call(
    asked: &Asked<'_>,
    name: &str,
    error: Option<Error>,
    cancel: &CancellationToken,
) -> Result<HookResponse, CallError> {
    let outcome = match (name.starts_with("after:"), &error) {
        (false, _) => Outcome::Unspecified,
        (true, None) => Outcome::Added,
        (true, Some(_)) => Outcome::Failed,
    };
    let request = HookRequest {
        context: Some(asked.open.job.context(&asked.stage.process)),
        name: name.to_owned(),
        subject: asked.open.job.subject_text(name),
        outcome: outcome.into(),
        error,
        instance: Some(asked.instance.clone()),
        parameters: "{}".to_owned(),
        ..HookRequest::default()
    };
    let bounds = Bounds::new(STALL).cancel(cancel.clone());
    calls::hook(&asked.stage.process, request, &bounds).await
}

/// Why a step failed.
fn failure() -> Error {
    Error {
        class: ErrorClass::Operation.into(),
        code: "source.unreachable".to_owned(),
        message: "wharf plugin verify says that the step failed".to_owned(),
        scope: ErrorScope::Run.into(),
        ..Error::default()
    }
}

/// What is wrong with an answer.
fn breach(name: &str, answer: &HookResponse) -> Option<String> {
    let decision = answer.decision();
    if name.starts_with("before:") {
        let (refuses, replaces) =
            (decision == HookDecision::Refuse, decision == HookDecision::Replace);
        match decision {
            HookDecision::Unspecified => return Some("no decision".to_owned()),
            _ if refuses != answer.error.is_some() => {
                return Some("REFUSE comes with an error, and nothing else does".to_owned());
            }
            _ if replaces != answer.unit.is_some() => {
                return Some("REPLACE comes with a unit, and nothing else does".to_owned());
            }
            _ => {}
        }
    }
    if answer.error.as_ref().is_some_and(|error| error.code.is_empty() || error.message.is_empty())
    {
        return Some("an error without a code, or without words".to_owned());
    }
    if answer.contributions.iter().any(|given| given.kind.is_empty() || given.name.is_empty()) {
        return Some("a contribution without a kind, or without a name".to_owned());
    }
    let mut found = Vec::new();
    answer.unit.iter().flat_map(|unit| &unit.files).for_each(|file| file_of(file, &mut found));
    found.into_iter().next().map(|(_rule, breach)| breach)
}

#[cfg(test)]
mod tests {
    use wharf_proto::v1;

    use super::*;

    fn answer(decision: HookDecision) -> HookResponse {
        HookResponse { decision: decision.into(), ..HookResponse::default() }
    }

    #[test]
    fn each_decision_comes_with_what_belongs_to_it() {
        let refused = HookResponse { error: Some(failure()), ..answer(HookDecision::Refuse) };
        let unit = Some(v1::Unit::default());
        let replaced = HookResponse { unit: unit.clone(), ..answer(HookDecision::Replace) };
        for good in [answer(HookDecision::Proceed), answer(HookDecision::Skip), refused, replaced] {
            assert_eq!(breach("before:sync", &good), None, "{good:?}");
        }
        let changed = HookResponse { unit, ..answer(HookDecision::Proceed) };
        assert_eq!(breach("after:sync", &changed), None);
        let wordless = Some(Error::default());
        for wrong in [
            answer(HookDecision::Unspecified),
            answer(HookDecision::Refuse),
            answer(HookDecision::Replace),
            changed,
            HookResponse { error: wordless, ..answer(HookDecision::Refuse) },
            HookResponse {
                contributions: vec![v1::Contribution::default()],
                ..answer(HookDecision::Proceed)
            },
        ] {
            assert!(breach("before:sync", &wrong).is_some(), "{wrong:?}");
        }
    }

    // F98
    #[test]
    fn the_files_of_a_unit_lie_in_the_jobs_folder() {
        let file = v1::File {
            path: "disk".to_owned(),
            staged: Some("../disk".to_owned()),
            ..v1::File::default()
        };
        let unit = v1::Unit { files: vec![file], ..v1::Unit::default() };
        let replaced = HookResponse { unit: Some(unit), ..answer(HookDecision::Replace) };
        assert!(breach("before:build.target", &replaced).is_some());
    }
}
