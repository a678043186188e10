//! What a server can do wrong.

use std::time::Duration;

/// How one request is answered wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trick {
    /// The full length is announced; the connection ends after so many bytes of the body.
    Cut(usize),
    /// The full length is announced; after so many bytes nothing more comes until it is released, or for two minutes.
    Stall(usize),
    /// Nothing is answered until it is released, or for two minutes; then all is well.
    Hold,
    /// The body is so many bytes shorter than the file, and the announced length with it.
    Short(usize),
    /// The body is so many bytes longer than the file, and the announced length with it.
    Long(usize),
    /// A body without announced length that does not end by itself: so many bytes.
    Endless(u64),
    /// Other bytes of the right length.
    WrongBytes,
    /// Other bytes instead of the file's.
    Instead(Vec<u8>),
    /// These bytes instead of the file's, and `Content-Encoding: gzip`.
    Packed(Vec<u8>),
    /// A status with further headers and an empty body.
    Status(u16, Vec<(String, String)>),
    /// A redirect to this address.
    Redirect(String),
    /// The file, but no range and no validator is honoured.
    Plain,
    /// The connection ends without an answer.
    HangUp,
    /// The file, so many bytes at a time, with this pause behind each piece.
    Drip(usize, Duration),
    /// The file, with these headers more.
    Headers(Vec<(String, String)>),
}

impl Trick {
    /// 503, and when to come back.
    #[must_use]
    pub fn unavailable(retry_after: &str) -> Self {
        Self::Status(503, vec![("Retry-After".to_owned(), retry_after.to_owned())])
    }
}
