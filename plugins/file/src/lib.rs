//! Trees of files: from a `PULP_MANIFEST` or a folder into a repository, and out again as a tree.
//!
//! Three components: `importer` reads a manifest and declares what it lists ([`manifest`] is the format),
//! `folder` lists a folder, `distributor` publishes. The plugin never opens a connection and never copies a
//! file: it says what is where, the host moves the bytes and holds them against their digests.

mod distributor;
mod folder;
mod importer;
pub mod manifest;
mod path;

use wharf_sdk::Plugin;

/// The type of all units of this plugin.
const FILE: &str = "file";

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/file.json"))
        .importer("importer", importer::Manifests)
        .importer("folder", folder::Folders)
        .distributor("distributor", distributor::Trees)
}
