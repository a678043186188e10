//! Images for clouds, of a base image: its disk in the form that each takes, or its root file system as an image of a
//! container.
//!
//! A component for each family of targets, all of role builder and stage target. [`disk`] hands the base image's
//! `disk.qcow2` to `qemu-img`, after a look at its header; `ova` packs an appliance of it. [`tree`] reads its
//! `rootfs.tar.zst` as a stream, checks every member, and feeds `container` (layers by several threads) and `filesystem`
//! (squashfs, ISO). `maker` offers each to the host. `order` is what a build was asked for, `scratch` its folder, which is gone unless there is an image.
//! The plugin builds no operating system, opens no connection, mounts nothing and needs no rights.

mod container;
pub mod disk;
mod error;
mod filesystem;
mod maker;
mod order;
mod ova;
mod pack;
mod program;
mod scratch;
mod thread;
pub mod tree;

pub use error::Error;

use wharf_sdk::Plugin;

use container::Containers;
use disk::{Disks, Family, Gce};
use filesystem::{Iso, Squashfs};
use maker::Maker;
use ova::Appliances;

/// What wrote an image that no other program wrote.
const OWN_TOOL: &str = concat!("wharf image-cloud ", env!("CARGO_PKG_VERSION"));

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    let epoch = epoch();
    let containers = |form| Containers { form, epoch };
    Plugin::new(include_str!("../plugin.json"))
        .builder("qcow2", Maker(Disks(Family::Qcow2)))
        .builder("vmdk", Maker(Disks(Family::Vmdk)))
        .builder("hyperv", Maker(Disks(Family::HyperV)))
        .builder("vdi", Maker(Disks(Family::Vdi)))
        .builder("raw", Maker(Disks(Family::Raw)))
        .builder("gce", Maker(Gce))
        .builder("ova", Maker(Appliances { epoch }))
        .builder("docker", Maker(containers(container::Form::Docker)))
        .builder("oci", Maker(containers(container::Form::Oci)))
        .builder("squashfs", Maker(Squashfs { epoch }))
        .builder("iso", Maker(Iso { epoch }))
}

/// The time to write into images, in seconds since 1970, as builds that can be repeated set it for all programs.
#[expect(clippy::disallowed_methods, reason = "this is the edge: read once, handed in from here")]
fn epoch() -> Option<u64> {
    std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()
}
