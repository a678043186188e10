//! The contract between wharf and its plugins: the messages (`v1`), go-plugin's own services (`goplugin`), the
//! handshake line and environment (`handshake`), and the TLS that both sides use (`tls`).
//!
//! Never opens a socket, starts a process or prints: those who do use this crate.

pub mod handshake;
pub mod tls;

/// The services of package `wharf.v1`. Source: `proto/wharf/v1/*.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod v1 {
    include!("gen/wharf.v1.rs");

    /// The encoded descriptors of this package, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/wharf.v1.bin");
}

/// go-plugin's own services, package `plugin`. Source: `proto/goplugin/*.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod goplugin {
    include!("gen/plugin.rs");

    /// The encoded descriptors of this package and of gRPC health checking, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/goplugin.bin");
}

/// gRPC health checking. Source: `proto/goplugin/health.proto`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod health {
    include!("gen/grpc.health.v1.rs");
}

/// The environment variable of wharf's magic cookie.
pub const COOKIE_KEY: &str = "WHARF_PLUGIN";

/// The value of wharf's magic cookie: it tells a plugin that a host started it, and protects nothing.
pub const COOKIE_VALUE: &str = "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e";

/// The application protocol versions of this contract.
pub const APP_PROTOCOL_VERSIONS: &[u32] = &[1];

/// The most entries that one message may carry.
pub const MAX_BATCH: usize = 1_000;

/// The most bytes that one message may carry.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The most bytes of a file that may travel inside a message.
pub const MAX_INLINE_BYTES: usize = 64 << 10;

/// The metadata key of a job's token.
pub const TOKEN_HEADER: &str = "wharf-token";
