//! Whether a publish has anything to do. Nothing here looks at a clock: versions and numbers of publications say what
//! came after what (F97).

use wharf_store::model::{Attachment, LastRun};

/// What is to be published, and what stands.
pub(super) struct Wish<'a> {
    /// Publish even so.
    pub(super) full: bool,
    /// The version that is wanted.
    pub(super) version: u64,
    /// What this run was asked to do.
    pub(super) fingerprint: &'a str,
    /// Who publishes.
    pub(super) own: &'a Attachment,
    /// Whom it comes after.
    pub(super) leader: Option<&'a Attachment>,
}

impl Wish<'_> {
    /// Why there is nothing to do; None: there is.
    pub(super) fn skipped_because(&self) -> Option<String> {
        if let Some(leader) = self.leader
            && leader.publication.is_none()
        {
            return Some(format!("{} has published nothing yet", leader.address()));
        }
        if self.full || !self.stands() {
            return None;
        }
        match self.leader {
            Some(leader) if leader.publication > self.own.publication => None,
            Some(leader) => Some(format!("{} has published nothing since", leader.address())),
            None => Some(format!("version {} is published with these settings", self.version)),
        }
    }

    /// This very version is published as asked. What came while it was being published made another version.
    fn stands(&self) -> bool {
        let as_asked = |last: &LastRun| {
            last.version == self.version
                && last.outcome == "succeeded"
                && last.settings_digest == self.fingerprint
        };
        self.own.publication.is_some() && self.own.last.as_ref().is_some_and(as_asked)
    }
}

#[cfg(test)]
mod tests {
    use wharf_store::model::{AttachmentId, PublicationId, RepositoryId};

    use super::*;

    fn attachment(component: &str, publication: Option<i64>, version: u64) -> Attachment {
        let last = LastRun {
            finished_ms: i64::MAX,
            version,
            outcome: "succeeded".to_owned(),
            settings_digest: "s - -".to_owned(),
        };
        Attachment {
            id: AttachmentId(1),
            repository: RepositoryId(1),
            component: component.to_owned(),
            instance: "default".to_owned(),
            role: "distributor".to_owned(),
            settings: serde_json::Value::Null,
            instance_settings: None,
            settings_changed_ms: 0,
            state: Vec::new(),
            last: publication.map(|_| last),
            publication: publication.map(PublicationId),
            path: None,
        }
    }

    fn wish<'a>(own: &'a Attachment, leader: Option<&'a Attachment>) -> Wish<'a> {
        Wish { full: false, version: 3, fingerprint: "s - -", own, leader }
    }

    fn why(own: &Attachment, leader: &Attachment, full: bool) -> Option<String> {
        Wish { full, ..wish(own, Some(leader)) }.skipped_because()
    }

    #[test]
    fn what_stands_as_asked_is_not_published_again() {
        let own = attachment("a.one", Some(7), 3);
        let why = wish(&own, None).skipped_because().expect("nothing to do");
        assert!(why.contains("version 3"), "{why}");
        for changed in [
            Wish { full: true, ..wish(&own, None) },
            Wish { version: 4, ..wish(&own, None) },
            Wish { fingerprint: "t - -", ..wish(&own, None) },
            Wish { fingerprint: "s o -", ..wish(&own, None) },
            wish(&attachment("a.one", None, 3), None),
        ] {
            assert_eq!(changed.skipped_because(), None);
        }
        let mut partial = own.clone();
        partial.last.as_mut().expect("it ran").outcome = "partial".to_owned();
        assert_eq!(wish(&partial, None).skipped_because(), None);
    }

    // F97
    #[test]
    fn a_follower_publishes_when_its_leader_did_whatever_the_clock_says() {
        let own = attachment("a.two", Some(7), 3);
        let never = attachment("a.one", None, 0);
        for full in [false, true] {
            assert!(
                why(&own, &never, full)
                    .is_some_and(|why| why.contains("a.one has published nothing"))
            );
        }
        assert!(why(&own, &attachment("a.one", Some(6), 3), false).is_some());
        assert_eq!(why(&own, &attachment("a.one", Some(8), 3), false), None);
        assert_eq!(why(&own, &attachment("a.one", Some(6), 3), true), None);
    }
}
