//! Which form of a disk a target takes, and what may be chosen about it.

use serde::Deserialize;
use serde_json::{Value, json};
use wharf_sdk::BuildRequest;

use super::qemu::Driver;
use crate::Error;

/// The most bytes of a VHD: 2040 GiB.
const VHD_BYTES: u64 = 2040 << 30;

/// What one component makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// For KVM: OpenStack, oVirt and RHEV.
    Qcow2,
    /// For vSphere.
    Vmdk,
    /// VHD and VHDX.
    HyperV,
    /// For VirtualBox.
    Vdi,
    /// The bytes as they are.
    Raw,
}

/// A form of a disk.
pub(crate) struct Format {
    pub(crate) driver: Driver,
    pub(crate) extension: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) attributes: Value,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compression {
    #[default]
    Zstd,
    Deflate,
    None,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VmdkFormat {
    #[default]
    Streaming,
    Standard,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum HyperVFormat {
    #[default]
    Vhd,
    Vhdx,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Subformat {
    #[default]
    Dynamic,
    Fixed,
}

/// The parameters of all families; the manifest says which component takes which.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wishes {
    compression: Compression,
    vsphere_vmdk_format: VmdkFormat,
    hyperv_format: HyperVFormat,
    hyperv_subformat: Subformat,
}

impl Family {
    /// The form that a request asks for.
    ///
    /// # Errors
    /// A usage error about a parameter.
    pub(crate) fn format(self, request: &BuildRequest) -> Result<Format, Error> {
        let wishes: Wishes = request.parameters()?;
        Ok(match self {
            Self::Qcow2 => qcow2(wishes.compression),
            Self::Vmdk => vmdk(wishes.vsphere_vmdk_format),
            Self::HyperV => match (request.target.name.as_str(), wishes.hyperv_format) {
                ("vhdx", _) | ("hyperv", HyperVFormat::Vhdx) => vhdx(wishes.hyperv_subformat),
                _ => vhd(wishes.hyperv_subformat),
            },
            Self::Vdi => plain("vdi", "vdi", "application/x-virtualbox-vdi"),
            Self::Raw => plain("raw", "raw", "application/x-raw-disk-image"),
        })
    }
}

impl Format {
    /// # Errors
    /// [`Error::Wish`] for a disk that the form cannot hold.
    pub(crate) fn check_size(&self, bytes: u64) -> Result<(), Error> {
        if self.extension == "vhd" && bytes > VHD_BYTES {
            let text = "a VHD holds 2040 GiB at most; ask for hyperv_format=vhdx";
            return Err(Error::Wish(text.to_owned()));
        }
        Ok(())
    }
}

fn format(
    extension: &'static str,
    driver: Driver,
    media_type: &'static str,
    attributes: Value,
) -> Format {
    Format { driver, extension, media_type, attributes }
}

fn plain(name: &'static str, extension: &'static str, media_type: &'static str) -> Format {
    format(extension, Driver { name, arguments: Vec::new() }, media_type, json!({}))
}

fn qcow2(compression: Compression) -> Format {
    // Clusters are compressed side by side, and written as they come.
    let (arguments, word) = match compression {
        Compression::Zstd => (vec!["-c", "-o", "compression_type=zstd", "-m", "16", "-W"], "zstd"),
        Compression::Deflate => {
            (vec!["-c", "-o", "compression_type=zlib", "-m", "16", "-W"], "deflate")
        }
        Compression::None => (Vec::new(), "none"),
    };
    let driver = Driver { name: "qcow2", arguments };
    format("qcow2", driver, "application/x-qemu-disk", json!({ "compression": word }))
}

fn vmdk(wish: VmdkFormat) -> Format {
    // The adapter is that of the controller which machines for such disks have.
    let (options, word) = match wish {
        VmdkFormat::Streaming => {
            ("subformat=streamOptimized,adapter_type=lsilogic", "streamOptimized")
        }
        VmdkFormat::Standard => {
            ("subformat=monolithicSparse,adapter_type=lsilogic", "monolithicSparse")
        }
    };
    let driver = Driver { name: "vmdk", arguments: vec!["-o", options] };
    format("vmdk", driver, "application/x-vmdk", json!({ "subformat": word }))
}

fn vhd(wish: Subformat) -> Format {
    // Without force_size, the disk grows to the next size that cylinders, heads and sectors can tell.
    let (options, word) = match wish {
        Subformat::Dynamic => ("subformat=dynamic,force_size=on", "dynamic"),
        Subformat::Fixed => ("subformat=fixed,force_size=on", "fixed"),
    };
    let driver = Driver { name: "vpc", arguments: vec!["-o", options] };
    format("vhd", driver, "application/x-vhd", json!({ "subformat": word }))
}

fn vhdx(wish: Subformat) -> Format {
    let (options, word) = match wish {
        Subformat::Dynamic => ("subformat=dynamic", "dynamic"),
        Subformat::Fixed => ("subformat=fixed", "fixed"),
    };
    let driver = Driver { name: "vhdx", arguments: vec!["-o", options] };
    format("vhdx", driver, "application/x-vhdx", json!({ "subformat": word }))
}

/// A compressed disk that is read from front to back, as appliances hold it.
pub(crate) fn streaming() -> Driver {
    vmdk(VmdkFormat::Streaming).driver
}
