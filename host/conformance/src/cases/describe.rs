//! Who the plugin says it is. Source: proto/README.md, sections 4, 7 and 8.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tonic::Code;
use wharf_proto::health::HealthCheckRequest;
use wharf_proto::health::health_check_response::ServingStatus;
use wharf_proto::health::health_client::HealthClient;
use wharf_proto::v1::{DescribeRequest, DescribeResponse, MigrationsRequest};
use wharf_supervisor::{Bounds, CallError, Component, calls};

use crate::bench::{Bench, SHORT};
use crate::verdict::{Finding, Verdict, ended_badly, failed};

const HINT: &str =
    "derive the answer of Describe from plugin.json, so that the two cannot disagree";

pub(super) fn health<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let hint = "serve grpc.health.v1.Health, and answer SERVING for the service \"plugin\"";
        let request = HealthCheckRequest { service: "plugin".to_owned() };
        let mut client = HealthClient::new(stage.process.channel());
        let answer = tokio::time::timeout(SHORT, client.check(request)).await;
        stage.process.stop().await;
        match answer {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
            Ok(Ok(answer)) => {
                failed(format!("it says {}", answer.get_ref().status().as_str_name()), hint)
            }
            Ok(Err(status)) if status.code() == Code::Unimplemented => {
                failed("there is no health service", hint)
            }
            Ok(Err(status)) => {
                failed(format!("it answers {:?}: {}", status.code(), status.message()), hint)
            }
            Err(_elapsed) => failed(format!("no answer within {SHORT:?}"), hint),
        }
    }
    .boxed()
}

pub(super) fn manifest<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let stage = bench.start().await?;
        let said =
            calls::describe(&stage.process, DescribeRequest::default(), &Bounds::new(SHORT)).await;
        let said = said.map_err(|error| ended_badly(&error))?;
        stage.process.stop().await;
        match difference(bench, &said) {
            None => Ok(()),
            Some(reason) => failed(reason, HINT),
        }
    }
    .boxed()
}

fn difference(bench: &Bench<'_>, said: &DescribeResponse) -> Option<String> {
    let manifest = bench.subject.manifest();
    let version = manifest.version.to_string();
    if said.name != manifest.name || said.version != version {
        return Some(format!(
            "it is {} {}, its manifest is of {} {version}",
            said.name, said.version, manifest.name
        ));
    }
    let ours = set(manifest.components.iter().map(|component| component.id.as_str()));
    let theirs = set(said.components.iter().map(|component| component.id.as_str()));
    if ours != theirs {
        return Some(format!("it has the components {theirs:?}, its manifest {ours:?}"));
    }
    let found = manifest.components.iter().find_map(|component| {
        let told = said.components.iter().find(|told| told.id == component.id)?;
        of_component(component, told)
    });
    found.or_else(|| {
        let ours = set(bench.subject.types.ids());
        let theirs = set(said.types.iter().map(String::as_str));
        // It may leave telling them to the manifest.
        (!theirs.is_empty() && ours != theirs)
            .then(|| format!("it has the types {theirs:?}, its manifest's documents {ours:?}"))
    })
}

fn of_component(component: &Component, told: &wharf_proto::v1::Component) -> Option<String> {
    let id = &component.id;
    if told.role != component.role.as_str() {
        return Some(format!(
            "its {id:?} is {:?}, its manifest says {}",
            told.role, component.role
        ));
    }
    let ours = set(component.operations.iter().map(String::as_str));
    let theirs = set(told.operations.iter().map(String::as_str));
    if ours != theirs {
        return Some(format!("its {id:?} offers {theirs:?}, its manifest says {ours:?}"));
    }
    let declared = component.content_types.iter().chain(&component.produces);
    let ours = set(declared.map(String::as_str));
    let theirs = set(told.types.iter().map(String::as_str));
    (ours != theirs)
        .then(|| format!("its {id:?} is about the types {theirs:?}, its manifest says {ours:?}"))
}

fn set<'b>(names: impl Iterator<Item = &'b str>) -> BTreeSet<&'b str> {
    names.collect()
}

pub(super) fn migrations<'a>(bench: &'a Bench<'a>) -> BoxFuture<'a, Verdict> {
    async move {
        let manifest = bench.subject.manifest();
        if manifest.migrations.is_empty() {
            return Err(Finding::Beside);
        }
        let stage = bench.start().await?;
        let said =
            calls::migrations(&stage.process, MigrationsRequest {}, &Bounds::new(SHORT)).await;
        stage.process.stop().await;
        let hint = "answer Plugin.Migrations from plugin.json";
        match said {
            Ok(said) => {
                let ours: Vec<u32> = manifest.migrations.iter().map(|it| it.number).collect();
                let theirs: Vec<u32> = said.migrations.iter().map(|it| it.number).collect();
                if ours == theirs && said.fast_forward == manifest.fast_forward {
                    return Ok(());
                }
                failed(format!("it knows the migrations {theirs:?}, its manifest {ours:?}"), hint)
            }
            Err(CallError::Unimplemented { .. }) => {
                failed("its manifest names migrations, and it has no Plugin.Migrations", hint)
            }
            Err(error) => Err(ended_badly(&error)),
        }
    }
    .boxed()
}
