//! What becomes of a publication after it was made. Source: proto/README.md, section 13.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use wharf_proto::v1::{ClientConfigRequest, ClientConfigResponse};
use wharf_supervisor::{Bounds, CallError, Component, Role, calls};

use crate::bench::{Ask, Bench, SHORT, Stage};
use crate::operation::Operation;
use crate::verdict::{Finding, Verdict, ended_badly, failed};

/// Where the host serves the tree.
const BASE_URL: &str = "http://wharf.test/content/verify/";

pub(super) fn entry_points<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !ask.is(Operation::Reissue) {
            return Err(Finding::Beside);
        }
        let fresh = bench.good(ask).await?;
        let published = bench.good(Ask { operation: Operation::Publish, ..ask }).await?;
        let is_entry = |path: &str| published.files.iter().any(|(it, entry)| it == path && *entry);
        let hint = "send again what clients read first, each with entry_point, and nothing else";
        for (path, entry) in &fresh.files {
            if !entry {
                return failed(format!("Reissue sends {path:?}, which is no entry point"), hint);
            }
            if !is_entry(path) {
                let reason =
                    format!("Reissue sends {path:?}, which Publish sent as no entry point");
                return failed(reason, hint);
            }
        }
        if fresh.files.is_empty() {
            return failed("Reissue sends no file: the publication would stay as stale", hint);
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn taken_back<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        if !ask.is(Operation::Unpublish) {
            return Err(Finding::Beside);
        }
        let published = bench.good(Ask { operation: Operation::Publish, ..ask }).await?;
        if published.identifier.is_empty() {
            let reason =
                "it can take back what it published, and Publish does not say what that is called";
            return failed(reason, "set Result.identifier: the host gives it back in Unpublish");
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn client_config<'a>(
    bench: &'a Bench<'a>,
    component: &'a Component,
) -> BoxFuture<'a, Verdict> {
    async move {
        if component.role != Role::Distributor {
            return Err(Finding::Beside);
        }
        bench.can(Ask { component, operation: Operation::Publish })?;
        let stage = bench.start().await?;
        let first = told(&stage, bench, component).await?;
        let second = told(&stage, bench, component).await?;
        stage.process.stop().await;
        if let Some(reason) = wrong(&first) {
            return failed(reason, "give each file a name; data is a JSON object or nothing");
        }
        if first != second {
            return failed(
                "ClientConfig says otherwise when it is asked again",
                "answer from the request alone: attachment, publication, base_url",
            );
        }
        Ok(())
    }
    .boxed()
}

/// The call is the plugin's to offer.
async fn told(
    stage: &Stage<'_>,
    bench: &Bench<'_>,
    component: &Component,
) -> Verdict<ClientConfigResponse> {
    let open = stage.job(component, crate::desk::Script::Good, 0)?;
    let asked = stage.asked(Ask { component, operation: Operation::Publish }, &open).await?;
    let request = ClientConfigRequest {
        attachment: Some(asked.attachment()),
        publication: Some(asked.publication()),
        base_url: BASE_URL.to_owned(),
        options: bench.sample(component).arguments_text(),
    };
    match calls::client_config(&stage.process, request, &Bounds::new(SHORT)).await {
        Ok(answer) => Ok(answer),
        Err(CallError::Unimplemented { .. }) => Err(Finding::Beside),
        Err(error) => Err(ended_badly(&error)),
    }
}

fn wrong(answer: &ClientConfigResponse) -> Option<String> {
    let is_bare = |name: &str| name.is_empty() || name.contains(char::is_control);
    if let Some(file) = answer.files.iter().find(|file| is_bare(&file.name)) {
        return Some(format!("ClientConfig has a file with the name {:?}", file.name));
    }
    let data = &answer.data;
    let is_object = data.is_empty() || serde_json::from_str::<Map<String, Value>>(data).is_ok();
    (!is_object).then(|| format!("the data of ClientConfig are no JSON object: {data:?}"))
}
