//! The builder of Debian and its kin: what its two stages do, and what they hand over.

mod base;
mod installed;
mod packages;
mod target;

use std::path::{Path, PathBuf};

use serde::Serialize;
use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{
    BuildRequest, Builder, Component, Context, Done, Error, File, Stage, Unit, async_trait,
};

use crate::disk;
use crate::request::{Boot, Recipe};
use crate::sandbox::Sandbox;
use crate::steps::{Steps, failed};
use crate::system::System;
use installed::Package;

const DISK: &str = "disk.qcow2";
const TREE: &str = "rootfs.tar.zst";
/// Programs of every build, each with its Debian package.
const NEEDED: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("unshare", "util-linux"),
    ("sfdisk", "fdisk"),
    ("mke2fs", "e2fsprogs"),
    ("qemu-img", "qemu-utils"),
    ("zstd", "zstd"),
];
/// Programs that make the firmware's partition.
const NEEDED_TO_BOOT: &[(&str, &str)] =
    &[("mkfs.vfat", "dosfstools"), ("mcopy", "mtools"), ("mmd", "mtools")];

/// The builder.
pub(crate) struct Debian;

impl Component for Debian {}

#[async_trait]
impl Builder for Debian {
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let recipe = Recipe::read(&request)?;
        let boots = recipe.parameters.boot == Boot::Uefi;
        tool::need(&[NEEDED, if boots { NEEDED_TO_BOOT } else { &[] }].concat())?;
        let mut build = Build::new(recipe, context).await?;
        let made = match request.stage {
            Stage::Base => build.base(&request.contributions).await,
            Stage::Target => build.target(&request).await,
            _ => Err(Error::not_offered("this stage")),
        };
        // What the tools made may belong to lent ids: nobody but the sandbox can remove it.
        if let Err(error) = build.sandbox.remove(context, &build.folder).await {
            let text = format!("{} stays behind: {error}", build.folder.display());
            context.log(wharf_sdk::Level::WARN, text).await;
        }
        context.unit(made?).await?;
        Ok(Done::changed().announced(1))
    }
}

/// One build.
struct Build<'a> {
    context: &'a Context,
    recipe: Recipe,
    system: System,
    sandbox: Sandbox,
    folder: PathBuf,
}

impl<'a> Build<'a> {
    async fn new(recipe: Recipe, context: &'a Context) -> Result<Self, Error> {
        let system = System::of(&recipe.template.os)?;
        if recipe.parameters.boot == Boot::Uefi {
            system.boot_loader()?;
        }
        let sandbox = Sandbox::probe(context).await?;
        let folder = context.in_work_dir("build");
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary).map_err(|error| failed(&temporary, &error))?;
        Ok(Self { context, recipe, system, sandbox, folder })
    }

    fn steps(&self) -> Result<Steps, Error> {
        Steps::create(self.folder.join("steps"))
    }

    fn archive(&self) -> PathBuf {
        self.folder.join("rootfs.tar")
    }

    /// Disk and archive of the tree that was made, as the unit that was asked for.
    async fn finish(&self, kind: &str, steps: &Steps) -> Result<Unit, Error> {
        let installed = installed::read(&steps.read("installed")?);
        let os_pretty = installed::pretty_name(&steps.read("os-release")?);
        let (recipe, context) = (&self.recipe, self.context);
        let layout = disk::make(context, &self.folder, recipe, &self.system, self.sandbox).await?;
        let pack = Command::new("zstd")
            .package("zstd")
            .args(["-q", "-T0", "--rm", "rootfs.tar", "-o", TREE])
            .dir(&self.folder);
        tool::run(context, &pack, &Options::new("packing the tree").limit(recipe.timeout()))
            .await?;
        for name in [DISK, TREE] {
            let to = context.in_work_dir(name);
            std::fs::rename(self.folder.join(name), &to).map_err(|error| failed(&to, &error))?;
        }
        let packages = installed::within_limit(installed);
        if packages.is_none() {
            let text = "the list of packages is longer than a unit may have, and left out";
            context.warn("limit.packages", text, "").await?;
        }
        let boot = recipe.parameters.boot.name();
        let virtual_size = layout.disk_bytes;
        let attributes = Attributes { virtual_size, format: "qcow2", packages, os_pretty, boot };
        unit(kind, DISK, TREE).attributes(&attributes)
    }
}

/// What the unit says of the image.
#[derive(Serialize)]
struct Attributes {
    virtual_size: u64,
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<Package>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_pretty: Option<String>,
    boot: &'static str,
}

/// A unit of these two staged files. Its key is the host's to fill.
fn unit(kind: &str, disk: &str, tree: &str) -> Unit {
    Unit::new(kind)
        .key_json("{}")
        .file(File::at(DISK).staged(disk).media_type("application/x-qemu-disk"))
        .file(File::at(TREE).staged(tree).media_type("application/zstd"))
}

/// A name that a host may have, made of any name.
fn host_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(plain).take(63).collect();
    match name.trim_matches('-') {
        "" => "debian".to_owned(),
        name => name.to_owned(),
    }
}

/// Lines of a file.
fn text(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

/// A path as text, for files that hooks read.
fn path_text(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_that_of_a_host() {
        for (name, host) in [("Web 1", "web-1"), ("--", "debian"), ("ä", "debian"), ("x.y", "x-y")]
        {
            assert_eq!(host_name(name), host);
        }
        assert_eq!(host_name(&"a".repeat(100)).len(), 63);
    }
}
