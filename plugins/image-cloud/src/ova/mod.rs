//! An appliance for VMware and VirtualBox: a descriptor of the machine, the digests of both files, and its disk, in that
//! order in a tar archive. The disk is a `vsphere` image that came as the parent, or is made of the base image's.

mod descriptor;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use wharf_sdk::{BuildRequest, Context, Done};

use crate::disk::qemu;
use crate::disk::streaming;
use crate::maker::Make;
use crate::order::Order;
use crate::pack::{Archive, Sum, sha256};
use crate::scratch::{Image, Scratch};
use crate::tree::{Watch, Watched};
use crate::{Error, OWN_TOOL, thread};
use descriptor::{Disk, Machine, Product};

/// The builder. `epoch`: the time to write into it if a build names none.
pub(crate) struct Appliances {
    pub(crate) epoch: Option<u64>,
}

/// The parameters, with Image Factory's names.
#[derive(Deserialize)]
struct Wishes {
    #[serde(default)]
    ovf_cpu_count: Option<u32>,
    #[serde(default)]
    ovf_memory_mb: Option<u32>,
    #[serde(default)]
    ovf_name: Option<String>,
    #[serde(default)]
    vsphere_product_name: String,
    #[serde(default)]
    vsphere_product_vendor_name: String,
    #[serde(default)]
    vsphere_product_version: String,
}

impl Make for Appliances {
    async fn make(&self, request: &BuildRequest, context: &Context) -> Result<Done, Error> {
        let order = Order::read(request, context)?;
        let wishes: Wishes = request.parameters()?;
        let scratch = Scratch::new(context)?;
        let (vmdk, capacity, tool) = disk(context, &order, &scratch).await?;
        let bytes = vmdk.metadata().map_err(Error::io("reading the disk"))?.len();
        let disk_name = format!("{}.vmdk", order.name);
        let machine = Machine {
            name: wishes.ovf_name.unwrap_or_else(|| order.name.clone()),
            description: order.description.clone(),
            os: order.os.clone(),
            architecture: order.architecture.clone(),
            uefi: order.uefi,
            cpus: wishes.ovf_cpu_count.unwrap_or(1),
            memory_mb: wishes.ovf_memory_mb.unwrap_or(1024),
            disk: Disk { name: disk_name, bytes, capacity },
            product: Product {
                name: wishes.vsphere_product_name,
                vendor: wishes.vsphere_product_vendor_name,
                version: wishes.vsphere_product_version,
            },
        };
        let attributes = json!({
            "format": "ova", "virtual_size": capacity, "tool": tool, "name": machine.name,
            "cpus": machine.cpus, "memory_mb": machine.memory_mb,
            "firmware": if machine.uefi { "efi" } else { "bios" },
        });
        let packing = Packing {
            made: scratch.image(&order, "ova"),
            name: order.name.clone(),
            mtime: order.timestamp(self.epoch).unwrap_or(0),
            vmdk,
            machine,
        };
        let work = move |watch: &Watch| packing.pack(watch);
        thread::run(context, "packing", bytes, order.limit, work).await?;
        let image = Image { extension: "ova", media_type: "application/ovf", attributes };
        scratch.hand_over(context, &order, image).await
    }
}

/// The disk for the appliance, its size as its guest sees it, and what wrote it.
async fn disk(
    context: &Context,
    order: &Order,
    scratch: &Scratch,
) -> Result<(PathBuf, u64, String), Error> {
    if let Some((path, capacity)) = order.streaming_vmdk()? {
        return Ok((path, capacity, OWN_TOOL.to_owned()));
    }
    let (from, header) = order.disk("ova")?;
    let to = scratch.file("disk.vmdk");
    let tool = qemu::convert(context, order, &from, &to, &streaming()).await?;
    Ok((to, header.virtual_size, tool))
}

/// All that packing needs.
struct Packing {
    made: PathBuf,
    name: String,
    mtime: u64,
    vmdk: PathBuf,
    machine: Machine,
}

impl Packing {
    /// Writes the archive and removes the disk.
    fn pack(&self, watch: &Watch) -> Result<(), Error> {
        let packed = self.write(watch);
        if watch.is_stopped() {
            return Err(Error::Cancelled);
        }
        packed.and_then(|()| fs::remove_file(&self.vmdk).map_err(Error::io("removing the disk")))
    }

    fn write(&self, watch: &Watch) -> Result<(), Error> {
        let descriptor = self.machine.descriptor();
        let ovf = format!("{}.ovf", self.name);
        let digests = |disk: &dyn std::fmt::Display| {
            let own = sha256(descriptor.as_bytes());
            format!("SHA256({ovf})= {own}\nSHA256({})= {disk}\n", self.machine.disk.name)
        };
        let mut archive = Archive::create(&self.made, self.mtime)?;
        archive.put(&ovf, descriptor.as_bytes())?;
        // A digest is always as long as this one.
        let size = digests(&sha256(b"")).len();
        let place = archive.reserve(&format!("{}.mf", self.name), size)?;
        let disk = archive.stream(|file| {
            let digest = copy(&self.vmdk, file, watch).map_err(Error::io("packing the disk"))?;
            Ok((self.machine.disk.name.clone(), digest))
        })?;
        archive.fill(&place, digests(&disk).as_bytes())?;
        archive.finish()
    }
}

fn copy(from: &Path, to: &File, watch: &Watch) -> io::Result<crate::pack::Digest> {
    let mut input = Watched::new(File::open(from)?, watch);
    let mut output = BufWriter::with_capacity(256 << 10, Sum::new(to));
    io::copy(&mut input, &mut output)?;
    output.flush()?;
    let sum = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    let (_file, digest, _bytes) = sum.finish();
    Ok(digest)
}
