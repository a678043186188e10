//! How long a call may take, and how it is called off.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The limits of one call.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// For the whole call. `None`: no limit, as long as the plugin keeps sending.
    pub deadline: Option<Duration>,
    /// For the answer of a short call, and between two whole messages of a long one (F36).
    pub stall: Duration,
    /// Calls it off.
    pub cancel: CancellationToken,
}

impl Bounds {
    /// Only silence is limited.
    pub fn new(stall: Duration) -> Self {
        Self { deadline: None, stall, cancel: CancellationToken::new() }
    }

    /// Limits the whole call.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Lets this token call it off.
    #[must_use]
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }
}
