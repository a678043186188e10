//! Generates the Rust of the contract. `cargo run -p wharf-codegen` rewrites `proto/src/gen`; a test of this crate
//! fails when the checked-in code is not what the `.proto` files give. Never part of a product build.

use std::path::{Path, PathBuf};

/// Why no code came out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `.proto` file does not compile; the text names file, line and column.
    #[error("{0}")]
    Compile(#[from] protox::Error),
    /// Generated code could not be written.
    #[error("cannot write generated code to {path}: {source}")]
    Write {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The `.proto` files, relative to `proto/`.
pub const FILES: &[&str] = &[
    "goplugin/broker.proto",
    "goplugin/controller.proto",
    "goplugin/health.proto",
    "goplugin/stdio.proto",
    "wharf/v1/action.proto",
    "wharf/v1/builder.proto",
    "wharf/v1/distributor.proto",
    "wharf/v1/event.proto",
    "wharf/v1/host.proto",
    "wharf/v1/importer.proto",
    "wharf/v1/model.proto",
    "wharf/v1/plugin.proto",
];

/// The names of the generated files.
pub const GENERATED: &[&str] = &["grpc.health.v1.rs", "plugin.rs", "wharf.v1.rs"];

/// The folder `proto/` of this checkout.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compiles the `.proto` files and writes the generated modules into `out`.
pub fn generate(out: &Path) -> Result<(), Error> {
    let descriptors = protox::compile(FILES, [proto_dir()])?;
    tonic_prost_build::configure()
        .out_dir(out)
        .bytes(".wharf.v1.Content.chunk")
        .bytes(".wharf.v1.ArtifactChunk.data")
        .compile_fds(descriptors)
        .map_err(|source| Error::Write { path: out.to_owned(), source })
}
