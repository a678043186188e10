//! The contract of the key-value example, shared by its plugin (`sdk/rust/examples/kv.rs`) and its host
//! (`host/supervisor/examples/kv-host.rs`): what `tonic-prost-build` makes of `kv.proto`.
//!
//! A crate of your own has a `build.rs` instead of checked-in code: see `sdk/rust/GO-PLUGIN.md`, whose code is tested
//! here.

#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

include!("../gen/kv.v1.rs");

/// The descriptors of the contract, for tools that ask a plugin what it offers: gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("../gen/kv.v1.bin");

#[cfg(doctest)]
#[doc = include_str!("../../../../sdk/rust/GO-PLUGIN.md")]
mod guide {}
