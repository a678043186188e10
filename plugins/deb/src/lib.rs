//! Packages of Debian and its relatives: from an apt repository into one of ours, and out again for apt.
//!
//! Parsers first: [`control`] is the syntax of all of apt's files, [`release`] the file that vouches for the others,
//! [`version`] which version is newer, [`package`] a `.deb` from within, [`unpack`] compressed bytes within limits. On
//! them stand the components `importer` and `distributor`. The plugin opens no connection and moves no package: it says
//! what is where, the host fetches, compares and stores.

pub mod control;
mod distributor;
mod importer;
mod names;
pub mod package;
pub mod relation;
pub mod release;
mod types;
pub mod unpack;
pub mod version;

use wharf_sdk::Plugin;

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/deb.json"))
        .importer("importer", importer::Archives)
        .distributor("distributor", distributor::Archives)
}
