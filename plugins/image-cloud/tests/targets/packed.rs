//! Disks in archives: Google's, and appliances.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::base::{Base, DISK_BYTES};
use crate::tools::{assert_same_disk, info, run};

const GIB: u64 = 1 << 30;

#[tokio::test]
async fn google_gets_a_sparse_raw_disk_of_whole_gibibytes() {
    let base = Base::with_disk();
    let made = base.make("gce", "gce", &json!({})).await;
    assert_eq!(
        (made.name.as_str(), made.media_type.as_str()),
        ("Web-Server.tar.gz", "application/gzip")
    );
    assert_eq!(made.attributes["virtual_size"], GIB);
    assert_eq!(made.attributes["guest_os_features"], json!(["UEFI_COMPATIBLE"]));
    let listed = run("tar", ["-tvzf", made.text()]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.contains(&GIB.to_string()) && listed.ends_with("disk.raw\n"), "{listed}");
    // One member, without the holes.
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(File::open(&made.path).unwrap()).read_to_end(&mut plain).unwrap();
    assert_eq!((plain[156], &plain[257..265]), (b'S', &b"ustar  \0"[..]), "GNU's old form, sparse");
    assert!(plain.len() < 4 << 20, "{}", plain.len());
    let out = tempfile::tempdir().unwrap();
    run("tar", ["-C", out.path().to_str().unwrap(), "-xSzf", made.text()]);
    let raw = out.path().join("disk.raw");
    let grown = out.path().join("grown.qcow2");
    fs::copy(base.file("disk.qcow2"), &grown).unwrap();
    run("qemu-img", ["resize", "-q", "-f", "qcow2", grown.to_str().unwrap(), &GIB.to_string()]);
    let (a, b) = (raw.to_str().unwrap(), grown.to_str().unwrap());
    assert!(run("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", a, b]).contains("identical"));
}

#[tokio::test]
async fn the_same_disk_packs_to_the_same_bytes_for_google() {
    let base = Base::with_disk();
    let one = base.make("gce", "gce", &json!({})).await;
    let other = base.make("gce", "gce", &json!({})).await;
    assert!(fs::read(one.path).unwrap() == fs::read(other.path).unwrap());
}

/// Unpacks an appliance, and checks what does not depend on what is in it.
fn unpack(ova: &str, out: &Path) -> String {
    let names = ["Web-Server.ovf", "Web-Server.mf", "Web-Server.vmdk"];
    assert_eq!(run("tar", ["-tf", ova]).lines().collect::<Vec<_>>(), names);
    run("tar", ["-C", out.to_str().unwrap(), "-xf", ova]);
    let manifest = fs::read_to_string(out.join(names[1])).unwrap();
    for name in [names[0], names[2]] {
        let digest = Sha256::digest(fs::read(out.join(name)).unwrap());
        let hex = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert!(manifest.contains(&format!("SHA256({name})= {hex}\n")), "{manifest}");
    }
    fs::read_to_string(out.join(names[0])).unwrap()
}

#[tokio::test]
async fn an_appliance_describes_its_machine_and_vouches_for_its_disk() {
    let base = Base::with_disk();
    let wish = json!({ "ovf_cpu_count": 2, "ovf_memory_mb": 512, "vsphere_product_name": "P & Q" });
    let made = base.make("ova", "ova", &wish).await;
    assert_eq!(
        (&made.attributes["cpus"], &made.attributes["firmware"]),
        (&json!(2), &json!("efi"))
    );
    let ustar = fs::read(&made.path).unwrap();
    assert_eq!(&ustar[257..265], b"ustar\x0000");
    let out = tempfile::tempdir().unwrap();
    let descriptor = unpack(made.text(), out.path());
    let disk = out.path().join("Web-Server.vmdk");
    let size = disk.metadata().unwrap().len();
    for words in [
        format!(r#"ovf:href="Web-Server.vmdk" ovf:id="file1" ovf:size="{size}""#),
        format!(r#"ovf:capacity="{DISK_BYTES}""#),
        "<rasd:VirtualQuantity>512</rasd:VirtualQuantity>".to_owned(),
        "<Info>serves &lt;pages&gt;</Info>".to_owned(),
        "<Product>P &amp; Q</Product>".to_owned(),
        r#"ovf:id="96""#.to_owned(),
    ] {
        assert!(descriptor.contains(&words), "{words}: {descriptor}");
    }
    assert_eq!(info("vmdk", &disk)["format-specific"]["data"]["create-type"], "streamOptimized");
    assert_same_disk(("qcow2", &base.file("disk.qcow2")), ("vmdk", &disk));
}

#[tokio::test]
async fn an_appliance_takes_a_vsphere_image_as_it_is() {
    let first = Base::with_disk();
    let vmdk = first.make("vmdk", "vsphere", &json!({})).await;
    let base = Base::empty().and("x.vmdk").saying(vmdk.attributes.clone());
    fs::copy(&vmdk.path, base.file("x.vmdk")).unwrap();
    let made = base.make("ova", "ova", &json!({ "timestamp": 1_000 })).await;
    let out = tempfile::tempdir().unwrap();
    unpack(made.text(), out.path());
    let packed = fs::read(out.path().join("Web-Server.vmdk")).unwrap();
    assert!(packed == fs::read(&vmdk.path).unwrap());
    let time = out.path().join("Web-Server.ovf").metadata().unwrap().modified().unwrap();
    assert_eq!(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_000);
}
