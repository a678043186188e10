//! What the other side announced and nobody has dialled yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{debug, warn};
use wharf_proto::handshake::Network;

use super::WINDOW;
use crate::listen::Address;

/// Announcements at a time.
const MAX_SLOTS: usize = 1_024;
/// A path's length has this bound, a name's a smaller one. Source: limits.h.
const MAX_ADDRESS: usize = 4_096;

#[derive(Default)]
pub(super) struct Slots {
    announced: Mutex<HashMap<u32, (Address, Instant)>>,
    changed: Notify,
}

impl Slots {
    /// Keeps an announcement for [`WINDOW`]. A second one before the first is taken is dropped.
    pub(super) fn put(&self, id: u32, network: &str, address: String) {
        let Some(network) = Network::from_word(network) else {
            warn!(id, network, "an announcement of an unknown network was dropped");
            return;
        };
        let mut announced = self.lock();
        announced.retain(|_, (_, when)| when.elapsed() < WINDOW);
        let full = announced.len() >= MAX_SLOTS || address.len() > MAX_ADDRESS;
        if full || announced.contains_key(&id) {
            debug!(id, "an announcement too many was dropped");
            return;
        }
        announced.insert(id, (Address { network, text: address }, Instant::now()));
        drop(announced);
        self.changed.notify_waiters();
    }

    /// Takes the announcement of `id`, waiting for it as long as the caller does.
    pub(super) async fn take(&self, id: u32) -> Address {
        loop {
            // Made before the look, so that nothing is missed in between.
            let changed = self.changed.notified();
            let found = self.lock().remove(&id).filter(|(_, when)| when.elapsed() < WINDOW);
            if let Some((address, _)) = found {
                return address;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, (Address, Instant)>> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    async fn taken(slots: &Slots, id: u32) -> Option<String> {
        timeout(WINDOW, slots.take(id)).await.ok().map(|address| address.text)
    }

    // H64, H65, P39
    #[tokio::test(start_paused = true)]
    async fn announcement_and_dial_may_be_five_seconds_apart_in_either_order() {
        let slots = Slots::default();
        slots.put(1, "unix", "/early".into());
        advance(Duration::from_secs(3)).await;
        assert_eq!(taken(&slots, 1).await.as_deref(), Some("/early"));

        let begun = Instant::now();
        let late = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            slots.put(2, "tcp", "127.0.0.1:1".into());
        };
        let (address, ()) = tokio::join!(taken(&slots, 2), late);
        assert_eq!(address.as_deref(), Some("127.0.0.1:1"));
        assert_eq!(begun.elapsed(), Duration::from_secs(3));

        slots.put(3, "unix", "/too-early".into());
        advance(Duration::from_secs(6)).await;
        assert_eq!(taken(&slots, 3).await, None);
    }

    // H66, P39
    #[tokio::test(start_paused = true)]
    async fn an_announcement_is_good_for_one_dial() {
        let slots = Slots::default();
        slots.put(1, "unix", "/first".into());
        slots.put(1, "unix", "/dropped".into());
        assert_eq!(taken(&slots, 1).await.as_deref(), Some("/first"));
        assert_eq!(taken(&slots, 1).await, None);
        slots.put(1, "unix", "/again".into());
        assert_eq!(taken(&slots, 1).await.as_deref(), Some("/again"));
    }

    // X6
    #[tokio::test(start_paused = true)]
    async fn a_flood_of_announcements_is_bounded_and_passes() {
        let slots = Slots::default();
        for id in 0..2_000 {
            slots.put(id, "unix", "/flood".into());
        }
        assert_eq!(slots.lock().len(), MAX_SLOTS);
        slots.put(7, "udp", "/nonsense".into());
        advance(WINDOW).await;
        slots.put(7, "unix", "x".repeat(MAX_ADDRESS + 1));
        slots.put(20_000, "unix", "/after".into());
        assert_eq!(slots.lock().len(), 1);
    }
}
