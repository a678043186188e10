//! Who is connected to a listener: how many, how busy, and who must go when it is full.
//!
//! A full house asks those guests to leave that have been idle longest, so any number of idle
//! connections keeps nobody out (F142).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long to wait for a place before asking further guests to leave.
const NUDGE: Duration = Duration::from_millis(500);
/// How many guests are asked to leave at once.
const AT_ONCE: usize = 16;

/// The connections of one listener.
pub(crate) struct Guests {
    places: Arc<Semaphore>,
    opened: Instant,
    stop: CancellationToken,
    present: Mutex<HashMap<u64, Arc<Guest>>>,
    next: AtomicU64,
    /// When a guest from outside last began or ended a request, in milliseconds after `opened`,
    /// plus one; 0: never.
    outside: AtomicU64,
}

/// One connection.
pub(crate) struct Guest {
    id: u64,
    /// It comes from another process.
    outside: bool,
    leave: CancellationToken,
    /// Requests that are being answered.
    busy: AtomicU32,
    /// When it last began or ended one, in milliseconds after `opened`.
    seen: AtomicU64,
}

impl Guests {
    /// Room for `limit` connections until `stop`.
    pub(crate) fn new(limit: usize, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(limit)),
            opened: Instant::now(),
            stop,
            present: Mutex::default(),
            next: AtomicU64::new(0),
            outside: AtomicU64::new(0),
        })
    }

    /// Waits for a place. While there is none, asks idle guests to leave, a few at a time.
    ///
    /// # Cancel safety
    /// Dropping it gives no place away.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let mut round = 0;
        loop {
            round += 1;
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(place);
            }
            self.make_room(round);
            let place = Arc::clone(&self.places).acquire_owned();
            match tokio::time::timeout(NUDGE, place).await {
                Ok(place) => return place.ok(),
                Err(_elapsed) => {}
            }
        }
    }

    /// Notes a new connection, which holds `place` until its [`Stay`] is dropped. `outside`: it
    /// comes from another process.
    pub(crate) fn admit(self: &Arc<Self>, place: OwnedSemaphorePermit, outside: bool) -> Stay {
        let guest = Arc::new(Guest {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            outside,
            leave: self.stop.child_token(),
            busy: AtomicU32::new(0),
            seen: AtomicU64::new(millis(self.opened.elapsed())),
        });
        self.present().insert(guest.id, Arc::clone(&guest));
        Stay { guests: Arc::clone(self), guest, _place: place }
    }

    /// Whether no other process is being answered, nor was within this time.
    pub(crate) fn quiet(&self, span: Duration) -> bool {
        let busy = self.present().values().any(|guest| guest.outside && guest.is_busy());
        let last = self.outside.load(Ordering::Relaxed);
        let now = millis(self.opened.elapsed());
        !busy && (last == 0 || now.saturating_sub(last - 1) >= millis(span))
    }

    fn touch(&self, guest: &Guest) {
        let now = millis(self.opened.elapsed());
        guest.seen.store(now, Ordering::Relaxed);
        if guest.outside {
            self.outside.store(now + 1, Ordering::Relaxed);
        }
    }

    /// Asks the next few idle guests to leave. Those who were asked and are still here count: a place that is
    /// about to be free need not be made twice, or a rush of newcomers would throw each other out.
    fn make_room(&self, round: usize) {
        let present = self.present();
        let leaving = present.values().filter(|guest| guest.leave.is_cancelled()).count();
        let wanted = (AT_ONCE * round).saturating_sub(leaving);
        let idle = |guest: &&Arc<Guest>| !guest.is_busy() && !guest.leave.is_cancelled();
        let mut idle: Vec<&Arc<Guest>> = present.values().filter(idle).collect();
        idle.sort_unstable_by_key(|guest| guest.seen());
        for guest in idle.into_iter().take(wanted) {
            tracing::debug!(guest = guest.id, "the listener is full; an idle connection is closed");
            guest.leave.cancel();
        }
    }

    fn present(&self) -> MutexGuard<'_, HashMap<u64, Arc<Guest>>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Waits until the connection is asked to end.
    pub(crate) async fn dismissed(&self) {
        self.leave.cancelled().await;
    }

    fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

/// A connection's presence in the list of guests.
pub(crate) struct Stay {
    guests: Arc<Guests>,
    pub(crate) guest: Arc<Guest>,
    _place: OwnedSemaphorePermit,
}

impl Stay {
    /// Marks a request as being answered until the mark is dropped.
    pub(crate) fn serve(&self) -> Serving {
        self.guest.busy.fetch_add(1, Ordering::Relaxed);
        self.guests.touch(&self.guest);
        Serving { guests: Arc::clone(&self.guests), guest: Arc::clone(&self.guest) }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.guests.present().remove(&self.guest.id);
    }
}

/// A request that is being answered.
pub(crate) struct Serving {
    guests: Arc<Guests>,
    guest: Arc<Guest>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.guests.touch(&self.guest);
        self.guest.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    // F142
    #[tokio::test(start_paused = true)]
    async fn a_full_house_dismisses_idle_guests_and_no_busy_ones() {
        let guests = Guests::new(3, CancellationToken::new());
        let mut stays = Vec::new();
        for _ in 0..3 {
            let place = guests.place().await.unwrap();
            stays.push(guests.admit(place, true));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let serving = stays[0].serve();
        let waiting = async { guests.place().await.unwrap() };
        let leaving = async {
            stays[1].guest.dismissed().await;
            assert!(!stays[0].guest.leave.is_cancelled());
            drop(stays.remove(1));
        };
        let (place, ()) = tokio::join!(waiting, leaving);
        drop((place, serving));
    }

    #[tokio::test(start_paused = true)]
    async fn a_house_is_quiet_when_no_other_process_asked_for_a_while() {
        let guests = Guests::new(3, CancellationToken::new());
        let second = Duration::from_secs(1);
        let inside = guests.admit(guests.place().await.unwrap(), false);
        let own = inside.serve();
        assert!(guests.quiet(second));
        let outside = guests.admit(guests.place().await.unwrap(), true);
        assert!(guests.quiet(second));
        let serving = outside.serve();
        tokio::time::sleep(second).await;
        assert!(!guests.quiet(second));
        drop((serving, outside));
        assert!(!guests.quiet(second));
        tokio::time::sleep(second).await;
        assert!(guests.quiet(second));
        drop((own, inside));
    }
}
