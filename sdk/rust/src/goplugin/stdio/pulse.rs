//! Whether the runtime answers: a call that prints more than the pipe holds stops the thread that it runs on, and by
//! default that is the very thread that would hand out what was printed.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// A runtime that has not answered for so long is stopped.
const PATIENCE: Duration = Duration::from_millis(100);

/// Asks a runtime to do nothing, and looks whether it did.
pub(super) struct Pulse {
    runtime: Handle,
    /// Empty again once it answered.
    question: JoinSet<()>,
    since: Instant,
}

impl Pulse {
    pub(super) fn of(runtime: Handle) -> Self {
        Self { runtime, question: JoinSet::new(), since: Instant::now() }
    }

    /// Whether the runtime does not answer. The first look only asks.
    pub(super) fn is_still(&mut self) -> bool {
        if self.question.try_join_next().is_some() {
            return false;
        }
        if self.question.is_empty() {
            self.question.spawn_on(async {}, &self.runtime);
            self.since = Instant::now();
        }
        self.since.elapsed() > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn until(what: impl Fn(bool) -> bool, pulse: &mut Pulse) {
        let end = Instant::now() + Duration::from_secs(10);
        while !what(pulse.is_still()) {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_runtime_that_is_held_up_is_noticed_until_it_goes_on() {
        let mut pulse = Pulse::of(Handle::current());
        // This thread is the runtime, so it does not answer meanwhile.
        let mut pulse = thread::spawn(move || {
            until(|still| still, &mut pulse);
            pulse
        })
        .join()
        .unwrap();
        tokio::task::yield_now().await;
        until(|still| !still, &mut pulse);
    }
}
