//! The format `PULP_MANIFEST`: one line a file, `relative path,sha256 in hex,size in bytes`.
//!
//! Source: what Pulp 3 reads and writes, and the CSV that Pulp 2 wrote. [`mod@line`] reads and writes one line,
//! [`Reader`] a whole manifest, from any reader, within a budget of memory. Neither opens anything.

pub mod line;
mod reader;

pub use line::{Entry, LineError};
pub use reader::{MAX_ENTRIES, MAX_LINE_BYTES, Next, ReadError, Reader};
