//! Who holds what, and who waits for it. Pure: no clock, no task, no disk.

use std::collections::{BTreeMap, VecDeque};

/// Something that a job may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) thing: Thing,
    /// Places in a queue, bytes of space; 1 of a lock.
    pub(crate) amount: u64,
}

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
    /// One job has it.
    Lock(String),
    /// So many places.
    Queue {
        /// Its name.
        name: String,
        /// How many places there are.
        width: u64,
    },
    /// Bytes of a file system.
    Space {
        /// Its number.
        device: u64,
    },
}

impl Thing {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lock(one), Self::Lock(other))
            | (Self::Queue { name: one, .. }, Self::Queue { name: other, .. }) => one == other,
            (Self::Space { device: one }, Self::Space { device: other }) => one == other,
            _ => false,
        }
    }
}

#[derive(Debug)]
struct Held {
    job: i64,
    want: Want,
}

/// All that is held, and all who wait, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Book {
    last: u64,
    held: BTreeMap<u64, Held>,
    waiting: VecDeque<(u64, Thing)>,
}

impl Book {
    /// A place at the end of those who wait for the same thing.
    pub(super) fn stand(&mut self, thing: &Thing) -> u64 {
        self.last += 1;
        self.waiting.push_back((self.last, thing.clone()));
        self.last
    }

    /// Gives the place up.
    pub(super) fn leave(&mut self, place: u64) {
        self.waiting.retain(|(waiting, _)| *waiting != place);
    }

    /// Takes it, if it is there and nobody came before. `free`: bytes that are not to be kept free, for space.
    pub(super) fn take(&mut self, place: u64, job: i64, want: &Want, free: u64) -> Option<u64> {
        let first = self.waiting.iter().find(|(_, thing)| thing.is(&want.thing));
        if first.is_some_and(|(first, _)| *first != place) {
            return None;
        }
        let all = match &want.thing {
            Thing::Lock(_) => 1,
            Thing::Queue { width, .. } => *width,
            Thing::Space { .. } => free,
        };
        let fits = self.taken(&want.thing).checked_add(want.amount).is_some_and(|sum| sum <= all);
        fits.then(|| {
            self.leave(place);
            self.last += 1;
            self.held.insert(self.last, Held { job, want: want.clone() });
            self.last
        })
    }

    /// Gives a grant back. Says whether the job had it.
    pub(super) fn release(&mut self, job: i64, grant: u64) -> bool {
        let had = self.held.get(&grant).is_some_and(|held| held.job == job);
        if had {
            self.held.remove(&grant);
        }
        had
    }

    /// Takes everything back that a job has. Says whether it had anything.
    pub(super) fn end(&mut self, job: i64) -> bool {
        let before = self.held.len();
        self.held.retain(|_, held| held.job != job);
        self.held.len() < before
    }

    /// How many grants a job has.
    pub(super) fn count(&self, job: i64) -> usize {
        self.held.values().filter(|held| held.job == job).count()
    }

    /// The jobs that have some of it.
    pub(super) fn holders(&self, thing: &Thing) -> Vec<i64> {
        let held = self.held.values().filter(|held| held.want.thing.is(thing));
        let mut jobs: Vec<i64> = held.map(|held| held.job).collect();
        jobs.sort_unstable();
        jobs.dedup();
        jobs
    }

    fn taken(&self, thing: &Thing) -> u64 {
        let held = self.held.values().filter(|held| held.want.thing.is(thing));
        held.map(|held| held.want.amount).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Want {
        Want { thing: Thing::Lock("disk".to_owned()), amount: 1 }
    }

    fn queue(amount: u64) -> Want {
        Want { thing: Thing::Queue { name: "local".to_owned(), width: 2 }, amount }
    }

    fn take(book: &mut Book, job: i64, want: &Want) -> Option<u64> {
        let place = book.stand(&want.thing);
        let taken = book.take(place, job, want, 10);
        if taken.is_none() {
            book.leave(place);
        }
        taken
    }

    #[test]
    fn a_lock_is_one_jobs_and_a_queue_has_its_places() {
        let mut book = Book::default();
        let grant = take(&mut book, 1, &lock()).expect("it is free");
        assert_eq!(take(&mut book, 2, &lock()), None);
        assert!(!book.release(2, grant), "it is another job's");
        assert_eq!(book.holders(&lock().thing), [1]);
        assert!(book.release(1, grant) && !book.release(1, grant));
        assert!(take(&mut book, 2, &lock()).is_some());
        assert!(take(&mut book, 1, &queue(1)).is_some() && take(&mut book, 2, &queue(1)).is_some());
        assert_eq!(take(&mut book, 3, &queue(1)), None);
        assert!(book.end(2) && !book.end(2));
        assert!(take(&mut book, 3, &lock()).is_some() && take(&mut book, 3, &queue(1)).is_some());
        assert_eq!(book.count(3), 2);
    }

    #[test]
    fn space_is_what_is_free_less_what_is_held_on_the_same_file_system() {
        let mut book = Book::default();
        let want = |device, amount| Want { thing: Thing::Space { device }, amount };
        assert!(take(&mut book, 1, &want(1, 7)).is_some());
        assert_eq!(take(&mut book, 1, &want(1, 4)), None);
        assert_eq!(take(&mut book, 1, &want(1, u64::MAX)), None);
        assert!(
            take(&mut book, 1, &want(1, 3)).is_some() && take(&mut book, 1, &want(2, 9)).is_some()
        );
    }

    #[test]
    fn whoever_came_first_is_served_first() {
        let mut book = Book::default();
        let one = take(&mut book, 1, &queue(1)).expect("it is free");
        let big = queue(2);
        let first = book.stand(&big.thing);
        assert_eq!(book.take(first, 2, &big, 0), None);
        assert_eq!(take(&mut book, 3, &queue(1)), None, "a place is free, but another one waits");
        assert!(take(&mut book, 3, &lock()).is_some(), "for something else");
        assert!(book.release(1, one));
        assert!(book.take(first, 2, &big, 0).is_some());
    }
}
