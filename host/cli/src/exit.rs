//! Exit statuses.

use crate::api::{Class, Job, JobState};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// All went well, warnings included.
    pub(crate) const DONE: Self = Self(0);
    /// It ended, but items failed or were skipped.
    pub(crate) const PARTIAL: Self = Self(3);
    /// What was to be shown turned out wrong.
    pub(crate) const FAILED: Self = Self(1);

    /// From the mildest to the gravest, for commands with several outcomes.
    const GRAVITY: [u8; 6] = [0, 3, 1, 2, 130, 4];

    /// A problem of this class.
    pub(crate) fn of_class(class: Class) -> Self {
        Self(class.exit_code())
    }

    /// A job, as it stands.
    pub(crate) fn of_job(job: &Job) -> Self {
        match job.state {
            JobState::Failed => {
                job.problem.as_ref().map_or(Self::FAILED, |problem| Self::of_class(problem.class))
            }
            JobState::Cancelled => Self::of_class(Class::Cancelled),
            JobState::Partial | JobState::Skipped => Self::PARTIAL,
            JobState::Interrupted => Self::of_class(Class::Fault),
            _ => Self::DONE,
        }
    }

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        self.0
    }

    /// How grave it is; the greater the worse.
    pub(crate) fn gravity(self) -> usize {
        Self::GRAVITY.iter().position(|code| *code == self.0).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_graver_than_all_others() {
        let codes: Vec<Exit> = [Class::Usage, Class::Operation, Class::Cancelled, Class::Fault]
            .map(Exit::of_class)
            .into();
        let worst = codes.iter().max_by_key(|exit| exit.gravity()).unwrap();
        assert_eq!(worst.code(), 4);
        assert!(Exit::PARTIAL.gravity() < Exit::FAILED.gravity());
    }
}
