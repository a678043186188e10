//! Asks a plugin now and then whether it is still there, and kills one that does not answer (F50).
//!
//! A host that was itself stopped for a while looks for an answer once more before it blames the
//! plugin (F43).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::transport::Channel;
use tracing::warn;

use super::health::{self, Health};
use super::shared::Shared;
use crate::exit::ByHost;
use crate::patience;

/// Between two questions, when the connection failed.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Runs until it has killed the plugin, or is dropped.
pub(super) async fn beat(
    shared: Arc<Shared>,
    channel: Channel,
    every: Duration,
    patience: Duration,
) {
    loop {
        sleep(every).await;
        let asked = Instant::now();
        tokio::select! {
            biased;
            () = answer(&channel) => continue,
            () = patience::over(asked, patience) => {}
        }
        let waited = asked.elapsed();
        warn!(plugin = shared.name, pid = shared.hold.pid(), ?waited, "no heartbeat; killing it");
        shared.kill(ByHost::Unresponsive { after: waited });
        return;
    }
}

/// Waits for a sign of life, whatever it says. A connection that is refused or breaks is none.
async fn answer(channel: &Channel) {
    while let Health::Failed(_) = health::check(channel.clone()).await {
        sleep(RETRY_PAUSE).await;
    }
}
