//! `Release`: what a distribution says of itself, and the digests of all its indexes.
//!
//! Nothing of a distribution is used before it was held against these digests. Source: the repository format as
//! apt-secure(8) and Debian's wiki page on it tell it, and what apt takes.

mod clearsign;
mod date;
mod digests;
mod fields;

pub use clearsign::{ClearsignError, Signed, split};
pub use date::{read as read_date, write as write_date};
pub use digests::{Digests, Listed};
pub use fields::{KEPT, Release, ReleaseError};
