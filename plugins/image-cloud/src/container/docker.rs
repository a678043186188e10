//! What `docker load` and `podman load` read: layer, configuration and `manifest.json` in a tar archive.

use serde::Serialize;
use serde_json::{Value, json};

use super::Plan;
use super::config::{config, created, json};
use crate::Error;
use crate::pack::{Archive, sha256};
use crate::tree::Watch;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    repo_tags: [String; 1],
    layers: [String; 1],
}

/// Writes the archive. Returns the image's attributes.
pub(super) fn write(plan: &Plan, watch: &Watch) -> Result<Value, Error> {
    let mut archive = Archive::create(&plan.made, plan.recipe.newest.unwrap_or(0))?;
    let layer = archive.stream(|file| {
        let layer = plan.recipe.write(file, watch)?;
        Ok((format!("{}/layer.tar", layer.diff_id), layer))
    })?;
    let (seconds, created) = created(plan, &layer)?;
    archive.set_mtime(seconds);
    let config = config(plan, &layer, &created)?;
    let digest = sha256(&config);
    let (repository, tag) = plan.wishes.reference(&plan.name);
    let reference = format!("{repository}:{tag}");
    let manifest = Manifest {
        config: format!("{digest}.json"),
        repo_tags: [reference.clone()],
        layers: [format!("{}/layer.tar", layer.diff_id)],
    };
    archive.put(&manifest.config, &config)?;
    archive.put("manifest.json", &json(&[manifest])?)?;
    archive.finish()?;
    Ok(json!({
        "format": "docker-archive", "tool": crate::OWN_TOOL, "reference": reference,
        "config_digest": format!("sha256:{digest}"), "diff_id": format!("sha256:{}", layer.diff_id),
        "architecture": plan.architecture.architecture, "created": created,
        "files": layer.copied.members, "unpacked_size": layer.copied.bytes,
    }))
}
