//! Ctrl-C and SIGTERM: the first one asks, the second one leaves.
//!
//! Who can do something sensible with the first signal (cancel a job, stop serving) waits for it
//! under a [`Guard`]; without a guard the first signal ends the command in good order. The second
//! one is dealt with in one place only, at the top.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::error::Error;

/// Counts the signals that arrived.
#[derive(Debug)]
pub(crate) struct Interrupts {
    count: watch::Sender<usize>,
    guards: AtomicUsize,
}

impl Interrupts {
    /// Nothing has arrived yet.
    pub(crate) fn new() -> Self {
        Self { count: watch::Sender::new(0), guards: AtomicUsize::new(0) }
    }

    /// Listens until the second signal. A hang-up counts too, unless `hangups` are to be ignored.
    pub(crate) async fn listen(&self, hangups: Hangups) -> Result<(), Error> {
        let mut interrupt = Listener::new(SignalKind::interrupt(), true)?;
        let mut terminate = Listener::new(SignalKind::terminate(), true)?;
        let mut hangup = Listener::new(SignalKind::hangup(), hangups == Hangups::Count)?;
        for _ in 0..2 {
            tokio::select! {
                () = interrupt.next() => {}
                () = terminate.next() => {}
                () = hangup.next() => {}
            }
            self.arrive();
        }
        Ok(())
    }

    /// One more signal arrived.
    pub(crate) fn arrive(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    /// From now on the first signal is the caller's business.
    pub(crate) fn guard(&self) -> Guard<'_> {
        self.guards.fetch_add(1, Ordering::SeqCst);
        Guard { interrupts: self }
    }

    /// Waits for a signal that arrives while nobody holds a guard.
    pub(crate) async fn unguarded(&self) {
        let mut count = self.count.subscribe();
        if *count.borrow_and_update() > 0 && self.guards.load(Ordering::SeqCst) == 0 {
            return;
        }
        while count.changed().await.is_ok() {
            if self.guards.load(Ordering::SeqCst) == 0 {
                return;
            }
        }
    }
}

/// What the end of the terminal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangups {
    /// As much as Ctrl-C.
    Count,
    /// Nothing: a server goes on.
    Ignored,
}

/// One kind of signal. One that was ignored when the program started stays ignored, as `nohup` and
/// shells in the background want it.
struct Listener {
    signal: Option<Signal>,
    counts: bool,
}

impl Listener {
    fn new(kind: SignalKind, counts: bool) -> Result<Self, Error> {
        let inherited = is_ignored(kind);
        let signal = (!inherited).then(|| signal(kind)).transpose().map_err(Error::Signals)?;
        Ok(Self { signal, counts })
    }

    async fn next(&mut self) {
        if let Some(signal) = self.signal.as_mut().filter(|_| self.counts)
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// Whether this process was started with the signal ignored.
fn is_ignored(kind: SignalKind) -> bool {
    let number = u32::try_from(kind.as_raw_value()).unwrap_or(0);
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, number))
}

/// Reads the mask of ignored signals; bit 0 is signal 1. Source: `proc_pid_status(5)`.
fn ignores(status: &str, number: u32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    number > 0 && mask.checked_shr(number - 1).is_some_and(|mask| mask & 1 == 1)
}

/// Held by whoever handles the first signal.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    interrupts: &'a Interrupts,
}

impl Guard<'_> {
    /// Whether the first signal has arrived.
    pub(crate) fn arrived(&self) -> bool {
        *self.interrupts.count.borrow() > 0
    }

    /// Waits for the first signal; at once when it has arrived already.
    pub(crate) async fn first(&self) {
        let mut count = self.interrupts.count.subscribe();
        // An error means that the sender is gone, and it lives as long as this guard's owner.
        if count.wait_for(|count| *count > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.interrupts.guards.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_now::now;

    /// Polls a future once.
    mod futures_now {
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};

        pub(super) fn now(future: impl Future<Output = ()>) -> bool {
            let mut context = Context::from_waker(Waker::noop());
            matches!(pin!(future).poll(&mut context), Poll::Ready(()))
        }
    }

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\twharf\nSigIgn:\t0000000000000003\nSigCgt:\t0000000000004000\n";
        assert!(ignores(status, 1));
        assert!(ignores(status, 2));
        assert!(!ignores(status, 15));
        assert!(!ignores("", 1));
    }

    #[test]
    fn a_signal_without_guard_ends_the_command() {
        let interrupts = Interrupts::new();
        assert!(!now(interrupts.unguarded()));
        interrupts.arrive();
        assert!(now(interrupts.unguarded()));
    }

    #[test]
    fn f151_a_guarded_signal_belongs_to_the_guard() {
        let interrupts = Interrupts::new();
        let guard = interrupts.guard();
        assert!(!now(guard.first()));
        interrupts.arrive();
        assert!(now(guard.first()));
        assert!(!now(interrupts.unguarded()));
    }
}
