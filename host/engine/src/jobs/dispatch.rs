//! The one task that starts queued jobs and joins them when they end.

use std::sync::Arc;

use tokio::task::JoinSet;
use wharf_store::model::JobId;

use super::worker;
use crate::engine::Inner;

/// Starts jobs until the engine stops, then waits for those that run.
pub(crate) async fn dispatch(engine: Arc<Inner>) {
    let mut running = JoinSet::new();
    while !engine.stop.is_cancelled() {
        while let Some(job) = engine.board.start_next(engine.config.jobs) {
            running.spawn(worker::work(Arc::clone(&engine), job));
        }
        tokio::select! {
            () = engine.board.changed.notified() => {}
            () = engine.stop.cancelled() => {}
            Some(_ended) = running.join_next() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

impl super::Board {
    fn start_next(&self, width: usize) -> Option<JobId> {
        let mut state = self.state();
        if state.waits { None } else { state.queue.next(width) }
    }

    /// What a worker needs to run a job that was started.
    pub(super) fn live(&self, job: JobId) -> Option<LiveHandle> {
        let state = self.state();
        let live = state.live.get(&job)?;
        Some(LiveHandle { view: live.view.clone(), cancel: live.cancel.clone() })
    }
}

/// How a worker shows what its job does and learns that it is to stop.
pub(super) struct LiveHandle {
    pub(super) view: tokio::sync::watch::Sender<super::view::JobView>,
    pub(super) cancel: tokio_util::sync::CancellationToken,
}
