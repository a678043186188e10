//! Which source is tried next, and when.

use std::time::{Duration, SystemTime};

use super::{Config, Error};

/// An attempt that brought this many bytes nearer to the end does not count against the retries.
const PROGRESS: u64 = 16 << 20;

/// The order of attempts over the sources of one request.
///
/// A source whose error cannot pass is struck out; the others are tried round by round, with a wait
/// between the rounds. Wrong bytes get one more try in all, from another source if there is one (F101).
#[derive(Debug)]
pub(super) struct Plan<'a> {
    config: &'a Config,
    alive: Vec<bool>,
    current: usize,
    round: u32,
    attempts: u32,
    mismatches: u32,
}

/// How an attempt ended that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The bytes so far are kept and can be continued from the same source.
    pub(super) resumable: bool,
    /// Bytes that this attempt added to them.
    pub(super) added: u64,
}

impl<'a> Plan<'a> {
    pub(super) fn new(config: &'a Config, sources: usize) -> Self {
        Self {
            config,
            alive: vec![true; sources],
            current: 0,
            round: 0,
            attempts: 1,
            mismatches: 0,
        }
    }

    /// The place of the source to try.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Goes on to this source, when bytes of it are there already.
    pub(super) fn prefer(&mut self, source: usize) {
        self.current = source;
    }

    /// Takes in why the attempt failed and says how long to wait for the next one.
    ///
    /// # Errors
    /// When there is no next one: the given error, with the number of attempts if there were several.
    pub(super) fn after(&mut self, error: Error, progress: Progress) -> Result<Duration, Error> {
        match self.wait(&error, progress) {
            Some(wait) => {
                self.attempts += 1;
                Ok(wait)
            }
            None if self.attempts == 1 || matches!(error, Error::Cancelled) => Err(error),
            None => Err(Error::GaveUp { attempts: self.attempts, last: Box::new(error) }),
        }
    }

    fn wait(&mut self, error: &Error, progress: Progress) -> Option<Duration> {
        if matches!(error, Error::Cancelled | Error::Storage { .. } | Error::Setup { .. }) {
            return None;
        }
        if error.is_integrity() {
            self.mismatches += 1;
            self.advance()?;
            return (self.mismatches < 2).then_some(Duration::ZERO);
        }
        if !error.retryable() {
            *self.alive.get_mut(self.current)? = false;
            self.advance()?;
            return Some(Duration::ZERO);
        }
        if progress.resumable && progress.added >= PROGRESS {
            self.round = 0;
            return Some(self.backoff());
        }
        let wrapped = (progress.resumable && progress.added > 0) || self.advance()?;
        if !wrapped {
            return Some(Duration::ZERO);
        }
        self.round += 1;
        (self.round <= self.config.retries).then(|| self.backoff())
    }

    /// Moves to the next source alive; whether it began again at the first one.
    fn advance(&mut self) -> Option<bool> {
        let count = self.alive.len();
        let next = (1..=count)
            .map(|step| (self.current + step) % count)
            .find(|place| self.alive.get(*place) == Some(&true))?;
        let wrapped = next <= self.current;
        self.current = next;
        Some(wrapped)
    }

    /// Doubled every round, less up to a half by chance.
    fn backoff(&self) -> Duration {
        let full = self.config.backoff.saturating_mul(1 << self.round.saturating_sub(1).min(16));
        let full = full.min(self.config.backoff_limit);
        // Without random numbers all clients wait equally long: worse, but no reason to fail.
        let chance = getrandom::u32().unwrap_or(0);
        full.mul_f64(1.0 - f64::from(chance) / f64::from(u32::MAX) / 2.0)
    }
}

/// What a `Retry-After` header asks for: seconds or a date; nonsense and the past are zero (F111).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Duration {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Duration::from_secs(seconds);
    }
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::MAX;
    }
    httpdate::parse_http_date(value)
        .ok()
        .and_then(|date| date.duration_since(now).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Progress = Progress { resumable: false, added: 0 };

    fn status(status: u16) -> Error {
        Error::Status { url: String::new(), status, body: String::new(), retry_after: None }
    }

    fn digest() -> Error {
        Error::Digest {
            url: String::new(),
            expected: String::new(),
            found: String::new(),
            bytes: 0,
        }
    }

    #[test]
    fn retry_after_is_read_in_every_form() {
        // F111
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let check = |value, seconds| {
            assert_eq!(retry_after(value, now), Duration::from_secs(seconds), "{value}");
        };
        check("120", 120);
        check(" 7 ", 7);
        check("-5", 0);
        check("soon", 0);
        check("", 0);
        check("Sun, 06 Nov 1994 08:50:37 GMT", 60);
        check("Sun, 06 Nov 1994 08:48:37 GMT", 0);
        assert_eq!(retry_after("99999999999999999999999", now), Duration::MAX);
    }

    #[test]
    fn sources_are_tried_in_rounds_and_lasting_errors_strike_out() {
        let config = Config { retries: 1, ..Config::default() };
        let mut plan = Plan::new(&config, 3);
        assert_eq!(plan.after(status(404), NONE).unwrap(), Duration::ZERO);
        assert_eq!(plan.current(), 1);
        assert_eq!(plan.after(status(503), NONE).unwrap(), Duration::ZERO);
        assert_eq!(plan.current(), 2);
        assert!(plan.after(status(503), NONE).unwrap() > Duration::ZERO);
        assert_eq!(plan.current(), 1);
        assert_eq!(plan.after(status(404), NONE).unwrap(), Duration::ZERO);
        assert_eq!(plan.current(), 2);
        let error = plan.after(status(500), NONE).unwrap_err();
        assert!(matches!(error, Error::GaveUp { attempts: 5, .. }), "{error:?}");
    }

    #[test]
    fn wrong_bytes_get_one_more_try_from_another_source() {
        // F101
        let config = Config::default();
        let mut plan = Plan::new(&config, 2);
        assert_eq!(plan.after(digest(), NONE).unwrap(), Duration::ZERO);
        assert_eq!(plan.current(), 1);
        assert_eq!(plan.after(digest(), NONE).unwrap_err().code(), "integrity.digest");
        let mut plan = Plan::new(&config, 1);
        assert!(plan.after(digest(), NONE).is_ok());
        assert!(plan.after(digest(), NONE).is_err());
    }

    #[test]
    fn a_broken_transfer_is_continued_where_its_bytes_are() {
        // F112
        let config = Config { retries: 1, ..Config::default() };
        let mut plan = Plan::new(&config, 2);
        let some = Progress { resumable: true, added: 1 };
        let much = Progress { resumable: true, added: PROGRESS };
        assert!(plan.after(status(500), some).is_ok());
        assert_eq!(plan.current(), 0);
        for _ in 0..100 {
            assert!(plan.after(status(500), much).is_ok());
        }
        assert!(plan.after(status(500), some).is_ok());
        assert!(plan.after(status(500), some).is_err());
    }
}
