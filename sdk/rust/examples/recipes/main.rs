//! The plugin of the author's guide (`GUIDE.md`), at its end: version 2. `recipes-1` is the version before.

mod distributor;
mod importer;
mod index;
mod migrations;
mod recipe;
mod resolve;
mod upload;

use wharf_sdk::Plugin;

pub(crate) fn plugin() -> Plugin {
    Plugin::new(include_str!("plugin.json"))
        .types(include_str!("types/recipe.json"))
        .importer("importer", importer::Indexes)
        .distributor("distributor", distributor::Trees)
        .migrations(migrations::Changes)
}

fn main() -> std::process::ExitCode {
    plugin().serve()
}
