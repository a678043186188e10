//! Brings images to providers: container registries, S3-compatible storage, OpenStack's Glance, and folders.
//!
//! One component for each, all distributors of profile push: [`oci`], [`s3`], [`glance`], [`folder`]. Each finds the
//! image that the call is about (`image`), streams its bytes out of the host's store (`stream`) and answers what the
//! provider calls it. All HTTP goes through `http`: one client, bounded retries, errors that say what to do. What was
//! begun and not ended, by a stop or an error, is taken back at the provider (`undo`); what a dead process left there is
//! known by its name and taken away by the next try.
//!
//! Never holds an image in memory, never writes one to the disk of this machine but where the user wants a folder, and
//! sends secrets to nobody but the provider that the settings name.

mod folder;
mod glance;
mod http;
mod image;
mod oci;
mod s3;
mod secret;
mod stream;
mod undo;

use wharf_sdk::Plugin;

/// The plugin, ready to serve or to test.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json"))
        .distributor("oci-registry", oci::Registry)
        .distributor("s3", s3::Storage)
        .distributor("glance", glance::Glance)
        .distributor("folder", folder::Shelf)
}
