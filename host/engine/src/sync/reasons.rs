//! Whether a sync may use upstream's shortcuts for what is unchanged, and why not. The words are the contract's:
//! `SyncRequest.full_reasons`.

use wharf_store::Meta;
use wharf_store::model::{LastRun, Repository, Since};

use crate::instances::fingerprint::Fingerprint;
use crate::instances::settings::Mode;
use crate::problem::Problem;

/// A run, and what there is to know of the one before it.
pub(super) struct Run<'a> {
    pub(super) asked: bool,
    pub(super) mode: Mode,
    pub(super) now: &'a Fingerprint,
    pub(super) last: Option<&'a LastRun>,
    pub(super) since: Since,
}

/// What became of the repository since its importer last ran.
pub(super) async fn since(
    meta: &Meta,
    repository: &Repository,
    last: Option<&LastRun>,
) -> Result<Since, Problem> {
    match last {
        Some(last) if last.version != repository.current_version => {
            Ok(meta.since(repository.id, last.version).await?)
        }
        _ => Ok(Since::default()),
    }
}

impl Run<'_> {
    /// Why everything must be looked at; empty if upstream may say "unchanged".
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.asked {
            reasons.push("asked");
        }
        match self.last {
            None => reasons.push("first"),
            Some(last) => {
                let before = Fingerprint::parse(&last.settings_digest);
                for (reason, holds) in [
                    ("incomplete", last.outcome != "succeeded"),
                    ("settings", self.now.has_other_settings(&before)),
                    ("policy", self.now.policy != before.policy),
                    ("content", self.content_moved()),
                ] {
                    if holds {
                        reasons.push(reason);
                    }
                }
            }
        }
        reasons.into_iter().map(str::to_owned).collect()
    }

    /// What was taken out may have to come back. What was added has to go only where upstream decides what is there.
    fn content_moved(&self) -> bool {
        self.since.removed || (self.mode == Mode::Mirror && self.since.added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(settings: &str, overriding: &str, policy: &str) -> Fingerprint {
        Fingerprint::parse(&format!("{settings} {overriding} {policy}"))
    }

    fn last(outcome: &str) -> LastRun {
        LastRun {
            finished_ms: 1,
            version: 3,
            outcome: outcome.to_owned(),
            settings_digest: "s - immediate".to_owned(),
        }
    }

    fn run(
        asked: bool,
        mode: Mode,
        now: &Fingerprint,
        last: Option<&LastRun>,
        since: Since,
    ) -> Vec<String> {
        Run { asked, mode, now, last, since }.reasons()
    }

    const QUIET: Since = Since { added: false, removed: false };
    const ADDED: Since = Since { added: true, removed: false };
    const REMOVED: Since = Since { added: false, removed: true };

    #[test]
    fn every_reason_is_told_and_none_without_need() {
        let good = last("succeeded");
        let partial = last("partial");
        let same = fingerprint("s", "-", "immediate");
        let usual = |since| run(false, Mode::Mirror, &same, Some(&good), since);
        assert!(usual(QUIET).is_empty());
        assert_eq!(run(true, Mode::Mirror, &same, Some(&good), QUIET), ["asked"]);
        assert_eq!(run(false, Mode::Mirror, &same, None, QUIET), ["first"]);
        assert_eq!(run(false, Mode::Mirror, &same, Some(&partial), QUIET), ["incomplete"]);
        for (now, reasons) in [
            (fingerprint("t", "-", "immediate"), ["settings"].as_slice()),
            (fingerprint("s", "o", "immediate"), &["settings"]),
            (fingerprint("s", "-", "on_demand"), &["policy"]),
            (fingerprint("t", "o", "streamed"), &["settings", "policy"]),
        ] {
            assert_eq!(run(false, Mode::Mirror, &now, Some(&good), QUIET), reasons, "{now}");
        }
        assert_eq!(usual(ADDED), ["content"]);
        assert_eq!(usual(REMOVED), ["content"]);
    }

    #[test]
    fn what_others_added_stays_in_an_additive_repository() {
        let good = last("succeeded");
        let same = fingerprint("s", "-", "immediate");
        for (since, reasons) in [(ADDED, [].as_slice()), (REMOVED, &["content"])] {
            let run =
                Run { asked: false, mode: Mode::Additive, now: &same, last: Some(&good), since };
            assert_eq!(run.reasons(), *reasons);
        }
    }
}
