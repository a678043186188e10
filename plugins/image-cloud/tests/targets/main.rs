//! Every target, made of a small base image and looked at with the tools that its users have.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "tests run the tools that users have")]

mod base;
mod cancel;
mod containers;
mod disks;
mod filesystems;
mod manifest;
mod packed;
mod refusals;
mod tools;
