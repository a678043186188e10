//! What one job pushes, as it is kept with the job, and what it must wait for. Where to is the job's component.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_store::model::{Job, JobId};

use super::OPERATION;

/// The image that is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Image {
    /// What this job builds.
    Job(i64),
    /// This unit.
    Unit(i64),
}

/// One push.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) image: Image,
    /// What the component is told besides its instance's settings.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) parameters: Map<String, Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) again: bool,
}

/// The job that this one has to wait for.
pub(crate) fn after(job: &Job) -> Option<JobId> {
    let order = (job.operation == OPERATION).then_some(&job.arguments);
    let order: Order = serde_json::from_str(order?).ok()?;
    match order.image {
        Image::Job(job) => Some(JobId(job)),
        Image::Unit(_) => None,
    }
}
