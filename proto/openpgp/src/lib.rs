//! Signatures in the form of `OpenPGP`: which keys may make them, and which of them count.
//!
//! The library below, `pgp`, reads packets and computes; it has no opinion. The opinion is here, once for the host, which
//! signs, and for plugins, which verify: a [`Keyring`] holds a signature against the keys that a user trusts, a
//! [`SecretKey`] makes some. What counts is what apt's verifiers take too: digests of 256 bits and more, keys that are
//! bound by themselves, neither expired nor revoked, and nothing critical that is not understood (F105).
//!
//! Never opens a file, is told the time, and never writes a secret into an error or a log. Source: RFC 9580.

mod certificate;
mod error;
mod keyring;
mod policy;
mod secret;

pub use certificate::Certificate;
pub use error::{Flaw, KeyError, Refusal};
pub use keyring::{Keyring, Verified};
pub use secret::{Algorithm, Form, SecretKey};
