//! What one job pushes, as it is kept with the job, and what it is about. Where to is the job's component.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_store::model::Job;

use super::{OPERATION, UNPUBLISH, unpublish};
use crate::jobs::view::Subject;

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

/// What a job pushes, or takes away.
pub(crate) fn subject(job: &Job) -> Option<Subject> {
    let (image, after) = match job.operation.as_str() {
        OPERATION => match serde_json::from_str::<Order>(&job.arguments).ok()?.image {
            Image::Job(job) => (None, Some(job)),
            Image::Unit(image) => (Some(image), None),
        },
        UNPUBLISH => {
            let order: unpublish::Order = serde_json::from_str(&job.arguments).ok()?;
            (Some(order.pushed), None)
        }
        _ => return None,
    };
    Some(Subject { image, after, ..Subject::default() })
}
