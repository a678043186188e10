//! `wharf gc`, `wharf verify`, and how spans of time are written.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::work::Waiting;

/// `wharf gc`
#[derive(Debug, Args)]
#[command(after_help = "\
Uploads that nobody went on with, superseded publications whose time is over,
versions beyond what repositories keep, units that no version holds, bytes
that nothing refers to. What running jobs need stays. A server does this by
itself, see `wharf serve --gc-every`.

Examples:
  wharf gc --dry-run
  wharf gc --protect 1h")]
pub(crate) struct Gc {
    /// Keep bytes that came in this last while, such as 30m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) protect: Span,
    /// Tell what would go and take nothing away
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads every stored byte again. What is not what it is called is moved to
DATA/quarantine at once, so that nobody is given it; without --repair it is
fetched when a client asks for it, or by the next sync.

Examples:
  wharf verify
  wharf verify tools --repair")]
pub(crate) struct Verify {
    /// The repository whose bytes are read [default: all]
    pub(crate) name: Option<String>,
    /// Fetch again what is broken, from where a sync once found it
    #[arg(long)]
    pub(crate) repair: bool,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// A span of time, as in `90s`, `30m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "write it as 90s, 30m, 24h or 7d".to_owned();
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ if text == "0" => return Ok(Self(Duration::ZERO)),
            _ => return Err(wrong()),
        };
        let number: u64 = text[..text.len() - 1].parse().map_err(|_error| wrong())?;
        let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_unit() {
        for (text, seconds) in
            [("0", 0), ("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)]
        {
            assert_eq!(text.parse(), Ok(Span(Duration::from_secs(seconds))), "{text}");
        }
        for wrong in ["", "5", "h", "1h30m", "-1h", "1w", "99999999999999999999d", "1ä"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
