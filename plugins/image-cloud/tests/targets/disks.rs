//! Disks: the same bytes in every form, checked by `qemu-img`.

use serde_json::{Value, json};

use crate::base::{Base, DISK_BYTES};
use crate::tools::{assert_same_disk, info, run};

/// Makes a disk and holds it against the base image's. Returns what `qemu-img info` says.
async fn check(
    component: &str,
    target: &str,
    parameters: Value,
    ending: &str,
    format: &str,
) -> Value {
    let base = Base::with_disk();
    let made = base.make(component, target, &parameters).await;
    assert_eq!(made.name, format!("Web-Server.{ending}"));
    assert_eq!(made.attributes["format"], ending);
    assert_eq!(made.attributes["virtual_size"], DISK_BYTES);
    assert!(made.attributes["tool"].as_str().unwrap().starts_with("qemu-img "));
    assert!(made.media_type.starts_with("application/x-"));
    let info = info(format, &made.path);
    assert_eq!(info["virtual-size"], DISK_BYTES, "{info}");
    assert_same_disk(("qcow2", &base.file("disk.qcow2")), (format, &made.path));
    info
}

#[tokio::test]
async fn qcow2_is_compressed_as_asked_for_and_sound() {
    for (wish, kind) in [
        (json!({}), "zstd"),
        (json!({ "compression": "deflate" }), "zlib"),
        (json!({ "compression": "none" }), "zlib"),
    ] {
        let info = check("qcow2", "openstack-kvm", wish, "qcow2", "qcow2").await;
        assert_eq!(info["format-specific"]["data"]["compression-type"], kind);
    }
    let base = Base::with_disk();
    let made = base.make("qcow2", "rhevm", &json!({})).await;
    let said = run("qemu-img", ["check", "-f", "qcow2", made.text()]);
    assert!(said.contains("No errors"), "{said}");
    assert!(said.contains("100.00% compressed"), "{said}");
}

#[tokio::test]
async fn vmdk_is_streaming_or_standard() {
    let info = check("vmdk", "vsphere", json!({}), "vmdk", "vmdk").await;
    assert_eq!(info["format-specific"]["data"]["create-type"], "streamOptimized");
    let standard = json!({ "vsphere_vmdk_format": "standard" });
    let info = check("vmdk", "vsphere", standard, "vmdk", "vmdk").await;
    assert_eq!(info["format-specific"]["data"]["create-type"], "monolithicSparse");
}

#[tokio::test]
async fn a_vhd_keeps_the_size_that_its_geometry_cannot_tell() {
    check("hyperv", "hyperv", json!({}), "vhd", "vpc").await;
    let info = check("hyperv", "vhd", json!({ "hyperv_subformat": "fixed" }), "vhd", "vpc").await;
    let file = &info["children"][0]["info"]["virtual-size"];
    assert!(file.is_null() || *file == DISK_BYTES + 512, "{info}");
}

#[tokio::test]
async fn vhdx_is_made_by_target_or_parameter() {
    check("hyperv", "vhdx", json!({}), "vhdx", "vhdx").await;
    let wish = json!({ "hyperv_format": "vhdx", "hyperv_subformat": "fixed" });
    check("hyperv", "hyperv", wish, "vhdx", "vhdx").await;
}

#[tokio::test]
async fn vdi_and_raw_hold_the_same_disk() {
    check("vdi", "virtualbox", json!({}), "vdi", "vdi").await;
    check("raw", "raw", json!({}), "raw", "raw").await;
}

#[tokio::test]
async fn the_tools_progress_is_told() {
    let run = Base::with_disk().run("qcow2", "qcow2", &json!({})).await;
    let last = run.progress.iter().rfind(|it| it.total == 100);
    assert!(last.is_some_and(|it| it.done <= 100), "{:?}", run.progress);
}
