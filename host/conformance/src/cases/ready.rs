//! Whether an instance could work now. Source: proto/README.md, section 8.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use wharf_proto::v1::{Instance, ReadyRequest, ReadyResponse};
use wharf_supervisor::{Bounds, CallError, Component, calls};

use crate::bench::{Bench, Stage};
use crate::verdict::{Finding, Verdict, ended_badly, failed};

/// Ready asks the world, and is waited for by a person.
const PATIENCE: Duration = Duration::from_secs(15);

/// The call is the plugin's to offer.
async fn ready(
    stage: &Stage<'_>,
    component: &Component,
    settings: String,
) -> Verdict<ReadyResponse> {
    let instance = Instance {
        component: component.id.clone(),
        name: "default".to_owned(),
        settings,
        secrets: Vec::new(),
    };
    let request = ReadyRequest { instance: Some(instance) };
    match calls::ready(&stage.process, request, &Bounds::new(PATIENCE)).await {
        Ok(answer) => Ok(answer),
        Err(CallError::Unimplemented { .. }) => Err(Finding::Beside),
        Err(error) => Err(ended_badly(&error)),
    }
}

pub(super) fn reasons<'a>(
    bench: &'a Bench<'a>,
    component: &'a Component,
) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let answer = ready(&stage, component, bench.sample(component).settings_text()).await;
        stage.process.stop().await;
        // Whether it is ready depends on this machine and the world; how it says so does not.
        let wordless = |reasons: &ReadyResponse| {
            reasons.reasons.iter().any(|it| it.code.is_empty() || it.message.is_empty())
        };
        if wordless(&answer?) {
            let hint = "give every reason a code and a message that says what to do";
            return failed("it is not ready, and does not say why", hint);
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn absurd<'a>(bench: &'a Bench<'a>, component: &'a Component) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let values = [json!({}), json!([]), json!(null), json!({ "": [{}, null, 1e308] })];
        let texts = values.iter().map(ToString::to_string);
        for settings in texts.chain(["{".to_owned(), String::new()]) {
            match ready(&stage, component, settings.clone()).await {
                Ok(_) | Err(Finding::Beside) => {}
                Err(Finding::Failed { reason, .. }) => {
                    let hint = "answer reasons, whatever the settings are";
                    return failed(format!("for the settings {settings:?}: {reason}"), hint);
                }
                Err(other) => return Err(other),
            }
        }
        stage.answers("Ready for absurd settings").await?;
        stage.process.stop().await;
        Ok(())
    }
    .boxed()
}
