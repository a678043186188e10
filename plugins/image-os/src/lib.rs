//! Systems from templates, made by the system's own tools, without root, loop devices or mounts of the host's.
//!
//! The way through: [`debian`] is the builder; `request` says what it is asked for, `steps` lays files and scripts
//! ready, `bootstrap` has mmdebstrap make a tree of them inside a `sandbox`, and `disk` makes the tree a disk.
//! Content that is an address is fetched by the host; the tools fetch packages.

mod bootstrap;
mod debian;
mod disk;
mod request;
mod sandbox;
mod sources;
mod steps;
mod system;

use std::time::Duration;

use wharf_sdk::Plugin;

/// A cancelled build ends its tools and removes what they made, which nobody else may.
const GRACE: Duration = Duration::from_secs(25);

/// The plugin.
pub fn plugin() -> Plugin {
    Plugin::new(include_str!("../plugin.json")).builder("debian", debian::Debian).grace(GRACE)
}
