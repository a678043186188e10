//! Whether the runtime answers: a call that prints more than the pipe holds stops the thread that it runs on, and that
//! may be the very thread that would hand out what was printed. By default it is the only one; among several it may
//! keep the connection's task, which it woke last and which no other takes from it.

use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeMetrics};

/// A thread that has done nothing else for so long is stopped.
const PATIENCE: Duration = Duration::from_millis(100);

/// Watches the threads of a runtime.
pub(super) struct Pulse {
    runtime: RuntimeMetrics,
    workers: Vec<Worker>,
}

/// What a thread was last seen at.
#[derive(Clone, Copy)]
struct Worker {
    /// How often it went to sleep and woke up: odd while it sleeps.
    turns: u64,
    /// How long its tasks ran, as counted between them.
    busy: Duration,
    since: Instant,
}

impl Pulse {
    pub(super) fn of(runtime: &Handle) -> Self {
        let runtime = runtime.metrics();
        let workers = (0..runtime.num_workers()).map(|number| Worker::of(&runtime, number));
        Self { workers: workers.collect(), runtime }
    }

    /// Whether one of the threads does not come back from what it runs.
    pub(super) fn is_still(&mut self) -> bool {
        let Self { runtime, workers } = self;
        // Every one is looked at, so that none is taken for stopped because nobody has looked for long.
        let still = workers.iter_mut().enumerate().filter_map(|(number, worker)| {
            worker.look(Worker::of(runtime, number)).then_some(number)
        });
        still.count() > 0
    }
}

impl Worker {
    fn of(runtime: &RuntimeMetrics, number: usize) -> Self {
        Self {
            turns: runtime.worker_park_unpark_count(number),
            busy: runtime.worker_total_busy_duration(number),
            since: Instant::now(),
        }
    }

    fn look(&mut self, now: Self) -> bool {
        let sleeps = now.turns % 2 == 1;
        if sleeps || (now.turns, now.busy) != (self.turns, self.busy) {
            *self = now;
        }
        self.since.elapsed() > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::thread;

    use tokio::task::JoinSet;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    fn until(what: impl Fn(bool) -> bool, pulse: &mut Pulse) {
        let end = Instant::now() + DEADLINE;
        while !what(pulse.is_still()) {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_runtime_that_is_held_up_is_noticed_until_it_goes_on() {
        let mut pulse = Pulse::of(&Handle::current());
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

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_thread_of_several_is_noticed_while_the_other_answers() {
        let mut pulse = Pulse::of(&Handle::current());
        let (go_on, held_up) = sync_channel::<()>(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { held_up.recv_timeout(DEADLINE) });
        let noticed = tokio::task::spawn_blocking(move || {
            until(|still| still, &mut pulse);
            pulse
        });
        let mut pulse = noticed.await.unwrap();
        go_on.send(()).unwrap();
        tasks.join_next().await.unwrap().unwrap().unwrap();
        until(|still| !still, &mut pulse);
    }

    #[test]
    fn only_a_thread_that_is_awake_can_be_stopped() {
        let now = Instant::now();
        let before = now.checked_sub(2 * PATIENCE).unwrap();
        let worker = |turns, since| Worker { turns, busy: Duration::ZERO, since };
        assert!(worker(2, before).look(worker(2, now)));
        assert!(!worker(3, before).look(worker(3, now)));
        assert!(!worker(2, before).look(worker(4, now)));
    }
}
