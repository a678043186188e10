//! Settings, before anything is done with them. Source: proto/README.md, section 8.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use wharf_proto::v1::{CheckRequest, CheckResponse, CheckScope, ErrorClass};
use wharf_supervisor::{Bounds, CallError, Component, calls};

use crate::bench::{Ask, Bench, Stage};
use crate::operation::Operation;
use crate::verdict::{Finding, Verdict, ended_badly, failed};

/// Check may ask the world, and is waited for by a person.
const PATIENCE: Duration = Duration::from_secs(15);

/// None: the call is not offered, which is the plugin's right.
async fn check(
    stage: &Stage<'_>,
    component: &Component,
    values: &str,
) -> Result<Option<CheckResponse>, CallError> {
    let request = CheckRequest {
        component: component.id.clone(),
        scope: CheckScope::Attachment.into(),
        values: values.to_owned(),
        repository: "verify".to_owned(),
        previous: String::new(),
        context: None,
    };
    match calls::check(&stage.process, request, &Bounds::new(PATIENCE)).await {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError::Unimplemented { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn good<'a>(bench: &'a Bench<'a>, component: &'a Component) -> BoxFuture<'a, Verdict> {
    async move {
        let operation = Operation::declared(component).next().unwrap_or(Operation::Run);
        let sample = bench.sample(component);
        if operation != Operation::Upload {
            bench.can(Ask { component, operation })?;
        }
        let stage = bench.start().await?;
        let answer = check(&stage, component, &sample.settings_text()).await;
        stage.process.stop().await;
        let answer = answer.map_err(|error| ended_badly(&error))?.ok_or(Finding::Beside)?;
        if let Some(problem) = answer.errors.first() {
            let reason =
                format!("it refuses the sample's settings: {} {}", problem.field, problem.message);
            return failed(reason, "mend the settings in verify.json, or the check");
        }
        let normalised = answer.normalised;
        if normalised.is_empty() || serde_json::from_str::<Map<String, Value>>(&normalised).is_ok()
        {
            return Ok(());
        }
        failed(
            format!("its normalised settings are no JSON object: {normalised:?}"),
            "send a JSON object, or nothing",
        )
    }
    .boxed()
}

pub(super) fn empty<'a>(bench: &'a Bench<'a>, component: &'a Component) -> BoxFuture<'a, Verdict> {
    survives(bench, component, vec!["{}".to_owned(), String::new()]).boxed()
}

pub(super) fn absurd<'a>(bench: &'a Bench<'a>, component: &'a Component) -> BoxFuture<'a, Verdict> {
    let schemas = [&component.attachment_schema, &component.instance_schema];
    let properties =
        schemas.into_iter().flatten().filter_map(|schema| schema["properties"].as_object());
    let names: Vec<String> = properties.flat_map(Map::keys).cloned().collect();
    let nested = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let values = [
        json!(null),
        json!(-1e308),
        json!("x".repeat(100_000)),
        json!("\u{202e}\u{0}\u{fffd}"),
        json!([{}, [], null]),
        json!({ "": { "a": [] } }),
        nested,
    ];
    let all = |value: &Value| {
        let fields = names.iter().map(|name| (name.clone(), value.clone()));
        Value::Object(fields.chain([("no_such_setting".to_owned(), value.clone())]).collect())
            .to_string()
    };
    let mut texts: Vec<String> = values.iter().map(all).collect();
    texts.extend(["[]", "null", "\"text\"", "{", "\u{0}"].map(str::to_owned));
    survives(bench, component, texts).boxed()
}

/// Every one of these is answered, or refused as the user's mistake.
async fn survives<'a>(
    bench: &'a Bench<'a>,
    component: &'a Component,
    texts: Vec<String>,
) -> Verdict {
    let stage = bench.start().await?;
    let hint = "read settings with a parser that reports, and answer Check with errors that name the field";
    for text in texts {
        let shown: String = text.chars().take(60).collect();
        match check(&stage, component, &text).await {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Finding::Beside),
            Err(CallError::Plugin(error)) if error.class() == ErrorClass::Usage => {}
            Err(error) => return failed(format!("Check of {shown:?}: {error}"), hint),
        }
    }
    stage.answers("these checks").await?;
    stage.process.stop().await;
    Ok(())
}

pub(super) fn same<'a>(bench: &'a Bench<'a>, component: &'a Component) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let settings = bench.sample(component).settings_text();
        let mut said = Vec::new();
        for _ in 0..2 {
            let answer = check(&stage, component, &settings).await;
            said.push(answer.map_err(|error| ended_badly(&error))?.ok_or(Finding::Beside)?);
        }
        stage.process.stop().await;
        if said.first() == said.last() {
            return Ok(());
        }
        failed(
            format!("it said {:?}, and then {:?}", said.first(), said.last()),
            "a check changes nothing and keeps nothing",
        )
    }
    .boxed()
}
