//! What every component answers, whatever its role.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use crate::host::Host;
use crate::model::{Attachment, Instance, Job, UnitRef, from_object, to_json, to_object};
use crate::{CheckScope, Error};

/// What every component answers besides the calls of its role. All methods have a default: a component without
/// settings to check says `impl Component for X {}`.
#[async_trait]
pub trait Component: Send + Sync + 'static {
    /// Checks and normalises settings or arguments before they are stored or used. The host has held them
    /// against the manifest's schema already.
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let _ = check;
        Ok(Checked::good())
    }

    /// Whether an instance could work now. Errors of the answer are the reasons why not.
    async fn ready(&self, instance: Instance) -> Result<Checked, Error> {
        let _ = instance;
        Ok(Checked::good())
    }

    /// The choices of a form's field, given what is filled in so far.
    async fn choices(&self, field: String, filled: Check) -> Result<Vec<Choice>, Error> {
        let _ = (field, filled);
        Err(Error::not_offered("choices"))
    }

    /// An instance was bound to a repository.
    async fn attached(&self, attachment: Attachment) -> Result<(), Error> {
        let _ = attachment;
        Ok(())
    }

    /// An instance is about to be unbound from a repository.
    async fn detached(&self, attachment: Attachment) -> Result<(), Error> {
        let _ = attachment;
        Ok(())
    }

    /// Splits a request into jobs; none means one job, as asked.
    async fn plan(&self, plan: Plan) -> Result<Vec<Job>, Error> {
        let _ = plan;
        Ok(Vec::new())
    }
}

/// Values to check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What the values are for.
    pub scope: CheckScope,
    /// JSON object, as text.
    pub values_text: String,
    /// The repository, for an attachment.
    pub repository: String,
    /// JSON object, as text: the values that are stored now, or empty.
    pub previous_text: String,
    pub(crate) host: Host,
}

impl Check {
    /// Reads the values into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn values<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the values", &self.values_text)
    }

    /// A secret that the values name: the value of a setting that the manifest marks with `"format": "secret"`.
    ///
    /// # Errors
    /// What the host answers: a name that the values do not hold is refused.
    pub async fn secret(&self, name: &str) -> Result<Bytes, Error> {
        self.host.secret(name).await
    }

    pub(crate) fn new(wire: v1::CheckRequest, host: Host) -> Self {
        Self {
            scope: wire.scope(),
            values_text: wire.values,
            repository: wire.repository,
            previous_text: wire.previous,
            host,
        }
    }
}

/// The answer to a check: what is wrong by field, what deserves a warning, and the values as they are to be kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    pub(crate) wire: v1::CheckResponse,
}

impl Checked {
    /// Nothing is wrong.
    pub fn good() -> Self {
        Self::default()
    }

    /// Something is wrong with a field. Field: JSON pointer, such as `/url`.
    #[must_use]
    pub fn error(mut self, field: &str, code: &str, message: impl Into<String>) -> Self {
        self.wire.errors.push(problem(field, code, message.into()));
        self
    }

    /// Something about a field deserves a look.
    #[must_use]
    pub fn warning(mut self, field: &str, code: &str, message: impl Into<String>) -> Self {
        self.wire.warnings.push(problem(field, code, message.into()));
        self
    }

    /// The values as they are to be stored; without it, as they came.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn normalised<T: Serialize + ?Sized>(mut self, values: &T) -> Result<Self, Error> {
        self.wire.normalised = to_object("the values", values)?;
        Ok(self)
    }

    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.wire.errors.is_empty()
    }
}

fn problem(field: &str, code: &str, message: String) -> v1::FieldProblem {
    v1::FieldProblem { field: field.to_owned(), code: code.to_owned(), message }
}

/// One choice of a form's field.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub(crate) wire: v1::Choice,
}

impl Choice {
    /// A value, and what people read.
    ///
    /// # Errors
    /// A fault when the value cannot be written as JSON.
    pub fn new<T: Serialize + ?Sized>(value: &T, label: impl Into<String>) -> Result<Self, Error> {
        let value = to_json("the choice", value)?;
        Ok(Self { wire: v1::Choice { value, label: label.into() } })
    }
}

/// A request to split into jobs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The instance.
    pub instance: Instance,
    /// The operation asked for.
    pub operation: String,
    /// JSON object, as text.
    pub arguments_text: String,
    /// The units it was asked for.
    pub units: Vec<UnitRef>,
    /// Who asks.
    pub user: String,
}

impl Plan {
    /// Reads the arguments into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the arguments", &self.arguments_text)
    }
}

impl From<v1::PlanRequest> for Plan {
    fn from(wire: v1::PlanRequest) -> Self {
        Self {
            instance: wire.instance.unwrap_or_default().into(),
            operation: wire.operation,
            arguments_text: wire.arguments,
            units: wire.units.into_iter().map(|wire| UnitRef { wire }).collect(),
            user: wire.user,
        }
    }
}
