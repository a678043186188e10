//! Which job may start next. First come, first served per repository; a job that waits holds back younger ones that
//! want the same repository, so nothing starves. Pure: no clock, no task.

use std::collections::{HashMap, HashSet, VecDeque};

use wharf_store::model::{Job, JobId};

use crate::edit::CopyOptions;
use crate::pushes;

/// What a job needs for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lock {
    /// Nothing.
    None,
    /// A repository that nobody writes meanwhile.
    Read(String),
    /// The same, and nobody else publishes it: what comes after another distributor finds what that one published.
    Publish(String),
    /// A repository for itself.
    Write(String),
    /// A repository for itself, and another one that nobody writes meanwhile.
    Copy {
        /// Who is read.
        from: String,
        /// Who is written.
        to: String,
    },
}

impl Lock {
    /// What makes a version writes its repository, everything else reads one fixed version.
    pub(super) fn of(job: &Job) -> Self {
        match (&job.repository, job.operation.as_str()) {
            (Some(repository), "sync" | "upload" | "remove" | "rollback") => {
                Self::Write(repository.clone())
            }
            (Some(repository), "publish") => Self::Publish(repository.clone()),
            // A provider is told one thing after the other: two pushes of one image would upload it twice.
            (Some(_), pushes::OPERATION | pushes::UNPUBLISH) => {
                Self::Publish(format!("/{}", job.component.as_deref().unwrap_or_default()))
            }
            (Some(repository), "copy") => {
                let options: Option<CopyOptions> = serde_json::from_str(&job.arguments).ok();
                let from = options.map(|options| options.from).unwrap_or_default();
                Self::Copy { from, to: repository.clone() }
            }
            (Some(repository), _) => Self::Read(repository.clone()),
            // One at a time; no repository has such a name.
            (None, operation @ ("gc" | "verify")) => Self::Write(format!("/{operation}")),
            (None, _) => Self::None,
        }
    }
}

/// Whose units a job works with: while a plugin's units are migrated, nobody reads or writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plugins {
    /// Those of these plugins.
    Of(Vec<String>),
    /// Of any plugin.
    Any,
    /// Those of this plugin, for itself.
    Alone(String),
}

/// All that a job needs.
#[derive(Debug)]
struct Needs {
    lock: Lock,
    plugins: Plugins,
    /// A job that must have ended.
    after: Option<JobId>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<(JobId, Needs)>,
    running: HashMap<JobId, Needs>,
}

impl Queue {
    pub(super) fn push(
        &mut self,
        job: JobId,
        (lock, plugins): (Lock, Plugins),
        after: Option<JobId>,
    ) {
        self.waiting.push_back((job, Needs { lock, plugins, after }));
    }

    /// Takes a job out that has not started. Says whether it was there.
    pub(super) fn remove(&mut self, job: JobId) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, _)| *waiting != job);
        self.waiting.len() < before
    }

    /// The next job that no lock holds back, now counted as running.
    pub(super) fn next(&mut self, width: usize) -> Option<JobId> {
        if self.running.len() >= width {
            return None;
        }
        let mut taken = Taken::default();
        self.running.values().for_each(|needs| taken.add(needs));
        let place = self.waiting.iter().position(|(_, needs)| {
            // What waits for another job holds nobody back.
            if needs.after.is_some_and(|job| self.has(job)) {
                return false;
            }
            let free = taken.allows(needs);
            taken.add(needs);
            free
        })?;
        let (job, needs) = self.waiting.remove(place)?;
        self.running.insert(job, needs);
        Some(job)
    }

    /// Whether the job has yet to end.
    fn has(&self, job: JobId) -> bool {
        self.running.contains_key(&job) || self.waiting.iter().any(|(waiting, _)| *waiting == job)
    }

    pub(super) fn finished(&mut self, job: JobId) {
        self.running.remove(&job);
        self.remove(job);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }
}

#[derive(Default)]
struct Taken {
    read: HashSet<String>,
    published: HashSet<String>,
    written: HashSet<String>,
    /// Plugins whose units somebody works with.
    plugins: HashSet<String>,
    any_plugin: bool,
    /// Plugins whose units somebody has for itself.
    alone: HashSet<String>,
}

impl Taken {
    fn add(&mut self, needs: &Needs) {
        match &needs.lock {
            Lock::None => {}
            Lock::Read(name) => drop(self.read.insert(name.clone())),
            Lock::Publish(name) => {
                self.read.insert(name.clone());
                self.published.insert(name.clone());
            }
            Lock::Write(name) => drop(self.written.insert(name.clone())),
            Lock::Copy { from, to } => {
                self.read.insert(from.clone());
                self.written.insert(to.clone());
            }
        }
        match &needs.plugins {
            Plugins::Of(names) => self.plugins.extend(names.iter().cloned()),
            Plugins::Any => self.any_plugin = true,
            Plugins::Alone(name) => drop(self.alone.insert(name.clone())),
        }
    }

