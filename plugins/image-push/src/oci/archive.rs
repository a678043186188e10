//! An OCI layout in a tar archive, as it lies in the host's store: where its blobs are, without reading them.
//!
//! Headers are read, bodies are jumped over; only the index and the manifest are read whole. Everything in them may be
//! made up: sizes and digests are held against what the archive holds.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};
use wharf_sdk::{Context, Error};

use super::name;
use crate::image::File;
use crate::stream::{self, Part};

/// Bytes of a header, and what bodies are filled up to.
const BLOCK: u64 = 512;
/// The most members of an archive.
const MAX_MEMBERS: usize = 10_000;
/// The largest index or manifest, in bytes. Registries refuse larger ones.
const MAX_JSON: u64 = 4 << 20;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a document says of a blob.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// An image in an archive.
pub(super) struct Layout {
    pub(super) manifest: Descriptor,
    pub(super) manifest_bytes: Vec<u8>,
    blobs: Vec<Descriptor>,
    members: HashMap<String, Part>,
}

impl Layout {
    /// Looks into an archive.
    pub(super) async fn of(context: &Context, file: &File) -> Result<Self, Error> {
        let members = members(context, file).await?;
        let index = read(context, file, &members, "index.json").await?;
        let Index { manifests } = parse(file, "index.json", &index)?;
        let [manifest] = manifests.as_slice() else {
            return Err(not_oci(file, &format!("it holds {} images, not one", manifests.len())));
        };
        let mut manifest = manifest.clone();
        if manifest.media_type.is_empty() {
            MANIFEST.clone_into(&mut manifest.media_type);
        }
        let bytes = read(context, file, &members, &path(file, &manifest)?).await?;
        let digest = Bytes::copy_from_slice(&Sha256::digest(&bytes));
        if manifest.digest != format!("sha256:{digest:x}") {
            return Err(not_oci(file, "its manifest is not what the index says"));
        }
        let Manifest { config, layers } = parse(file, "the manifest", &bytes)?;
        let mut blobs: Vec<Descriptor> = Vec::with_capacity(layers.len() + 1);
        for blob in layers.into_iter().chain([config]) {
            let part = members.get(&path(file, &blob)?);
            if part.is_none_or(|part| part.size != blob.size) {
                return Err(not_oci(
                    file,
                    &format!("{} is missing or has another size", blob.digest),
                ));
            }
            if blobs.iter().all(|other| other.digest != blob.digest) {
                blobs.push(blob);
            }
        }
        Ok(Self { manifest, manifest_bytes: bytes, blobs, members })
    }

    /// The blobs that the manifest names, each once, layers first.
    pub(super) fn blobs(&self) -> &[Descriptor] {
        &self.blobs
    }

    /// Where a blob lies.
    pub(super) fn part(&self, blob: &Descriptor) -> Part {
        let hex = blob.digest.trim_start_matches("sha256:");
        let found = self.members.get(&format!("blobs/sha256/{hex}"));
        found.copied().unwrap_or(Part { offset: 0, size: 0 })
    }

    /// The tag that the archive itself names.
    pub(super) fn tag(&self) -> Option<String> {
        let named = self.manifest.annotations.get("org.opencontainers.image.ref.name")?;
        let tag = named.rsplit_once(':').map_or(named.as_str(), |(_name, tag)| tag);
        let is_letter = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
        let good = !tag.is_empty() && tag.len() <= 128 && tag.chars().all(is_letter);
        (good && !tag.starts_with(['.', '-'])).then(|| tag.to_owned())
    }
}

/// Where a blob stands in a layout.
fn path(file: &File, blob: &Descriptor) -> Result<String, Error> {
    if !name::is_digest(&blob.digest) {
        return Err(not_oci(file, "a digest in it is no sha256"));
    }
    Ok(format!("blobs/sha256/{}", blob.digest.trim_start_matches("sha256:")))
}

fn parse<'a, T: Deserialize<'a>>(file: &File, what: &str, bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| not_oci(file, &format!("{what}: {error}")))
}

async fn read(
    context: &Context,
    file: &File,
    members: &HashMap<String, Part>,
    name: &str,
) -> Result<Vec<u8>, Error> {
    let part = members.get(name).ok_or_else(|| not_oci(file, &format!("{name} is missing")))?;
    if part.size > MAX_JSON {
        return Err(not_oci(file, &format!("{name} has {} bytes", part.size)));
    }
    stream::whole(context, file, *part).await
}

/// The regular files of an archive.
async fn members(context: &Context, file: &File) -> Result<HashMap<String, Part>, Error> {
    let mut members = HashMap::new();
    let mut at = 0;
    while at + BLOCK <= file.size && members.len() < MAX_MEMBERS {
        let block = stream::whole(context, file, Part { offset: at, size: BLOCK }).await?;
        let header = Header::from_byte_slice(&block);
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let size = header.entry_size().map_err(|error| not_oci(file, &error.to_string()))?;
        let offset = at + BLOCK;
        let end = offset.checked_add(size).filter(|end| *end <= file.size);
        let end = end.ok_or_else(|| not_oci(file, "a member is cut off"))?;
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        match header.entry_type() {
            EntryType::Regular => {
                let name = name.trim_start_matches("./").to_owned();
                members.insert(name, Part { offset, size });
            }
            // Names in a layout are short, and sizes of blobs fit into a header as GNU tar writes it.
            EntryType::XHeader | EntryType::GNULongName => {
                return Err(not_oci(file, &format!("{name} has an extended header")));
            }
            _ => {}
        }
        at = end.next_multiple_of(BLOCK);
    }
    Ok(members)
}

fn not_oci(file: &File, why: &str) -> Error {
    let message = format!("{} is no OCI image in a tar archive: {why}", file.name);
    Error::usage("usage.image", message)
}
