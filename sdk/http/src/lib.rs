//! HTTP for plugins that talk to a server which their settings name, and hand it a user's password or key.
//!
//! What such plugins must all do alike is here: one client that sends credentials nowhere else (`client`), whom it trusts
//! (`authorities`), which addresses will do ([`address`]), what a broken connection was about ([`Lost`]), which bytes a
//! partial answer holds ([`content_range`]) and how long a server wants to be left alone ([`retry_after`]). Requests, patience, and what people are told are the plugins' own: they
//! differ with the service. It reads no file, no variable of the environment, and never retries.
//!
//! The way through: [`address`] when settings are checked, then [`resolves`], [`trusted`] and [`Plan::client`] when a session
//! begins, [`Lost::of`] for every `reqwest::Error`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod address;
mod authorities;
mod client;
mod header;
mod lost;

pub use address::{AddressError, address, is_in_the_clear, resolves};
pub use authorities::{CertificateError, given, machine, trusted};
pub use client::Plan;
pub use header::{content_range, retry_after};
pub use lost::{Lost, find};
