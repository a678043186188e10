//! When something is due: an ISO 8601 interval or five fields of cron.
//!
//! - `PT6H`, `P1M`, `R5/2026-01-01T00:00:00Z/P1D`: ISO 8601-1:2019, durations (5.5.2) and recurring intervals (5.6),
//!   here with the start alone. Months and days are those of the calendar in the schedule's zone, counted from the
//!   start each time, so that the 31st stays the 31st.
//! - `0 4 * * 1-5`: the fields of crontab(5). A time that the calendar leaves out in spring is due right after the gap,
//!   one that it has twice in autumn is due the first time.
//!
//! Pure: what the time is comes from the caller.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _, Unit};

/// The longest rule that is read, in bytes.
const LONGEST: usize = 256;
/// The shortest interval.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The fields of crontab(5).
const FIELDS: usize = 5;
/// The most runs that a rule can count.
const MOST_RUNS: u64 = 1_000_000_000;

/// When something is due.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    when: When,
    /// So many times; None: for ever.
    pub(crate) times: Option<u64>,
    /// Not before.
    pub(crate) start: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum When {
    Every(Span),
    Cron(Box<Cron>),
}

impl Rule {
    /// Reads an interval: `PT6H`, `R5/2026-01-01T00:00:00Z/P1D`. A start without an offset is a time of `zone`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    pub(crate) fn every(text: &str, zone: &TimeZone) -> Result<Self, String> {
        let text = checked(text)?;
        let mut parts: Vec<&str> = text.split('/').collect();
        let span = parts.pop().unwrap_or_default();
        let mut rule = Self { when: When::Every(read_span(span)?), times: None, start: None };
        if parts.first().is_some_and(|part| part.starts_with('R')) {
            rule.times = read_times(parts.remove(0))?;
        }
        match parts.as_slice() {
            [] => {}
            [start] => rule.start = Some(read_time(start, zone)?),
            _ => return Err(format!("{text:?} has too many parts: write R5/START/PT6H")),
        }
        Ok(rule)
    }

    /// Reads the five fields of crontab(5).
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    pub(crate) fn cron(text: &str) -> Result<Self, String> {
        let text = checked(text)?;
        if fields(text) != FIELDS {
            return Err(format!(
                "{text:?} has not five fields: write minute, hour, day, month, day of the week"
            ));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        if text.split_whitespace().flat_map(|field| field.split(',')).any(str::is_empty) {
            return Err(format!("{text:?} has a comma with nothing before or behind it"));
        }
        let cron = parser.parse(text).map_err(|error| format!("{text:?}: {error}"))?;
        if !is_ever_due(&cron) {
            return Err(format!("{text:?} is never due: no day of the calendar fits it"));
        }
        Ok(Self { when: When::Cron(Box::new(cron)), times: None, start: None })
    }

    /// A rule as it is stored. Five fields are cron's, and no interval has as many.
    ///
    /// # Errors
    ///
    /// As [`Rule::every`] and [`Rule::cron`].
    pub(crate) fn stored(text: &str, zone: &TimeZone) -> Result<Self, String> {
        if fields(text) == FIELDS { Self::cron(text) } else { Self::every(text, zone) }
    }

    /// The first time after `now` at which it is due, counted from `start`; None: the calendar has none.
    pub(crate) fn next(
        &self,
        start: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        match &self.when {
            When::Every(_span) if now < start => Some(start),
            When::Every(span) => next_interval(span, start, now, zone),
            When::Cron(cron) => {
                // A start that is due itself counts.
                let after = now.max(start.checked_sub(SHORTEST).ok()?);
                let next = cron.find_next_occurrence(&after.to_zoned(zone.clone()), false).ok()?;
                Some(next.timestamp())
            }
        }
    }
}

/// Whether the calendar has a time for it: every year is like one of fourteen, and these 28 have them all. Asked once,
/// so that nobody looks for the next time through thousands of years.
fn is_ever_due(cron: &Cron) -> bool {
    let first = |values: Vec<u16>| values.first().and_then(|value| i8::try_from(*value).ok());
    let (Some(hour), Some(minute)) =
        (first(cron.pattern.hours.values()), first(cron.pattern.minutes.values()))
    else {
        return false;
    };
    let days = jiff::civil::date(2000, 1, 1).series(1.day()).take_while(|day| day.year() < 2028);
    days.filter_map(|day| day.at(hour, minute, 0, 0).to_zoned(TimeZone::UTC).ok())
        .any(|time| cron.is_time_matching(&time).unwrap_or(false))
}

/// Counts from the start, never from the time before: a short month would shorten all that come after it.
fn next_interval(
    span: &Span,
    start: Timestamp,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let start = start.to_zoned(zone.clone());
    let one =
        start.checked_add(*span).ok()?.timestamp().as_second() - start.timestamp().as_second();
    let passed = now.as_second() - start.timestamp().as_second();
    // Months and leap years make periods differ by a tenth at most; the rest is looked for.
    let mut count = (passed / one.max(1)).saturating_mul(8) / 9;
    if is_even(span) {
        count = passed / one.max(1);
    }
    loop {
        let due = start.checked_add(span.checked_mul(count).ok()?).ok()?.timestamp();
        if due > now {
            return Some(due);
        }
        let left = (now.as_second() - due.as_second()) / one.max(1);
        count += (left * 8 / 9).max(1);
    }
}

/// Whether all periods are equally long, whatever the calendar says.
fn is_even(span: &Span) -> bool {
    span.get_years() == 0 && span.get_months() == 0 && span.get_weeks() == 0 && span.get_days() == 0
}

fn fields(text: &str) -> usize {
    text.split_whitespace().count()
}

fn checked(text: &str) -> Result<&str, String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    Ok(text)
}

fn read_span(text: &str) -> Result<Span, String> {
    let wrong = || format!("{text:?} is no interval: write it as PT6H, P1D, P1W or P1M");
    if !text.starts_with('P') {
        return Err(wrong());
    }
    let span: Span = text.parse().map_err(|_error| wrong())?;
    if span.get_milliseconds() != 0 || span.get_microseconds() != 0 || span.get_nanoseconds() != 0 {
        return Err(format!("{text:?} has fractions of a second"));
    }
    // Any day will do: the question is only whether it is far too short or too long.
    let epoch = DateTime::default().date();
    let length = span.to_duration(epoch).map_err(|_error| wrong())?;
    if length < SHORTEST || span.is_negative() {
        return Err(format!("{text:?} is shorter than a second"));
    }
    if span.total((Unit::Year, epoch)).is_ok_and(|years| years > 100.0) {
        return Err(format!("{text:?} is longer than 100 years"));
    }
    Ok(span)
}

fn read_times(text: &str) -> Result<Option<u64>, String> {
    match text.strip_prefix('R') {
        Some("") => Ok(None),
        Some(digits) => match digits.parse() {
            Ok(times @ 1..=MOST_RUNS) => Ok(Some(times)),
            _ => Err(format!("{text:?} is no number of runs: write R5, from 1 on")),
        },
        None => Err(format!("{text:?} is no number of runs")),
    }
}

/// Reads a point in time. One without an offset is a time of `zone`.
///
/// # Errors
///
/// What is wrong with it, for people.
pub(crate) fn read_time(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let found = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        zone.to_ambiguous_timestamp(local).compatible().ok()
    });
    found
        .filter(|time| (1970..=9000).contains(&time.to_zoned(TimeZone::UTC).year()))
        .ok_or_else(|| format!("{text:?} is no point in time: write it as 2026-01-01T04:00:00Z"))
}
