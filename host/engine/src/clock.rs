//! The wall clock, read in one place. For people and metadata only: order and deadlines never depend on it.

use jiff::Timestamp;

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
