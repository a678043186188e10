//! How a container of an image runs, as Docker and the Open Container Initiative write it. Source: OCI image-spec,
//! `config.md`. Fields stand in a fixed order, so that the same image has the same digest.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Plan;
use super::layer::Layer;
use crate::Error;

const AUTHOR: &str = "wharf image-cloud";

/// An architecture, as containers call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Architecture {
    pub(super) architecture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variant: Option<&'static str>,
}

impl Architecture {
    /// By the kernel's name of it; none means that of this machine.
    pub(super) fn of_kernel(name: &str) -> Self {
        let name = if name.is_empty() { std::env::consts::ARCH } else { name };
        let (architecture, variant) = match name {
            "x86_64" => ("amd64", None),
            "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
            "aarch64" => ("arm64", Some("v8")),
            "armv7l" | "arm" => ("arm", Some("v7")),
            other => (other, None),
        };
        Self { architecture: architecture.to_owned(), variant }
    }
}

#[derive(Serialize)]
struct Config<'a> {
    created: &'a str,
    author: &'a str,
    #[serde(flatten)]
    architecture: &'a Architecture,
    os: &'a str,
    #[serde(rename = "config")]
    execution: Execution,
    rootfs: RootFs,
    history: [History<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    env: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [String; 1],
}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    created_by: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
}

/// The configuration of an image, as JSON.
pub(super) fn config(plan: &Plan, layer: &Layer, created: &str) -> Result<Vec<u8>, Error> {
    let config = Config {
        created,
        author: AUTHOR,
        architecture: &plan.architecture,
        os: "linux",
        execution: Execution {
            env: plan.wishes.environment()?,
            cmd: plan.wishes.command(),
            labels: plan.wishes.labels()?,
        },
        rootfs: RootFs { r#type: "layers", diff_ids: [format!("sha256:{}", layer.diff_id)] },
        history: [History { created, created_by: AUTHOR, comment: &plan.wishes.comment }],
    };
    json(&config)
}

/// When an image was made: the time that was asked for, else that of its youngest file. Both in seconds since 1970.
pub(super) fn created(plan: &Plan, layer: &Layer) -> Result<(u64, String), Error> {
    let seconds = plan.recipe.newest.unwrap_or(layer.copied.newest);
    let time = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
    let wrong = || Error::Wish(format!("timestamp: {seconds} is no time"));
    Ok((seconds, time.ok_or_else(wrong)?.to_string()))
}

/// JSON without blanks.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Fault(error.to_string()))
}
