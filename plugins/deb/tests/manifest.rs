//! `plugin.json` and the program agree, and so do the types and their units.

use wharf_plugin_deb::plugin;
use wharf_sdk::testing::{FakeHost, Harness};

#[tokio::test]
async fn the_plugin_describes_itself_as_its_manifest_does() {
    let describe = Harness::start(plugin(), FakeHost::new()).describe().await;
    assert_eq!(
        (describe.name.as_str(), describe.version.as_str()),
        ("deb", env!("CARGO_PKG_VERSION"))
    );
    let components: Vec<_> = describe
        .components
        .iter()
        .map(|it| (it.id.as_str(), it.role.as_str(), it.operations.join(" ")))
        .collect();
    assert_eq!(
        components,
        [
            ("importer", "importer", "sync upload resolve".to_owned()),
            ("distributor", "distributor", "publish sign".to_owned()),
        ]
    );
    assert_eq!(describe.types, ["deb", "deb_source", "deb_index", "deb_file", "deb_release"]);
}
