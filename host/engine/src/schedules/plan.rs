//! What is to be done with a schedule at a moment. Pure.
//!
//! The wall clock is what schedules are about, and it may be set (F175). Set ahead, or read after the host stood still:
//! everything that was missed is one run. Set back: times that lie behind what was planned under the later clock are due
//! again, unless it is a small correction, which is waited out.

use jiff::{SignedDuration, Timestamp};
use wharf_store::model::{Planned, Schedule};

/// A clock that is set back by no more than this is waited for.
const SETBACK: SignedDuration = SignedDuration::from_mins(10);

/// What is to be done with a schedule now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, ever.
    Rest,
    /// Nothing before then.
    Wait(Timestamp),
    /// Begin its work; how late it is.
    Run {
        /// Since it was due.
        late: SignedDuration,
    },
    /// Reckon anew: it was planned under a clock that was ahead.
    Replan,
}

/// Looks at one schedule.
pub(super) fn step(schedule: &Schedule, now: Timestamp) -> Step {
    let Some(next) = schedule.next.next_ms.filter(|_| schedule.enabled).and_then(time) else {
        return Step::Rest;
    };
    let planned = time(schedule.next.at_ms).unwrap_or(now);
    if next <= now {
        return Step::Run { late: now.duration_since(next) };
    }
    if planned.duration_since(now) > SETBACK { Step::Replan } else { Step::Wait(next) }
}

/// A stored time; None: no clock shows it.
pub(super) fn time(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

/// As it is stored.
pub(super) fn planned(next: Option<Timestamp>, now: Timestamp) -> Planned {
    Planned { next_ms: next.map(Timestamp::as_millisecond), at_ms: now.as_millisecond() }
}
