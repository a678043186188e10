//! Whether what upstream says is of today: not older than what it said before, not over, not of tomorrow.
//!
//! Where signatures are verified, an attacker can still hand out what was signed once: an older state (rollback), or the
//! same one for ever (freeze). Then these are errors, by name (F106). Without trusted keys dates prove nothing, whoever
//! could change them, so they are warnings.

use wharf_sdk::{Context, Error};

use super::kept::KeptSuite;
use super::settings::Suite;
use crate::release::write_date;

/// How far a `Release` may be dated ahead of the clock: later ones would all look older.
const AHEAD: i64 = 3_600;

/// What is wrong with a date.
struct Doubt {
    /// For an error.
    code: &'static str,
    /// For a warning; empty: without a signature nothing is said.
    warning: &'static str,
    text: String,
    advice: &'static str,
}

/// Holds a distribution against the clock and against what was seen of it before.
pub(super) async fn check(
    suite: &Suite,
    found: &KeptSuite,
    before: Option<&KeptSuite>,
    now: i64,
    context: &Context,
) -> Result<(), Error> {
    let name = &suite.distribution;
    for doubt in [rollback(found, before), freeze(found, now), early(found, now)] {
        let Some(Doubt { code, warning, text, advice }) = doubt else { continue };
        let text = format!("the Release of {name} {text}");
        // An earlier date that nobody vouched for is no measure for one that is signed.
        let proven = code != ROLLBACK || before.is_some_and(|before| !before.signers.is_empty());
        if !found.signers.is_empty() && proven {
            let message = format!("{text}. Nothing was changed; {advice}");
            return Err(Error::operation(code, message));
        }
        if !warning.is_empty() {
            context.warn(warning, text, name).await?;
        }
    }
    Ok(())
}

const ROLLBACK: &str = "signature.rollback";

fn rollback(found: &KeptSuite, before: Option<&KeptSuite>) -> Option<Doubt> {
    let last = before?.date?;
    let text = match found.date {
        Some(date) if date >= last => return None,
        Some(date) => format!(
            "is older than the one of the last sync: {}, after {}; a rollback",
            day(date),
            day(last)
        ),
        None => "has no date, though the one of the last sync had; it may be a rollback".to_owned(),
    };
    let advice = "if upstream really went back, detach the importer and attach it again: it forgets \
                  what it saw";
    Some(Doubt { code: ROLLBACK, warning: "source.older", text, advice })
}

fn freeze(found: &KeptSuite, now: i64) -> Option<Doubt> {
    let advice = "the mirror may be held back; ask whoever makes it, or try another one";
    let doubt = |code, text| Doubt { code, warning: "source.outdated", text, advice };
    if let Some(until) = found.valid_until.filter(|until| *until < now) {
        let text = format!("was valid until {} and is not any more; a freeze", day(until));
        return Some(doubt("signature.freeze", text));
    }
    let until = found.signed_until.filter(|until| *until <= now)?;
    let text = format!("is signed with a signature or key that expired on {}", day(until));
    Some(doubt("signature.expired", text))
}

fn early(found: &KeptSuite, now: i64) -> Option<Doubt> {
    let date = found.date.filter(|date| *date > now.saturating_add(AHEAD))?;
    let text = format!("is dated ahead: {}", day(date));
    let advice = "look at the clocks of this machine and of whoever makes it";
    Some(Doubt { code: "signature.early", warning: "", text, advice })
}

fn day(seconds: i64) -> String {
    write_date(seconds).unwrap_or_else(|| "a time that cannot be written".to_owned())
}
