//! What a receiver is sent: which event, when, and the job as it was then.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use wharf_store::model::{DueDelivery, Job};

use crate::engine::{Engine, Inner};
use crate::jobs::stored_view;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use crate::units::UnitView;

/// How a job, and the unit that it made, are shown to those who are told of it: as the edge that serves an API shows
/// them there.
#[derive(Clone)]
pub struct Document(Arc<dyn Fn(JobView, Option<UnitView>) -> Value + Send + Sync>);

impl Document {
    /// What this makes of them. It must not block.
    pub fn new(show: impl Fn(JobView, Option<UnitView>) -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(show))
    }
}

impl Default for Document {
    /// The view of the job alone.
    fn default() -> Self {
        Self::new(|job, _unit| serde_json::to_value(job).unwrap_or_default())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document")
    }
}

/// The body of a request; none: the job is forgotten.
pub(super) async fn body(
    engine: &Arc<Inner>,
    due: &DueDelivery,
) -> Result<Option<Vec<u8>>, Problem> {
    let Some(job) = engine.store.meta.job(due.job).await? else { return Ok(None) };
    let view = as_it_was(&job, due);
    let unit = match view.result.as_ref().and_then(|result| result.unit) {
        // One that is gone by now is told of by its number.
        Some(id) => Engine { inner: Arc::clone(engine) }.unit(id).await.ok(),
        None => None,
    };
    let time = Timestamp::from_millisecond(due.created_ms).unwrap_or_default();
    let Document(show) = &engine.config.callbacks.document;
    let event = json!({
        "type": format!("job.{}", due.state),
        "timestamp": time.to_string(),
        "data": show(view, unit),
    });
    Ok(Some(serde_json::to_vec(&event)?))
}

/// A job that has ended does not change any more; what one had not yet done before is left out.
fn as_it_was(job: &Job, due: &DueDelivery) -> JobView {
    let view = stored_view(job);
    if due.state.is_end() {
        return view;
    }
    JobView {
        state: due.state,
        attempts: due.job_attempts,
        started_ms: due.job_started_ms,
        finished_ms: None,
        result: None,
        problem: None,
        plugin: None,
        ..view
    }
}
