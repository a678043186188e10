//! Waiting for something to become true, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything a test waits for takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until `look` finds something.
///
/// # Panics
/// After `deadline`, naming `what`.
pub fn until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < deadline, "{what}: not within {deadline:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
