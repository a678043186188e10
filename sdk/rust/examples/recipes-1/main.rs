//! Version 1 of the plugin of the author's guide: what `recipes` was before its times became numbers.

#[path = "../recipes/distributor.rs"]
mod distributor;
#[path = "../recipes/importer.rs"]
mod importer;
#[path = "../recipes/index.rs"]
mod index;
mod recipe;
#[path = "../recipes/resolve.rs"]
mod resolve;
#[path = "../recipes/upload.rs"]
mod upload;

use wharf_sdk::Plugin;

pub(crate) fn plugin() -> Plugin {
    Plugin::new(include_str!("plugin.json"))
        .types(include_str!("types/recipe.json"))
        .importer("importer", importer::Indexes)
        .distributor("distributor", distributor::Trees)
}

fn main() -> std::process::ExitCode {
    plugin().serve()
}
