//! The wall clock, read in one place. For people, for metadata and for schedules; order and deadlines never depend on it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The clock that schedules go by: the wall clock, unless a test brings its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that shows what `now_ms` says: milliseconds since 1970.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// The time, in whole milliseconds as it is stored.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond((self.0)()).unwrap_or_default()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(now_ms)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
