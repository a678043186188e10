//! Callbacks: addresses that are told how a job goes, and what became of each event that they were to be told.

use super::{JobId, JobState};

/// An address that is to be told of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCallback {
    /// Where events are sent to.
    pub url: String,
    /// Its scheme, host and port: who is told.
    pub origin: String,
    /// The name of the secret that signs; none: nothing is signed.
    pub secret: Option<String>,
}

/// An address that is told of a job, with all that it was told or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Its number among those of the job, from 1 on.
    pub n: u32,
    /// Where events are sent to.
    pub url: String,
    /// The name of the secret that signs.
    pub secret: Option<String>,
    /// The receiver said that it wants no more.
    pub gone: bool,
    /// One for each event, in their order.
    pub deliveries: Vec<Delivery>,
}

/// What became of telling one event to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What the receiver knows the event by, the same in every attempt.
    pub event: String,
    /// The state that the job came into.
    pub state: JobState,
    /// When it did: milliseconds since 1970.
    pub created_ms: i64,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Attempts since it was last set to wait.
    pub attempts: u32,
    /// When the next attempt is due: milliseconds since 1970. None: it does not wait.
    pub next_ms: Option<i64>,
    /// When the last attempt ended: milliseconds since 1970.
    pub last_ms: Option<i64>,
    /// What the last attempt was answered with; none: it had no answer.
    pub status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// An attempt is due, or will be.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// No attempt is made any more.
    GivenUp,
}

impl DeliveryOutcome {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The word for it, as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// The outcome that this word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// An event that is to be sent now. It is the oldest that its job's address has not been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// The number of the row.
    pub id: i64,
    /// What the receiver knows the event by.
    pub event: String,
    /// The job that it is about.
    pub job: JobId,
    /// The number of the address among those of the job.
    pub n: u32,
    /// The state that the job came into.
    pub state: JobState,
    /// How often the job had been started then.
    pub job_attempts: u32,
    /// When the job had last been started then: milliseconds since 1970.
    pub job_started_ms: Option<i64>,
    /// When the job came into the state: milliseconds since 1970.
    pub created_ms: i64,
    /// Attempts that were made.
    pub attempts: u32,
    /// Where to.
    pub url: String,
    /// Its scheme, host and port.
    pub origin: String,
    /// The name of the secret that signs.
    pub secret: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// What it was answered with.
    pub status: Option<u16>,
    /// What follows.
    pub verdict: Verdict,
}

/// What follows from an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It failed, and another one is made.
    Again {
        /// When: milliseconds since 1970.
        next_ms: i64,
        /// Why it failed.
        error: String,
    },
    /// It failed, and neither this event nor those that wait behind it are sent any more.
    GivenUp {
        /// Why.
        error: String,
        /// The receiver wants none of those to come either.
        gone: bool,
    },
}

/// What waits to be sent, over all jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitingDeliveries {
    /// How many.
    pub count: u64,
    /// When the first of them is due: milliseconds since 1970.
    pub first_ms: Option<i64>,
}
