//! A `.deb`: what a package says of itself.
//!
//! [`read`] finds the control archive in the outer one and the file `control` in that, as streams. It writes no file,
//! follows no link and never looks at the package's contents. Source: deb(5).

mod ar;
mod control;

pub use control::{PackageError, read};
