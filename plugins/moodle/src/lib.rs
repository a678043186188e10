//! Files of the courses on a Moodle site, over its web service.
//!
//! One component, `importer`, in the style list and fetch: `importer` asks which courses there are and what they hold,
//! [`answer`] reads what comes back, and [`layout`] makes paths ([`place`]), addresses ([`address`]) and revisions
//! ([`revision`]) of it, all out of the one listing. `fetch` hands out a file's bytes. Every request goes through
//! `service`, over the connections that `session` keeps for the process; what the site or the network does wrong is told
//! by `failure`. The plugin never writes to a site, never sends the user's key anywhere but to the site that the settings
//! name, in the body of a request and never in an address, and never opens a file of this machine.

pub mod address;
pub mod answer;
mod failure;
mod fetch;
mod importer;
pub mod layout;
pub mod place;
pub mod revision;
mod service;
mod session;
mod settings;

use wharf_sdk::Plugin;

/// The type of all units of this plugin.
const FILE: &str = "moodle_file";

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .types(include_str!("../types/moodle.json"))
        .importer("importer", importer::Courses::default())
}
