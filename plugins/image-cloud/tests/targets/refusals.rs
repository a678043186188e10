//! Base images that lack something, are broken, or would do harm.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use wharf_sdk::{Stage, wire};

use crate::base::{Base, large_tree, tree};
use crate::tools::run;

/// What a build fails with: class, code, message. Nothing of it is left.
async fn failure(base: &Base, component: &str, parameters: Value) -> (i32, String, String) {
    let run = base.run(component, component, &parameters).await;
    assert!(run.units.is_empty());
    assert_eq!(base.left(), ["base"], "{component}");
    let error = run.failure();
    (error.class, error.code.clone(), error.message.clone())
}

fn usage() -> i32 {
    wire::ErrorClass::Usage.into()
}

#[tokio::test]
async fn a_file_that_the_base_image_lacks_is_named() {
    let base = Base::empty();
    for component in ["qcow2", "vmdk", "hyperv", "vdi", "raw", "gce", "ova"] {
        let (class, code, message) = failure(&base, component, json!({})).await;
        assert_eq!((class, code.as_str()), (usage(), "usage.parent"));
        assert!(message.contains("no file \"disk.qcow2\""), "{message}");
    }
    for component in ["docker", "oci", "squashfs", "iso"] {
        let (class, _code, message) = failure(&base, component, json!({})).await;
        assert_eq!(class, usage());
        assert!(message.contains("no file \"rootfs.tar.zst\""), "{message}");
    }
}

#[tokio::test]
async fn a_file_that_is_a_link_out_of_the_job_is_not_opened() {
    let base = Base::empty().and("disk.qcow2");
    let outside = Base::with_disk();
    symlink(outside.file("disk.qcow2"), base.file("disk.qcow2")).unwrap();
    let (class, _code, message) = failure(&base, "raw", json!({})).await;
    assert!(class == usage() && message.contains("disk.qcow2"), "{message}");
}

#[tokio::test]
async fn other_stages_and_recipes_are_refused() {
    let base = Base::with_disk();
    let call = base.harness.call("raw").recipe(base.recipe("raw"));
    assert!(call.build(Stage::Base).await.failure().message.contains("for targets only"));
    let mut recipe = base.recipe("raw");
    recipe.template = Some(wire::Template { media_type: "text/x".to_owned(), content: vec![1] });
    let run = base.harness.call("raw").recipe(recipe).build(Stage::Target).await;
    assert_eq!(run.failure().class, usage());
}

#[tokio::test]
async fn a_disk_that_is_laid_over_another_is_refused() {
    let base = Base::with_disk();
    let (below, above) = (base.file("below.qcow2"), base.file("disk.qcow2"));
    fs::rename(&above, &below).unwrap();
    let (b, a) = (below.to_str().unwrap(), above.to_str().unwrap());
    run("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", b, a]);
    let (_class, code, message) = failure(&base, "raw", json!({})).await;
    assert_eq!(code, "content.unsafe");
    assert!(message.contains("backing file"), "{message}");
}

#[tokio::test]
async fn a_disk_whose_data_lie_elsewhere_is_refused() {
    let base = Base::with_disk();
    let (data, disk) = (base.file("data.raw"), base.file("disk.qcow2"));
    let options = format!("data_file={},data_file_raw=on", data.display());
    run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", &options, disk.to_str().unwrap(), "1M"]);
    let (_class, code, message) = failure(&base, "raw", json!({})).await;
    assert_eq!(code, "content.unsafe");
    assert!(message.contains("data lie in another file"), "{message}");
}

#[tokio::test]
async fn a_disk_that_is_too_large_or_broken_is_told_before_any_work() {
    let base = Base::with_disk();
    let disk = base.file("disk.qcow2");
    run("qemu-img", ["create", "-q", "-f", "qcow2", disk.to_str().unwrap(), "3T"]);
    let (_class, code, message) = failure(&base, "gce", json!({})).await;
    assert!(code == "limit" && message.contains("max_size_gib"), "{message}");
    let allowed = json!({ "max_size_gib": 4096 });
    let (class, _code, message) = failure(&base, "hyperv", allowed).await;
    assert!(class == usage() && message.contains("hyperv_format=vhdx"), "{message}");
    let whole = fs::read(&disk).unwrap();
    for (bytes, words) in [(&b"MZ"[..], "no qcow2"), (&whole[..2000], "cut off")] {
        fs::write(&disk, bytes).unwrap();
        let (_class, code, message) = failure(&base, "raw", json!({ "max_size_gib": 4096 })).await;
        assert!(code == "content.base_image" && message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_disk_that_the_tool_cannot_read_shows_the_tools_last_lines() {
    let base = Base::with_disk();
    let disk = base.file("disk.qcow2");
    let mut whole = fs::read(&disk).unwrap();
    // Clusters of 2^40 bytes.
    whole[20..24].copy_from_slice(&40_u32.to_be_bytes());
    fs::write(&disk, &whole).unwrap();
    let (_class, _code, message) = failure(&base, "vdi", json!({})).await;
    assert!(
        message.contains("qemu-img convert") && message.contains("Could not open"),
        "{message}"
    );
}

// F117
#[tokio::test]
async fn trees_that_would_do_harm_are_refused_by_every_target_of_them() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..9].copy_from_slice(b"../../etc");
    header.set_size(0);
    header.set_mode(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    archive.append(&header, &b""[..]).unwrap();
    let bad = archive.into_inner().unwrap();
    let base = Base::with_tree();
    for component in ["docker", "oci", "squashfs", "iso"] {
        fs::write(base.file("rootfs.tar.zst"), zstd::encode_all(&bad[..], 1).unwrap()).unwrap();
        let (_class, code, message) = failure(&base, component, json!({})).await;
        assert_eq!(code, "content.unsafe", "{message}");
        assert!(message.contains("leads out of the root"), "{message}");
    }
}

// F102
#[tokio::test]
async fn a_tree_that_unpacks_to_more_than_was_allowed_is_refused() {
    let wish = json!({ "max_size_gib": 0 });
    let (_class, code, message) = failure(&Base::with_tree(), "oci", wish).await;
    assert!(code == "limit" && message.contains("max_size_gib"), "{message}");
}

#[tokio::test]
async fn a_tree_that_is_cut_off_is_told() {
    let base = Base::with_tree();
    let packed = zstd::encode_all(&tree()[..], 3).unwrap();
    fs::write(base.file("rootfs.tar.zst"), &packed[..packed.len() / 2]).unwrap();
    for component in ["docker", "squashfs"] {
        let (_class, code, message) = failure(&base, component, json!({})).await;
        assert!(code == "content.base_image" && message.contains("cut off"), "{message}");
    }
}

#[tokio::test]
async fn time_is_up_when_it_is() {
    let base = Base::with_tree();
    fs::write(base.file("rootfs.tar.zst"), large_tree(8)).unwrap();
    let (_class, code, message) =
        failure(&base, "oci", json!({ "timeout": 0, "compression_level": 9 })).await;
    assert!(code == "limit" && message.contains("timeout"), "{message}");
}
