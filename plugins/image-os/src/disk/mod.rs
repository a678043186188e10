//! A disk of a tree: partition table, file system, boot loader; then packed as qcow2.

mod layout;

use std::path::Path;

use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{Context, Error};

use crate::request::{Boot, Recipe};
use crate::sandbox::Sandbox;
use crate::steps::failed;
use crate::system::System;

pub(crate) use layout::Layout;

const SCRIPT: &str = include_str!("../scripts/disk.sh");

/// Makes `disk.qcow2` in the folder, of the `rootfs.tar` in it.
pub(crate) async fn make(
    context: &Context,
    folder: &Path,
    recipe: &Recipe,
    system: &System,
    sandbox: Sandbox,
) -> Result<Layout, Error> {
    let layout = Layout::of(recipe)?;
    let archive = folder.join("rootfs.tar");
    let bytes = archive.metadata().map_err(|error| failed(&archive, &error))?.len();
    layout.must_hold(bytes)?;
    let boot = recipe.parameters.boot;
    let entry = layout::entry(recipe.template.os.kernelparam.as_deref(), &recipe.template.name);
    let texts = [
        ("layout", layout.script()),
        ("loader.conf", "timeout 1\ndefault wharf.conf\n".to_owned()),
        ("entry.conf", entry),
        ("disk.sh", SCRIPT.to_owned()),
    ];
    for (name, text) in texts {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    let (loader, firmware) = match boot {
        Boot::Uefi => system.boot_loader()?,
        Boot::None => ("", ""),
    };
    let epoch = recipe.parameters.source_date_epoch;
    let mut command = sandbox
        .command("sh", &[])
        .arg(folder.join("disk.sh"))
        .arg(folder)
        .env("PRETEND", if sandbox == Sandbox::Fake { "yes" } else { "no" })
        .env("DISK_BYTES", layout.disk_bytes.to_string())
        .env("ROOT_UUID", layout.root_uuid.clone())
        .env("ROOT_OFFSET", layout.root_offset().to_string())
        .env("ROOT_KIB", layout.root_kib().to_string())
        .env("ESP_KIB", layout.esp_kib().to_string())
        .env("ESP_ID", layout.esp_id.clone())
        .env("LOADER", loader)
        .env("FIRMWARE_NAME", firmware)
        .env("EMPTY_TIME", epoch.to_string())
        .env("MTOOLS_SKIP_CHECK", "1");
    if epoch > 0 {
        let epoch = epoch.to_string();
        command = command.env("SOURCE_DATE_EPOCH", epoch.clone()).env("E2FSPROGS_FAKE_TIME", epoch);
    }
    let options = Options::new("making the disk").limit(recipe.timeout());
    tool::run(context, &command, &options).await?;
    pack(context, folder, recipe).await?;
    Ok(layout)
}

/// Raw to qcow2. Compressed by zstd in parallel it takes little longer than uncompressed, and a third of the space.
async fn pack(context: &Context, folder: &Path, recipe: &Recipe) -> Result<(), Error> {
    let command = Command::new("qemu-img")
        .package("qemu-utils")
        .args(["convert", "-p", "-f", "raw", "-O", "qcow2", "-c", "-o", "compression_type=zstd"])
        .args(["-m", "8", "-W", "disk.raw", "disk.qcow2"])
        .dir(folder);
    let options = Options::new("packing the disk").limit(recipe.timeout()).progress(tool::percent);
    tool::run(context, &command, &options).await?;
    let raw = folder.join("disk.raw");
    std::fs::remove_file(&raw).map_err(|error| failed(&raw, &error))
}
