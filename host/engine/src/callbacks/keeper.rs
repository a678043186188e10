//! The one task that sends what is due.
//!
//! It sleeps until the next time that is due, or until a job changes, an attempt ends, or the host stops. Attempts are
//! few at a time, and fewer at one host: a receiver that does not answer keeps its own places busy, and no others (F154).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

use super::backoff::LONGEST;
use super::config::millis;
use super::send::send;
use crate::clock;
use crate::engine::Inner;
use crate::problem::Problem;

/// The longest sleep: the wall clock may be set meanwhile (F175).
const LOOK: Duration = Duration::from_mins(10);
/// Before another look when the store cannot be asked.
const TROUBLE: Duration = Duration::from_secs(30);

/// Sends what is due until the engine stops.
pub(crate) async fn keep(engine: Arc<Inner>) {
    let mut sending = Sending::default();
    while !engine.stop.is_cancelled() {
        let wait = sending.fill(&engine).await.unwrap_or_else(|problem| {
            tracing::error!(%problem, "callbacks cannot be looked for");
            TROUBLE
        });
        tokio::select! {
            () = engine.stop.cancelled() => {}
            () = engine.callbacks.changed.notified() => {}
            Some(ended) = sending.tasks.join_next_with_id() => sending.ended(ended),
            () = tokio::time::sleep(wait) => {}
        }
    }
    while sending.tasks.join_next().await.is_some() {}
}

/// The attempts under way.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    /// Which delivery, and to whom.
    of: HashMap<Id, (i64, String)>,
    /// Deliveries that met a bug. The next host tries them.
    broken: Vec<i64>,
}

impl Sending {
    /// Begins what is due, as far as there is room, and says how long nothing else will be.
    async fn fill(&mut self, engine: &Arc<Inner>) -> Result<Duration, Problem> {
        if engine.callbacks_wait() {
            return Ok(LOOK);
        }
        let (config, meta) = (&engine.config.callbacks, &engine.store.meta);
        let now_ms = clock::now_ms();
        let times = (now_ms, now_ms.saturating_add(millis(LONGEST)));
        loop {
            let room = config.parallel.saturating_sub(self.tasks.len());
            if room == 0 {
                break;
            }
            let full = self.full(config.per_origin);
            let due = meta.due_deliveries(times, self.deliveries(), full, room).await?;
            if due.is_empty() {
                break;
            }
            for one in due {
                if self.at(&one.origin) < config.per_origin {
                    let (id, origin) = (one.id, one.origin.clone());
                    let task = self.tasks.spawn(send(Arc::clone(engine), one));
                    self.of.insert(task.id(), (id, origin));
                }
            }
        }
        let next_ms = meta.next_delivery(now_ms).await?;
        let wait = next_ms.map_or(LOOK, |next_ms| {
            Duration::from_millis(next_ms.saturating_sub(now_ms).unsigned_abs())
        });
        Ok(wait.min(LOOK))
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        match ended {
            Ok((task, ())) => drop(self.of.remove(&task)),
            Err(error) => {
                tracing::error!(%error, "sending a callback met a bug");
                self.broken.extend(self.of.remove(&error.id()).map(|(delivery, _origin)| delivery));
            }
        }
    }

    fn deliveries(&self) -> Vec<i64> {
        self.of.values().map(|(delivery, _origin)| *delivery).chain(self.broken.clone()).collect()
    }

    /// Attempts under way at one receiver.
    fn at(&self, origin: &str) -> usize {
        self.of.values().filter(|(_delivery, at)| at == origin).count()
    }

    /// Receivers that are told enough for now.
    fn full(&self, per_origin: usize) -> Vec<String> {
        let mut origins: Vec<&String> = self.of.values().map(|(_delivery, at)| at).collect();
        origins.sort_unstable();
        origins.dedup();
        origins.into_iter().filter(|origin| self.at(origin) >= per_origin).cloned().collect()
    }
}
