//! Pages in JSON.
//!
//! Source: PEP 691, 700 (sizes, versions, times), 592, 658 and 714, 792. A page announces 1.4 when the size of every
//! file is known, as that demands, and else 1.0, which knows no sizes.

use std::collections::BTreeMap;

use serde::Serialize;
use wharf_sdk::Error;

use super::project::{File, Project};
use crate::index::Status;

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: &'static str,
    /// Source: PEP 708.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracks: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Detail<'p> {
    meta: Meta,
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_status: Option<&'p Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<&'p str>,
    files: Vec<Listed<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed<'p> {
    filename: &'p str,
    url: String,
    hashes: BTreeMap<&'static str, &'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core_metadata: Option<BTreeMap<&'static str, &'p str>>,
    /// The same under the name that older clients look for.
    #[serde(skip_serializing_if = "Option::is_none")]
    dist_info_metadata: Option<BTreeMap<&'static str, &'p str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<Yanked<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<&'p str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Yanked<'p> {
    Whether(bool),
    Reason(&'p str),
}

/// The page of a project.
pub(super) fn page(project: &Project) -> Result<Vec<u8>, Error> {
    let sized = project.files.iter().all(|file| file.size.is_some());
    let page = Detail {
        meta: Meta {
            api_version: if sized { "1.4" } else { "1.0" },
            tracks: project.tracks().filter(|_| sized).into_iter().collect(),
        },
        name: &project.name,
        project_status: project.status.as_ref().filter(|_| sized),
        versions: if sized { project.versions() } else { Vec::new() },
        files: project.files.iter().map(|file| listed(file, &project.name)).collect(),
    };
    write(&page)
}

fn listed<'p>(file: &'p File, project: &str) -> Listed<'p> {
    let metadata = file.metadata.as_deref().map(|hex| BTreeMap::from([("sha256", hex)]));
    Listed {
        filename: &file.filename,
        url: super::page::link(file, project),
        hashes: BTreeMap::from([("sha256", file.sha256.as_str())]),
        size: file.size,
        requires_python: file.requires_python.as_deref(),
        core_metadata: metadata.clone(),
        dist_info_metadata: metadata,
        yanked: file.yanked.as_deref().map(|reason| match reason {
            "" => Yanked::Whether(true),
            reason => Yanked::Reason(reason),
        }),
        upload_time: file.upload_time.as_deref(),
    }
}

#[derive(Serialize)]
struct List<'p> {
    meta: Meta,
    projects: Vec<Name<'p>>,
}

#[derive(Serialize)]
struct Name<'p> {
    name: &'p str,
}

/// The list of projects.
pub(super) fn list(names: &[String]) -> Result<Vec<u8>, Error> {
    let projects = names.iter().map(|name| Name { name }).collect();
    let meta = Meta { api_version: "1.4", tracks: Vec::new() };
    write(&List { meta, projects })
}

fn write(page: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(page)
        .map_err(|error| Error::fault("internal.json", format!("a page is no JSON: {error}")))
}
