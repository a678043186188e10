//! An OCI image layout in a tar archive. Source: OCI image-spec, `image-layout.md`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Plan;
use super::config::{Architecture, config, created, json};
use super::layer::{Compression, Layer};
use crate::Error;
use crate::pack::{Archive, Digest, sha256};
use crate::tree::Watch;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
struct Platform<'a> {
    #[serde(flatten)]
    architecture: &'a Architecture,
    os: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: Descriptor<'a>,
    layers: [Descriptor<'a>; 1],
    annotations: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: [Descriptor<'a>; 1],
}

/// Writes the archive. Returns the image's attributes.
pub(super) fn write(plan: &Plan, watch: &Watch) -> Result<Value, Error> {
    let mut archive = Archive::create(&plan.made, plan.recipe.newest.unwrap_or(0))?;
    let layer = archive.stream(|file| {
        let layer = plan.recipe.write(file, watch)?;
        Ok((blob(&layer.digest), layer))
    })?;
    let (seconds, created) = created(plan, &layer)?;
    archive.set_mtime(seconds);
    let (repository, tag) = plan.wishes.reference(&plan.name);
    let config = config(plan, &layer, &created)?;
    let manifest = manifest(plan, &layer, &config, &created)?;
    let index = index(plan, &manifest, &repository, &tag)?;
    let digest = sha256(&manifest);
    archive.put(&blob(&sha256(&config)), &config)?;
    archive.put(&blob(&digest), &manifest)?;
    archive.put("index.json", &index)?;
    archive.put("oci-layout", LAYOUT)?;
    archive.finish()?;
    Ok(json!({
        "format": "oci-archive", "tool": crate::OWN_TOOL,
        "reference": format!("{repository}:{tag}"), "manifest_digest": format!("sha256:{digest}"),
        "config_digest": format!("sha256:{}", sha256(&config)),
        "layer_digest": format!("sha256:{}", layer.digest), "layer_media_type": media_type(plan),
        "architecture": plan.architecture.architecture, "created": created,
        "files": layer.copied.members, "unpacked_size": layer.copied.bytes,
    }))
}

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{digest}")
}

fn media_type(plan: &Plan) -> &'static str {
    match plan.recipe.compression {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Gzip(_) => "application/vnd.oci.image.layer.v1.tar+gzip",
        Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
    }
}

fn descriptor<'a>(media_type: &'a str, digest: &Digest, size: u64) -> Descriptor<'a> {
    let digest = format!("sha256:{digest}");
    Descriptor { media_type, digest, size, platform: None, annotations: BTreeMap::new() }
}

fn of_bytes<'a>(media_type: &'a str, bytes: &[u8]) -> Descriptor<'a> {
    descriptor(media_type, &sha256(bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

fn manifest(plan: &Plan, layer: &Layer, config: &[u8], created: &str) -> Result<Vec<u8>, Error> {
    let mut annotations = BTreeMap::from([
        ("org.opencontainers.image.created", created.to_owned()),
        ("org.opencontainers.image.title", plan.name.clone()),
    ]);
    if !plan.description.is_empty() {
        annotations.insert("org.opencontainers.image.description", plan.description.clone());
    }
    json(&Manifest {
        schema_version: 2,
        media_type: MANIFEST,
        config: of_bytes(CONFIG, config),
        layers: [descriptor(media_type(plan), &layer.digest, layer.size)],
        annotations,
    })
}

fn index(plan: &Plan, manifest: &[u8], repository: &str, tag: &str) -> Result<Vec<u8>, Error> {
    let mut manifest = of_bytes(MANIFEST, manifest);
    manifest.platform = Some(Platform { architecture: &plan.architecture, os: "linux" });
    manifest.annotations = BTreeMap::from([
        // What containerd calls an image that it takes in, and Docker with it.
        ("io.containerd.image.name", format!("{repository}:{tag}")),
        ("org.opencontainers.image.ref.name", tag.to_owned()),
    ]);
    json(&Index { schema_version: 2, media_type: INDEX, manifests: [manifest] })
}
