//! Callbacks: addresses that are told how jobs go.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Job, JobState, Unit};

/// An address that is to be told how the jobs of an order go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"url": "https://ci.example.org/wharf", "secret": "ci"})))]
pub struct CallbackRequest {
    /// Where events are sent to: `http` or `https`, without user, password or token.
    pub url: String,
    /// The name of the secret that signs; none: nothing is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// An address that is told how a job goes, with all that it was told or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Callback {
    /// Its number among those of the job, from 1 on.
    pub callback: u32,
    /// Where events are sent to.
    pub url: String,
    /// The name of the secret that signs; none: nothing is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The receiver said that it wants no more.
    #[serde(default)]
    pub gone: bool,
    /// One for each event, in their order.
    pub deliveries: Vec<Delivery>,
}

/// What became of telling one event to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// What the receiver knows the event by: its header `webhook-id`, the same in every attempt.
    pub id: String,
    /// `job.` and the state that the job came into: `job.running`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it did.
    pub created_ms: i64,
    /// What became of it.
    pub state: DeliveryState,
    /// Attempts since it was last set to wait.
    pub attempts: u32,
    /// When the next attempt is due, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
    /// When the last attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
    /// The HTTP status that the last attempt was answered with; none: it had no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// An attempt is due, or will be.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// No attempt is made any more.
    GivenUp,
}

/// What a callback is sent by POST. Headers, signature and this envelope are those of the Standard Webhooks
/// specification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallbackEvent {
    /// `job.` and the state that the job came into: `job.running`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it did, as RFC 3339 writes it.
    pub timestamp: String,
    /// The job as it was then.
    pub data: CallbackData,
}

/// The job of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallbackData {
    /// As `GET /api/v1/jobs/NUMBER` shows it.
    #[serde(flatten)]
    pub job: Job,
    /// The image that it made, or what is kept of it after a push, as `GET /api/v1/units/NUMBER` shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Unit>,
}

impl Delivery {
    /// The word for an event.
    pub(crate) fn kind(state: JobState) -> String {
        format!("job.{}", state.as_str())
    }
}
