//! Schedules: syncs and publishes that the server begins by itself.
//!
//! The way through: [`Engine::create_schedule`] checks a wish and stores it → [`keep`], the one task, sleeps until the
//! next time that is due or until something is changed → [`plan`] says what to do at that moment, [`rule`] when the next
//! time is → the store begins the jobs and moves the schedule on in one transaction → the end of the jobs counts.
//!
//! Only a host that lives as long as it is let runs schedules. What was missed while none ran is one run, never a burst.

mod plan;
mod rule;
#[cfg(test)]
mod tests;
mod timer;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wharf_store::model::{NameError, NewSchedule, RepositoryName, Schedule};

pub(crate) use self::rule::Rule;
pub(crate) use self::timer::keep;
use crate::engine::{Engine, Inner};
use crate::problem::Problem;
use crate::publish::PublishOptions;
use crate::runs::Checked;
use crate::sync::SyncOptions;

/// What a user may ask of a schedule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScheduleRequest {
    /// Its name; None: REPOSITORY-OPERATION.
    pub name: Option<String>,
    /// What it works on.
    pub repository: String,
    /// sync or publish.
    pub operation: String,
    /// An ISO 8601 interval: `PT6H`, `R5/2026-01-01T00:00:00Z/P1D`. Either this or `cron`.
    pub every: Option<String>,
    /// The five fields of crontab(5).
    pub cron: Option<String>,
    /// Nothing is due before this point in time.
    pub at: Option<String>,
    /// An IANA name; None: the host's zone.
    pub zone: Option<String>,
    /// Failed runs in a row after which it is switched off; None: any number.
    pub failures: Option<u32>,
    /// One distributor only.
    pub through: Option<String>,
    /// Take no shortcuts.
    pub full: bool,
    /// Settings for its runs.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl Engine {
    /// Stores a schedule. Without a start, an interval is due at once.
    pub async fn create_schedule(&self, wish: ScheduleRequest) -> Result<Schedule, Problem> {
        let engine = &self.inner;
        let now = engine.config.clock.now();
        let (zone, zone_name) = engine.zone(wish.zone.as_deref())?;
        let (text, mut rule) = read_rule(&wish, &zone)?;
        let start = rule.start.take().unwrap_or(now);
        let next = first(&rule, start, now, &zone)
            .ok_or_else(|| refused("the calendar has no such day", &text))?;
        let arguments = engine.arguments(&wish).await?;
        let repository = engine.repository(&wish.repository).await?;
        let new = NewSchedule {
            name: name(&wish)?,
            repository: repository.id,
            operation: wish.operation.clone(),
            rule: text,
            zone: zone_name,
            start_ms: start.as_millisecond(),
            arguments,
            threshold: wish.failures,
            remaining: rule.times,
            next: plan::planned(Some(next), now),
        };
        let made = engine.store.meta.create_schedule(new).await?;
        engine.schedules_changed.notify_one();
        Ok(made)
    }

    /// All schedules, by name.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Problem> {
        Ok(self.inner.store.meta.schedules().await?)
    }

    /// One schedule.
    pub async fn schedule(&self, name: &str) -> Result<Schedule, Problem> {
        self.inner.store.meta.schedule(name).await?.ok_or_else(|| missing(name))
    }

    /// Deletes a schedule. Jobs that it began stay.
    pub async fn delete_schedule(&self, name: &str) -> Result<(), Problem> {
        self.schedule(name).await?;
        self.inner.store.meta.delete_schedule(name).await?;
        self.inner.schedules_changed.notify_one();
        Ok(())
    }

    /// Switches a schedule on, its failures forgotten, or off. Times that passed while it was off are not made up for.
    pub async fn switch_schedule(&self, name: &str, enabled: bool) -> Result<Schedule, Problem> {
        let found = self.schedule(name).await?;
        let now = self.inner.config.clock.now();
        let next = if found.remaining == Some(0) {
            None
        } else {
            let (zone, _name) = self.inner.zone(Some(&found.zone))?;
            let rule =
                Rule::stored(&found.rule, &zone).map_err(|why| refused(&why, &found.rule))?;
            rule.next(plan::time(found.start_ms).unwrap_or(now), now, &zone)
        };
        let meta = &self.inner.store.meta;
        let switched = meta.switch_schedule(name, enabled, plan::planned(next, now)).await?;
        self.inner.schedules_changed.notify_one();
        Ok(switched)
    }
}

