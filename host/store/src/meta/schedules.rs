//! Work that the server begins by itself.

use super::{Meta, sqlite};
use crate::error::Error;
use crate::model::{Fired, NewJob, NewSchedule, Planned, Schedule, ScheduleId};

impl Meta {
    /// Stores a schedule.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] when there is one with this name; [`Error::NotFound`] when its repository is gone.
    pub async fn create_schedule(&self, new: NewSchedule) -> Result<Schedule, Error> {
        self.write(move |db| sqlite::schedules::create(db, &new)).await
    }

    /// All schedules, by name.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        self.read(sqlite::schedules::all).await
    }

    /// The schedule with this name.
    pub async fn schedule(&self, name: &str) -> Result<Option<Schedule>, Error> {
        let name = name.to_owned();
        self.read(move |db| sqlite::schedules::by_name(db, &name)).await
    }

    /// The schedule with this number.
    pub async fn schedule_by_id(&self, id: ScheduleId) -> Result<Option<Schedule>, Error> {
        self.read(move |db| sqlite::schedules::by_id(db, id)).await
    }

    /// Deletes a schedule. Its jobs stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn delete_schedule(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::schedules::delete(db, &name)).await
    }

    /// Switches a schedule on, its failures forgotten, or off.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub async fn switch_schedule(
        &self,
        name: &str,
        enabled: bool,
        next: Planned,
    ) -> Result<Schedule, Error> {
        let name = name.to_owned();
        self.write(move |db| sqlite::schedules::switch(db, &name, enabled, next)).await
    }

    /// Reckons anew when a schedule is due, unless it was changed meanwhile.
    pub async fn replan_schedule(
        &self,
        id: ScheduleId,
        was: Planned,
        next: Planned,
    ) -> Result<(), Error> {
        self.write(move |db| sqlite::schedules::replan(db, id, was, next)).await
    }

    /// Begins the work of a schedule that is due, and moves it on, in one step: each time that is due brings one run,
    /// whatever ends the host when. Nothing begins while a job of the same work has not ended.
    pub async fn fire_schedule(
        &self,
        id: ScheduleId,
        was: Planned,
        next: Planned,
        jobs: Vec<NewJob>,
    ) -> Result<Fired, Error> {
        self.write(move |db| sqlite::schedules::fire(db, id, was, next, &jobs)).await
    }

    /// Moves a schedule on without a run, and notes why.
    pub async fn skip_schedule(
        &self,
        id: ScheduleId,
        was: Planned,
        next: Planned,
        why: &str,
    ) -> Result<Fired, Error> {
        let why = why.to_owned();
        self.write(move |db| sqlite::schedules::skip(db, id, was, next, why)).await
    }

    /// The same, for a run that could not even be asked for: it counts as failed.
    pub async fn refuse_schedule(
        &self,
        id: ScheduleId,
        was: Planned,
        next: Planned,
        why: &str,
    ) -> Result<Fired, Error> {
        let why = why.to_owned();
        self.write(move |db| sqlite::schedules::refuse(db, id, was, next, why)).await
    }
}
