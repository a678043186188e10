//! Asks a plugin now and then whether it is still there, and kills one that does not answer (F50).
//!
//! A host that was itself stopped for a while finds its timers overdue; it then asks again before
//! it blames the plugin (F43).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tracing::warn;

use super::health;
use super::shared::Shared;
use crate::exit::ByHost;

/// A timer that is later than this was held up by our own pause.
const OWN_PAUSE: Duration = Duration::from_secs(1);

/// Runs until it has killed the plugin, or is dropped.
pub(super) async fn beat(
    shared: Arc<Shared>,
    channel: Channel,
    every: Duration,
    patience: Duration,
) {
    loop {
        let due = Instant::now() + every;
        sleep(every).await;
        if due.elapsed() > OWN_PAUSE {
            continue;
        }
        let asked = Instant::now();
        if timeout(patience, health::check(channel.clone())).await.is_ok() {
            continue;
        }
        let waited = asked.elapsed();
        if waited > patience + OWN_PAUSE {
            continue;
        }
        warn!(plugin = shared.name, pid = shared.hold.pid(), ?waited, "no heartbeat; killing it");
        shared.kill(ByHost::Unresponsive { after: waited });
        return;
    }
}
