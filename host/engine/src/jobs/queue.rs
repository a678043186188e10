//! Which job may start next. First come, first served per repository; a job that waits holds back younger ones that
//! want the same repository, so nothing starves. Pure: no clock, no task.

use std::collections::{HashMap, HashSet, VecDeque};

use wharf_store::model::{Job, JobId};

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
}

impl Lock {
    /// A sync writes its repository, everything else reads one fixed version.
    pub(super) fn of(job: &Job) -> Self {
        match (&job.repository, job.operation.as_str()) {
            (Some(repository), "sync") => Self::Write(repository.clone()),
            (Some(repository), "publish") => Self::Publish(repository.clone()),
            (Some(repository), _) => Self::Read(repository.clone()),
            (None, _) => Self::None,
        }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<(JobId, Lock)>,
    running: HashMap<JobId, Lock>,
}

impl Queue {
    pub(super) fn push(&mut self, job: JobId, lock: Lock) {
        self.waiting.push_back((job, lock));
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
        self.running.values().for_each(|lock| taken.add(lock));
        let place = self.waiting.iter().position(|(_, lock)| {
            let free = taken.allows(lock);
            taken.add(lock);
            free
        })?;
        let (job, lock) = self.waiting.remove(place)?;
        self.running.insert(job, lock);
        Some(job)
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
}

impl Taken {
    fn add(&mut self, lock: &Lock) {
        match lock {
            Lock::None => {}
            Lock::Read(name) => drop(self.read.insert(name.clone())),
            Lock::Publish(name) => {
                self.read.insert(name.clone());
                self.published.insert(name.clone());
            }
            Lock::Write(name) => drop(self.written.insert(name.clone())),
        }
    }

    fn allows(&self, lock: &Lock) -> bool {
        match lock {
            Lock::None => true,
            Lock::Read(name) => !self.written.contains(name),
            Lock::Publish(name) => !self.written.contains(name) && !self.published.contains(name),
            Lock::Write(name) => !self.written.contains(name) && !self.read.contains(name),
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

    #[test]
    fn one_writer_per_repository() {
        let mut queue = Queue::default();
        queue.push(JobId(1), write("a"));
        queue.push(JobId(2), write("a"));
        queue.push(JobId(3), write("b"));
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        assert_eq!(queue.next(8), Some(JobId(2)));
    }

    #[test]
    fn readers_share_and_a_waiting_writer_holds_back_younger_readers() {
        let mut queue = Queue::default();
        queue.push(JobId(1), read("a"));
        queue.push(JobId(2), read("a"));
        queue.push(JobId(3), write("a"));
        queue.push(JobId(4), read("a"));
        assert_eq!(queue.next(8), Some(JobId(1)));
        assert_eq!(queue.next(8), Some(JobId(2)));
        assert_eq!(queue.next(8), None);
        queue.finished(JobId(1));
        queue.finished(JobId(2));
        assert_eq!(queue.next(8), Some(JobId(3)));
        assert_eq!(queue.next(8), None);
    }

    #[test]
    fn a_repository_is_published_by_one_at_a_time_in_the_order_asked() {
        let publish = |name: &str| Lock::Publish(name.to_owned());
        let mut queue = Queue::default();
        queue.push(JobId(1), publish("a"));
        queue.push(JobId(2), publish("a"));
        queue.push(JobId(3), read("a"));
        queue.push(JobId(4), write("a"));
        queue.push(JobId(5), publish("b"));
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
        queue.push(JobId(1), Lock::None);
        queue.push(JobId(2), Lock::None);
        assert_eq!(queue.next(1), Some(JobId(1)));
        assert_eq!(queue.next(1), None);
        assert!(queue.remove(JobId(2)));
        assert!(!queue.remove(JobId(2)));
    }
}
