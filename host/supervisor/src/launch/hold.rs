//! What the host holds of a plugin's process: a tree under a guardian, a runner's, or one that was
//! found running.

use super::runner::Run;
use super::tree::Tree;
use crate::connect::Attached;
use crate::exit::End;

/// One process, however it came to be.
#[derive(Debug)]
pub(crate) enum Hold {
    /// Started under a guardian.
    Tree(Tree),
    /// Started by a runner.
    Run(Run),
    /// Started by somebody else.
    Attached(Attached),
}

impl Hold {
    /// 0 if it has none, or none here.
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Tree(tree) => tree.pid(),
            Self::Run(run) => run.id().parse().unwrap_or_default(),
            Self::Attached(attached) => attached.pid(),
        }
    }

    /// Whether it ends with the host's last handle on it.
    pub(crate) fn is_ours(&self) -> bool {
        !matches!(self, Self::Attached(_))
    }

    /// Whether it may be ended at all.
    pub(crate) fn may_end(&self) -> bool {
        !matches!(self, Self::Attached(attached) if attached.is_test())
    }

    /// Sends `SIGTERM`. False: there is no way to.
    pub(crate) fn terminate(&self) -> bool {
        match self {
            Self::Tree(tree) => tree.terminate(),
            Self::Run(_) => return false,
            Self::Attached(attached) => attached.terminate(),
        }
        true
    }

    /// Kills it, and of a tree all that it started.
    pub(crate) fn kill(&self) {
        match self {
            Self::Tree(tree) => tree.kill(),
            Self::Run(run) => run.kill(),
            Self::Attached(attached) => attached.kill(),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn status(&self) -> Option<End> {
        match self {
            Self::Tree(tree) => tree.status(),
            Self::Run(run) => run.status(),
            Self::Attached(attached) => attached.status(),
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> End {
        match self {
            Self::Tree(tree) => tree.ended().await,
            Self::Run(run) => run.ended().await,
            Self::Attached(attached) => attached.ended().await,
        }
    }

    /// Waits until nothing is left of it that the host has to clean up.
    pub(crate) async fn gone(&self) {
        match self {
            Self::Tree(tree) => tree.gone().await,
            Self::Run(run) => drop(run.ended().await),
            Self::Attached(attached) => drop(attached.ended().await),
        }
    }
}