impl Inner {
    /// A time zone by its name, or the host's own.
    fn zone(&self, name: Option<&str>) -> Result<(TimeZone, String), Problem> {
        let Some(name) = name else {
            let zone = self.config.zone.clone();
            return match zone.iana_name().map(str::to_owned) {
                Some(name) => Ok((zone, name)),
                // A zone that the system names by a rule only cannot be stored by a name.
                None => Ok((TimeZone::UTC, "UTC".to_owned())),
            };
        };
        let zone = TimeZone::get(name).map_err(|error| {
            Problem::usage("usage.zone", format!("the time zone \"{name}\" is not known: {error}"))
                .help("write an IANA name, such as Europe/Berlin or UTC")
        })?;
        Ok((zone, name.to_owned()))
    }

    /// What each run is asked to do, checked as if it were asked now.
    async fn arguments(&self, wish: &ScheduleRequest) -> Result<String, Problem> {
        let (full, settings) = (wish.full, wish.settings.clone());
        match wish.operation.as_str() {
            "sync" if wish.through.is_some() => {
                Err(Problem::usage("usage.through", "a sync goes through no distributor"))
            }
            "sync" => {
                let options = SyncOptions { full, settings, ..SyncOptions::default() };
                self.syncing(&wish.repository, &options, Checked::Plugin).await?;
                Ok(serde_json::to_string(&options)?)
            }
            "publish" => {
                let through = wish.through.clone();
                let options =
                    PublishOptions { full, through, settings, ..PublishOptions::default() };
                self.publishing(&wish.repository, &options, Checked::Plugin).await?;
                Ok(serde_json::to_string(&options)?)
            }
            other => Err(Problem::usage(
                "usage.operation",
                format!("\"{other}\" cannot be scheduled: sync and publish can"),
            )),
        }
    }
}

/// The rule that was asked for, and its text.
fn read_rule(wish: &ScheduleRequest, zone: &TimeZone) -> Result<(String, Rule), Problem> {
    let (text, read) = match (&wish.every, &wish.cron) {
        (Some(text), None) => (text.trim(), Rule::every(text, zone)),
        (None, Some(text)) => (text.trim(), Rule::cron(text)),
        _ => {
            let message = "a schedule needs either an interval or five fields of cron";
            return Err(Problem::usage("usage.schedule", message)
                .help("for example --every PT6H, or --cron '0 4 * * *'"));
        }
    };
    let mut rule = read.map_err(|why| refused(&why, text))?;
    if let Some(at) = &wish.at {
        if rule.start.is_some() {
            return Err(refused("it names a start, and so does --at", text));
        }
        rule.start = Some(rule::read_time(at, zone).map_err(|why| refused(&why, at))?);
    }
    Ok((text.to_owned(), rule))
}

/// When it is due for the first time: now counts.
fn first(rule: &Rule, start: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let before = Timestamp::from_millisecond(now.as_millisecond().checked_sub(1)?).ok()?;
    rule.next(start, before, zone)
}

fn name(wish: &ScheduleRequest) -> Result<RepositoryName, Problem> {
    let given = wish.name.clone();
    let name = given.unwrap_or_else(|| format!("{}-{}", wish.repository, wish.operation));
    name.parse().map_err(|_error: NameError| {
        let message =
            format!("\"{name}\" is no name for a schedule: use 1 to 128 of A-Z a-z 0-9 . _ -");
        Problem::usage("usage.name", message)
    })
}

fn refused(why: &str, text: &str) -> Problem {
    Problem::usage("usage.schedule", why).at(text)
}

fn missing(name: &str) -> Problem {
    Problem::usage("not_found.schedule", format!("there is no schedule \"{name}\""))
        .help("`wharf schedule list` shows those there are")
}
