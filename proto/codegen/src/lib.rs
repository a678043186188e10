//! Generates the Rust of the contract. `cargo run -p wharf-codegen` rewrites `proto/src/gen` and the code of services
//! that only tests and examples speak; a test of this crate fails when the checked-in code is not what the `.proto` files give.
//! Never part of a product build.

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

/// go-plugin's own services, relative to `proto/`.
const GO_PLUGIN: &[&str] = &[
    "goplugin/broker.proto",
    "goplugin/controller.proto",
    "goplugin/health.proto",
    "goplugin/stdio.proto",
];

/// The contract, relative to `proto/`.
const CONTRACT: &[&str] = &[
    "wharf/v1/action.proto",
    "wharf/v1/builder.proto",
    "wharf/v1/distributor.proto",
    "wharf/v1/event.proto",
    "wharf/v1/host.proto",
    "wharf/v1/importer.proto",
    "wharf/v1/model.proto",
    "wharf/v1/plugin.proto",
];

/// The names of the generated files. Those that end in `.bin` are descriptor sets, for reflection.
pub const GENERATED: &[&str] =
    &["goplugin.bin", "grpc.health.v1.rs", "plugin.rs", "wharf.v1.bin", "wharf.v1.rs"];

/// A service that only tests and examples speak.
pub struct Sample {
    /// The folder of the `.proto` file, relative to the checkout; the generated files go into its folder `gen`.
    pub folder: &'static str,
    /// The `.proto` file in it.
    pub proto: &'static str,
    /// The names of the generated files: code, and a descriptor set.
    pub generated: [&'static str; 2],
}

/// The services that only tests and examples speak.
pub const SAMPLES: &[Sample] = &[
    Sample { folder: "proto/examples/kv", proto: "kv.proto", generated: ["kv.v1.rs", "kv.v1.bin"] },
    Sample {
        folder: "sdk/rust/examples/probe-plugin",
        proto: "probe.proto",
        generated: ["probe.v1.rs", "probe.v1.bin"],
    },
    Sample {
        folder: "tests/bench/peers",
        proto: "peer.proto",
        generated: ["interop.v1.rs", "interop.v1.bin"],
    },
    Sample {
        folder: "tests/interop/proto",
        proto: "interop.proto",
        generated: ["interop.v1.rs", "interop.v1.bin"],
    },
];

/// The folder `proto/` of this checkout.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compiles the `.proto` files of go-plugin and of the contract, and writes the generated files into `out`.
pub fn generate(out: &Path) -> Result<(), Error> {
    let files = [GO_PLUGIN, CONTRACT].concat();
    let descriptors = protox::compile(files, [proto_dir()])?;
    let write = |source| Error::Write { path: out.to_owned(), source };
    tonic_prost_build::configure()
        .out_dir(out)
        .bytes(".wharf.v1.Content.chunk")
        .bytes(".wharf.v1.ArtifactChunk.data")
        .compile_fds(descriptors)
        .map_err(write)?;
    for (name, files) in [("goplugin.bin", GO_PLUGIN), ("wharf.v1.bin", CONTRACT)] {
        std::fs::write(out.join(name), descriptor_set(files, &proto_dir())?).map_err(write)?;
    }
    Ok(())
}

impl Sample {
    /// The folder of the checked-in code.
    pub fn dir(&self) -> PathBuf {
        self.source().join("gen")
    }

    fn source(&self) -> PathBuf {
        proto_dir().join("..").join(self.folder)
    }

    /// Compiles the `.proto` file and writes the generated files into `out`.
    pub fn generate(&self, out: &Path) -> Result<(), Error> {
        let write = |source| Error::Write { path: out.to_owned(), source };
        let descriptors = protox::compile([self.proto], [self.source()])?;
        tonic_prost_build::configure().out_dir(out).compile_fds(descriptors).map_err(write)?;
        let set = descriptor_set(&[self.proto], &self.source())?;
        let [_code, name] = self.generated;
        std::fs::write(out.join(name), set).map_err(write)
    }
}

/// Files and what they import, without comments: what reflection answers with.
fn descriptor_set(files: &[&str], folder: &Path) -> Result<Vec<u8>, Error> {
    let mut compiler = protox::Compiler::new([folder])?;
    compiler.include_imports(true).include_source_info(false).open_files(files)?;
    Ok(compiler.encode_file_descriptor_set())
}
