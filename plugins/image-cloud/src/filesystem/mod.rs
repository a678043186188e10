//! The base image's root file system as one read-only file: a squashfs, or an ISO file that holds one.
//!
//! The tree is checked and streamed into the program that writes the squashfs; it is never unpacked. On an ISO file the
//! squashfs lies where systems that run from such media look for it. An ISO file made here does not boot by itself: what
//! the base image's boot loader starts looks for its root on a disk.

mod feed;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{BuildRequest, Context, Done};

use crate::Error;
use crate::container::TREE_GIB;
use crate::maker::Make;
use crate::order::Order;
use crate::program::Program;
use crate::scratch::{Image, Scratch};
use crate::tree::{Copied, Limits, MEMBERS, Rules};
use feed::Feed;

const SQFSTAR: Program =
    Program { name: "sqfstar", package: "squashfs-tools", version: "-version" };
const XORRISO: Program = Program { name: "xorriso", package: "xorriso", version: "-version" };
/// Where systems that run from a medium look for their root.
const ON_MEDIUM: &str = "/live/filesystem.squashfs";
/// Letters of an ISO file's label.
const LABEL_CHARS: usize = 32;

/// A builder of squashfs files. `epoch`: the time to write into files if a build names none.
pub(crate) struct Squashfs {
    pub(crate) epoch: Option<u64>,
}

/// A builder of ISO files; as [`Squashfs`].
pub(crate) struct Iso {
    pub(crate) epoch: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wishes {
    compression: Option<String>,
    volume_id: Option<String>,
    tar_excludes: Vec<String>,
}

/// A squashfs that was written.
struct Packed {
    compression: String,
    tool: String,
    copied: Copied,
}

impl Make for Squashfs {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let wishes: Wishes = request.parameters()?;
        let scratch = Scratch::new(context)?;
        let made = scratch.image(&order, "squashfs");
        let packed = pack(context, &order, &wishes, order.timestamp(self.epoch), &made).await?;
        let attributes = json!({
            "format": "squashfs", "tool": packed.tool, "compression": packed.compression,
            "files": packed.copied.members, "unpacked_size": packed.copied.bytes,
        });
        let media_type = "application/vnd.squashfs";
        let image = Image { extension: "squashfs", media_type, attributes };
        scratch.hand_over(context, &order, image).await
    }
}

impl Make for Iso {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let wishes: Wishes = request.parameters()?;
        let scratch = Scratch::new(context)?;
        let (inner, made) = (scratch.file("inner"), scratch.image(&order, "iso"));
        let tool = XORRISO.version(context, &order).await?;
        let newest = order.timestamp(self.epoch);
        let packed = pack(context, &order, &wishes, newest, &inner).await?;
        let label = label(wishes.volume_id.as_deref().unwrap_or(&order.name));
        let time = newest.unwrap_or(packed.copied.newest);
        date(&inner, time)?;
        let command = iso(&label, time, &inner, &made);
        let options = Options::new("writing").limit(order.limit).progress(tool::percent);
        tool::run(context, &command, &options).await?;
        std::fs::remove_file(inner).map_err(Error::io("removing the squashfs"))?;
        let attributes = json!({
            "format": "iso", "tool": tool, "volume_id": label, "squashfs": ON_MEDIUM,
            "compression": packed.compression,
            "files": packed.copied.members, "unpacked_size": packed.copied.bytes,
        });
        let media_type = "application/x-iso9660-image";
        let image = Image { extension: "iso", media_type, attributes };
        scratch.hand_over(context, &order, image).await
    }
}

/// Writes the tree as a squashfs. No file in it is younger than `newest`.
async fn pack(
    context: &Context,
    order: &Order,
    wishes: &Wishes,
    newest: Option<u64>,
    made: &Path,
) -> Result<Packed, Error> {
    let tree = order.tree("squashfs")?;
    let tool = SQFSTAR.version(context, order).await?;
    let compression = wishes.compression.clone().unwrap_or_else(|| "zstd".to_owned());
    let command = squashfs(&compression, newest, made);
    let limits = Limits { unpacked: order.most(TREE_GIB), members: MEMBERS, newest };
    let feed = Feed { tree, rules: Rules::new(&wishes.tar_excludes)?, limits };
    let copied = feed.run(context, order, command).await?;
    Ok(Packed { compression, tool, copied })
}

fn squashfs(compression: &str, newest: Option<u64>, made: &Path) -> Command {
    let command = SQFSTAR.command().args(["-quiet", "-no-progress", "-comp", compression]);
    let command = match newest {
        // The variable and the option must not come together. Its times have 32 bits.
        Some(time) => command.env("SOURCE_DATE_EPOCH", time.min(u32::MAX.into()).to_string()),
        None => command.args(["-mkfs-time", "0"]),
    };
    command.arg(made)
}

fn iso(label: &str, time: u64, inner: &Path, made: &Path) -> Command {
    let mut graft = PathBuf::from(ON_MEDIUM).into_os_string();
    graft.push("=");
    graft.push(inner);
    XORRISO
        .command()
        .args(["-no_rc", "-as", "mkisofs", "-r", "-J", "-iso-level", "3", "-V", label, "-o"])
        .arg(made)
        .arg("-graft-points")
        .arg(graft)
        .env("SOURCE_DATE_EPOCH", time.to_string())
}

/// Gives a file a time that is the same whenever the image is made: the medium has it too.
fn date(file: &Path, time: u64) -> Result<(), Error> {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time.min(u32::MAX.into()));
    let dated = std::fs::File::options().write(true).open(file);
    let dated = dated.and_then(|file| file.set_modified(time));
    dated.map_err(Error::io("dating the squashfs"))
}

/// A label of the letters that every system takes.
fn label(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).take(LABEL_CHARS).collect()
}
