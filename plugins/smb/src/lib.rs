//! Files of a Windows file share, over SMB 2 or 3.
//!
//! One component, `importer`, in the style list and fetch: `walk` lists a folder of the share with all below it, each file
//! with a [`revision`] out of what the listing says anyway, and the host fetches only what has another one than before.
//! `fetch` hands out a file's bytes. Both talk over the one connection that `session` keeps for the process; what the
//! server or the network does wrong is told by `failure`. The plugin never writes to a share, never keeps a password
//! beyond its connection, and opens no file of this machine but those that it stages in the job's folder.

mod failure;
mod fetch;
mod importer;
mod path;
mod revision;
mod session;
mod settings;
mod walk;

use wharf_sdk::Plugin;

/// The type of all units of this plugin.
const FILE: &str = "smb_file";

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/smb.json"))
        .importer("importer", importer::Shares::default())
}
