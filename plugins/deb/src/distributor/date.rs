//! The date of the next publication.
//!
//! apt takes no `Release` that is not newer than the one it holds, and none that is dated more than ten seconds ahead.
//! Dates have seconds, so publications that follow each other fast run ahead of the clock: then the clock is waited for.

use std::time::Duration;

use wharf_sdk::{Context, Error};

/// How far a date may be ahead before the clock is waited for.
const AHEAD: i64 = 5;
/// How far clients let it be ahead.
const TAKEN: i64 = 10;
/// The longest wait: what is further ahead was dated by another clock.
const WAIT: i64 = 2;

/// The date to write, in seconds since 1970: now, or one second behind the last.
pub(super) async fn next(last: i64, timestamp_ms: i64, context: &Context) -> Result<i64, Error> {
    let now = timestamp_ms.div_euclid(1_000);
    let date = now.max(last.saturating_add(1));
    let ahead = date.saturating_sub(now);
    if ahead > TAKEN {
        let text = format!(
            "the publication before was dated {ahead} s ahead of this machine's clock; apt refuses what comes \
             after it until then"
        );
        context.warn("clock.behind", text, "").await?;
    }
    let wait = ahead.saturating_sub(AHEAD).clamp(0, WAIT);
    tokio::select! {
        biased;
        () = context.cancelled() => Err(Error::cancelled()),
        () = tokio::time::sleep(Duration::from_secs(wait.unsigned_abs())) => Ok(date),
    }
}