    fn allows(&self, needs: &Needs) -> bool {
        let plugins = match &needs.plugins {
            Plugins::Of(names) => names.iter().all(|name| !self.alone.contains(name)),
            Plugins::Any => self.alone.is_empty(),
            Plugins::Alone(name) => {
                !self.any_plugin && !self.plugins.contains(name) && !self.alone.contains(name)
            }
        };
        plugins && self.allows_lock(&needs.lock)
    }

    fn allows_lock(&self, lock: &Lock) -> bool {
        match lock {
            Lock::None => true,
            Lock::Read(name) => !self.written.contains(name),
            Lock::Publish(name) => !self.written.contains(name) && !self.published.contains(name),
            Lock::Write(name) => !self.written.contains(name) && !self.read.contains(name),
            Lock::Copy { from, to } => {
                let free = !self.written.contains(to) && !self.read.contains(to);
                free && !self.written.contains(from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str) -> Lock {
        Lock::Write(name.to_owned())
    }

    fn read(name: &str) -> Lock {
        Lock::Read(name.to_owned())
    }

    fn nobodys() -> Plugins {
        Plugins::Of(Vec::new())
    }

    #[test]
    fn a_migration_waits_for_all_who_work_with_its_plugins_units_and_they_wait_for_it() {
        let of = |names: &[&str]| Plugins::Of(names.iter().map(|name| (*name).into()).collect());
        let mut queue = Queue::default();
        queue.push(JobId(1), (write("a"), of(&["notes"])), None);
        queue.push(JobId(2), (Lock::None, Plugins::Alone("notes".into())), None);
        queue.push(JobId(3), (write("b"), of(&["deb", "notes"])), None);
        queue.push(JobId(4), (write("c"), of(&["deb"])), None);
        queue.push(JobId(5), (read("c"), Plugins::Any), None);
        queue.push(JobId(6), (Lock::None, Plugins::Alone("deb".into())), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(4)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), Some(JobId(2)));
        queue.finished(JobId(4));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(2));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), Some(JobId(5)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(5));
        queue.finished(JobId(3));
        assert_eq!(queue.next(8), Some(JobId(6)));
    }

    #[test]
    fn a_job_that_waits_for_another_starts_when_that_ended_and_holds_nobody_back() {
        let mut queue = Queue::default();
        queue.push(JobId(1), (read("a"), nobodys()), None);
        queue.push(JobId(2), (write("a"), nobodys()), Some(JobId(1)));
        queue.push(JobId(3), (read("a"), nobodys()), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(3));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), Some(JobId(2)));
    }

    #[test]
    fn one_writer_per_repository() {
        let mut queue = Queue::default();
        queue.push(JobId(1), (write("a"), nobodys()), None);
        queue.push(JobId(2), (write("a"), nobodys()), None);
        queue.push(JobId(3), (write("b"), nobodys()), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), Some(JobId(2)));
    }

    #[test]
    fn readers_share_and_a_waiting_writer_holds_back_younger_readers() {
        let mut queue = Queue::default();
        queue.push(JobId(1), (read("a"), nobodys()), None);
        queue.push(JobId(2), (read("a"), nobodys()), None);
        queue.push(JobId(3), (write("a"), nobodys()), None);
        queue.push(JobId(4), (read("a"), nobodys()), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(2)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        queue.finished(JobId(2));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), None);
    }

    #[test]
    fn a_copy_keeps_writers_off_both_ends() {
        let copy = Lock::Copy { from: "a".to_owned(), to: "b".to_owned() };
        let mut queue = Queue::default();
        queue.push(JobId(1), (read("a"), nobodys()), None);
        queue.push(JobId(2), (copy, nobodys()), None);
        queue.push(JobId(3), (write("a"), nobodys()), None);
        queue.push(JobId(4), (read("b"), nobodys()), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(2)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(2));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), Some(JobId(4)));
    }

    #[test]
    fn a_repository_is_published_by_one_at_a_time_in_the_order_asked() {
        let publish = |name: &str| Lock::Publish(name.to_owned());
        let mut queue = Queue::default();
        queue.push(JobId(1), (publish("a"), nobodys()), None);
        queue.push(JobId(2), (publish("a"), nobodys()), None);
        queue.push(JobId(3), (read("a"), nobodys()), None);
        queue.push(JobId(4), (write("a"), nobodys()), None);
        queue.push(JobId(5), (publish("b"), nobodys()), None);
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), Some(JobId(5)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), Some(JobId(2)));
        queue.finished(JobId(2));
        queue.finished(JobId(3));
        assert_eq!(queue.next(8), Some(JobId(4)));
    }

    #[test]
    fn width_limits_what_runs() {
        let mut queue = Queue::default();
        queue.push(JobId(1), (Lock::None, nobodys()), None);
        queue.push(JobId(2), (Lock::None, nobodys()), None);
        assert_eq!(queue.next(1), Some(JobId(1)));
        assert_eq!(queue.next(1), None);
        assert!(queue.remove(JobId(2)));
        assert!(!queue.remove(JobId(2)));
    }
}
