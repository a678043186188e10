//! Hosts of a later version of the contract. Source: proto/README.md, section 18.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use prost::Message as _;
use tokio::time::timeout;
use tonic::Status;
use tonic::codegen::http::uri::PathAndQuery;
use wharf_proto::v1::event::Event;
use wharf_proto::v1::{self, DescribeRequest, DescribeResponse};
use wharf_supervisor::{Bounds, calls};

use crate::bench::{Ask, Bench, SHORT, Stage};
use crate::desk::{Open, Script};
use crate::raw;
use crate::verdict::{Finding, Verdict, ended_badly, failed};

/// A whole call, which may be a build.
const WHOLE: Duration = Duration::from_mins(2);

const HINT: &str =
    "read messages with generated code, which skips fields that it does not know; refuse none";

pub(super) fn unknown_fields<'a>(bench: &'a Bench<'a>, ask: Ask<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        bench.good(ask).await?;
        let stage = bench.start().await?;
        let open = stage.job(ask.component, Script::Good, 3)?;
        match timeout(WHOLE, last_event(&stage, ask, &open)).await {
            Ok(Ok(Some(Event::Result(_)))) => {}
            Ok(Ok(Some(Event::Error(error)))) => {
                return failed(format!("it ends with {}: {}", error.code, error.message), HINT);
            }
            Ok(Ok(_)) => return failed("it ends without a result", HINT),
            Ok(Err(finding)) => return Err(finding),
            Err(_elapsed) => return failed(format!("no end within {WHOLE:?}"), HINT),
        }
        stage.goes("after a request with unknown fields").await
    }
    .boxed()
}

async fn last_event(stage: &Stage<'_>, ask: Ask<'_>, open: &Open) -> Verdict<Option<Event>> {
    let refused = |status: Status| Finding::Failed {
        reason: format!("it answers {:?}: {}", status.code(), status.message()),
        hint: HINT.to_owned(),
    };
    let asked = stage.asked(ask, open).await?;
    let message = raw::with_unknown_fields(asked.encoded(ask.operation, &stage.process));
    let path = format!("/wharf.v1.{}", ask.operation.call().replace('.', "/"));
    let path: PathAndQuery = path.parse().map_err(|_never| refused(Status::internal("no path")))?;
    let mut stream = raw::stream(stage.process.channel(), path, message).await.map_err(refused)?;
    let mut last = None;
    while let Some(bytes) = stream.message().await.map_err(refused)? {
        let event = v1::Event::decode(bytes)
            .map_err(|error| refused(Status::internal(error.to_string())))?;
        last = event.event.or(last);
    }
    Ok(last)
}

pub(super) fn unknown_features<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let plain =
            calls::describe(&stage.process, DescribeRequest::default(), &Bounds::new(SHORT)).await;
        let plain = plain.map_err(|error| ended_badly(&error))?;
        let later = DescribeRequest {
            host_version: "999.0.0-later+build".to_owned(),
            languages: vec!["tlh".to_owned(), "x-nobody".to_owned()],
            features: (0..200).map(|number| format!("host.Unknown{number}")).collect(),
        };
        let hint = "an unknown feature, language or version of the host is normal; ignore it";
        let told = timeout(Duration::from_secs(5), describe(&stage, &later)).await;
        stage.process.stop().await;
        match told {
            Ok(Ok(told)) if same(&told, &plain) => Ok(()),
            Ok(Ok(told)) => failed(format!("it says otherwise then: {told:?}"), hint),
            Ok(Err(status)) => {
                failed(format!("it answers {:?}: {}", status.code(), status.message()), hint)
            }
            Err(_elapsed) => failed("no answer within 5 s", hint),
        }
    }
    .boxed()
}

async fn describe(
    stage: &Stage<'_>,
    request: &DescribeRequest,
) -> Result<DescribeResponse, Status> {
    let message = raw::with_unknown_fields(request.encode_to_vec());
    let answer = raw::unary(stage.process.channel(), "/wharf.v1.Plugin/Describe", message).await?;
    DescribeResponse::decode(answer).map_err(|error| Status::internal(error.to_string()))
}

/// Features may depend on what the host offers.
fn same(one: &DescribeResponse, other: &DescribeResponse) -> bool {
    (&one.name, &one.version, &one.components, &one.types)
        == (&other.name, &other.version, &other.components, &other.types)
}
