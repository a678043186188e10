//! Other jobs that a plugin asks for, and what it gives to later steps of a build.

use serde::Serialize;
use wharf_proto::v1;

use super::to_object;
use crate::Error;

/// A job to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Job {
    pub(crate) wire: v1::JobSpec,
}

impl Job {
    /// A job of this operation: sync, publish, unpublish, build, run.
    pub fn new(operation: impl Into<String>) -> Self {
        Self { wire: v1::JobSpec { operation: operation.into(), ..v1::JobSpec::default() } }
    }

    /// The arguments: a struct or map.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn arguments<T: Serialize + ?Sized>(mut self, arguments: &T) -> Result<Self, Error> {
        self.wire.arguments = to_object("the job's arguments", arguments)?;
        Ok(self)
    }

    /// What people read.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.wire.name = name.into();
        self
    }

    /// The queue that it waits in.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.wire.queue = name.into();
        self
    }

    /// Its part of what the host does at once.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.wire.weight = weight;
        self
    }

    /// Greater for what is to be done first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.wire.priority = priority;
        self
    }

    /// Places in the same list of jobs that must succeed first.
    #[must_use]
    pub fn after(mut self, places: &[u32]) -> Self {
        self.wire.after = places.to_vec();
        self
    }

    /// Of two jobs with the same key, one is enough.
    #[must_use]
    pub fn duplicate_key(mut self, key: impl Into<String>) -> Self {
        self.wire.duplicate_key = key.into();
        self
    }

    /// The space that it needs while it runs, in bytes.
    #[must_use]
    pub fn space_bytes(mut self, bytes: u64) -> Self {
        self.wire.space_bytes = bytes;
        self
    }
}

/// Something given to a later step of another component in the same build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contribution {
    /// `file`, `command`, `package`, `repository`: put into the image; `argument`: for the builder of the target.
    pub kind: String,
    /// The path, or the name of the command, package, repository or argument.
    pub name: String,
    /// The bytes.
    pub content: Vec<u8>,
    /// Those of a step are taken in ascending order.
    pub order: i32,
}

impl Contribution {
    /// Of this kind, with this name and content, and order 0.
    pub fn new(
        kind: impl Into<String>,
        name: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        Self { kind: kind.into(), name: name.into(), content: content.into(), order: 0 }
    }

    /// Its place among those of the step.
    #[must_use]
    pub fn order(mut self, order: i32) -> Self {
        self.order = order;
        self
    }
}

impl From<v1::Contribution> for Contribution {
    fn from(wire: v1::Contribution) -> Self {
        let v1::Contribution { kind, name, content, order } = wire;
        Self { kind, name, content, order }
    }
}

impl From<Contribution> for v1::Contribution {
    fn from(given: Contribution) -> Self {
        let Contribution { kind, name, content, order } = given;
        Self { kind, name, content, order }
    }
}
