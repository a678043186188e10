//! Python packages: from a simple repository API into a repository, and out again as one.
//!
//! Two components: `importer` reads project pages ([`index`] are the formats, [`filename`] what file names say,
//! [`filter`](mod@filter) and [`takes`] what is wanted) and declares their files; `distributor` writes the pages of the
//! projects that a version holds. The plugin never opens a connection: it says what is where, the host moves the bytes
//! and holds them against their digests. Only what users upload is opened ([`package`]), as far as its metadata.

mod distributor;
pub mod filename;
pub mod filter;
mod importer;
pub mod index;
pub mod name;
pub mod package;
pub mod takes;
mod unit;

use wharf_sdk::Plugin;

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/python.json"))
        .importer("importer", importer::Indexes)
        .distributor("distributor", distributor::Simple)
}
