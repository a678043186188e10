//! A disk as Google Compute Engine imports it: a raw file of whole GiB named `disk.raw`, in a tar archive of GNU's old
//! form that leaves holes out, compressed with gzip.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::available_parallelism;

use serde_json::json;
use tar::{Builder as Tar, HeaderMode};
use wharf_sdk::{BuildRequest, Context, Done};

use super::qemu::{self, Driver};
use crate::Error;
use crate::maker::Make;
use crate::order::Order;
use crate::pack::gzip;
use crate::scratch::{Image, Scratch};
use crate::thread;
use crate::tree::{Watch, Watched};

/// What the disk must be called.
const MEMBER: &str = "disk.raw";
const GIB: u64 = 1 << 30;
const LEVEL: u32 = 6;

/// The builder.
pub(crate) struct Gce;

impl Make for Gce {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let (disk, header) = order.disk("gce")?;
        let size = header.virtual_size.next_multiple_of(GIB);
        let scratch = Scratch::new(context)?;
        let (raw, made) = (scratch.file(MEMBER), scratch.image(&order, "tar.gz"));
        let driver = Driver { name: "raw", arguments: Vec::new() };
        let tool = qemu::convert(context, &order, &disk, &raw, &driver).await?;
        let allocated = raw.metadata().map_err(Error::io("reading the raw disk"))?.blocks() * 512;
        let paths = (raw, made);
        let work = move |watch: &Watch| pack(&paths.0, &paths.1, size, watch);
        thread::run(context, "packing", allocated, order.limit, work).await?;
        let attributes = json!({
            "format": "gce", "virtual_size": size, "tool": tool, "member": MEMBER,
            "guest_os_features": if order.uefi { vec!["UEFI_COMPATIBLE"] } else { Vec::new() },
        });
        let image = Image { extension: "tar.gz", media_type: "application/gzip", attributes };
        scratch.hand_over(context, &order, image).await
    }
}

/// Packs the raw disk, grown to `size`, and removes it.
fn pack(raw: &Path, made: &Path, size: u64, watch: &Watch) -> Result<(), Error> {
    let packing = || Error::io("packing the raw disk");
    let mut disk = OpenOptions::new().read(true).write(true).open(raw).map_err(packing())?;
    disk.set_len(size).map_err(packing())?;
    let output = BufWriter::new(File::create_new(made).map_err(packing())?);
    let threads = available_parallelism().map_or(1, usize::from);
    let packed = gzip(output, LEVEL, threads, |blocks| {
        let mut archive = Tar::new(Watched::new(blocks, watch));
        archive.mode(HeaderMode::Deterministic);
        archive.append_file(MEMBER, &mut disk).map_err(packing())?;
        archive.finish().map_err(packing())
    });
    if watch.is_stopped() {
        return Err(Error::Cancelled);
    }
    let (mut output, ()) = packed?;
    output.flush().map_err(packing())?;
    fs::remove_file(raw).map_err(packing())
}
