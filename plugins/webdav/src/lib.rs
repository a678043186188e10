//! Files of a WebDAV folder, over HTTP.
//!
//! One component, `importer`, in the style list and fetch: `walk` lists the folder with all below it, one request for each
//! folder; [`multistatus`] reads what comes back, [`layout`] makes paths ([`place`]) and revisions ([`revision`]) of it, and
//! the host fetches only what has another revision than before. `fetch` hands out a file's bytes. Every request goes
//! through `session`; what the server or the network does wrong is told by `failure`. The plugin never changes anything
//! on a server, never asks for an address that a server wrote (all are put together from names, below the one of the
//! settings), and opens no file of this machine but those that it stages in the job's folder.

mod failure;
mod fetch;
mod head;
mod importer;
pub mod layout;
pub mod multistatus;
pub mod place;
pub mod revision;
mod session;
mod settings;
mod walk;

use wharf_sdk::Plugin;

/// The type of all units of this plugin.
const FILE: &str = "webdav_file";

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/webdav.json"))
        .importer("importer", importer::Folders::default())
}
