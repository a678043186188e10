//! `plugin.json` and the program agree.

use wharf_plugin_image_cloud::plugin;
use wharf_sdk::testing::{FakeHost, Harness};

#[tokio::test]
async fn the_plugin_describes_itself_as_its_manifest_does() {
    let describe = Harness::start(plugin(), FakeHost::new()).describe().await;
    assert_eq!(
        (describe.name.as_str(), describe.version.as_str()),
        ("image-cloud", env!("CARGO_PKG_VERSION"))
    );
    let ids: Vec<&str> = describe.components.iter().map(|it| it.id.as_str()).collect();
    let wanted =
        ["qcow2", "vmdk", "hyperv", "vdi", "raw", "gce", "ova", "docker", "oci", "squashfs", "iso"];
    assert_eq!(ids, wanted);
    assert!(
        describe.components.iter().all(|it| it.role == "builder" && it.operations == ["build"])
    );
}
