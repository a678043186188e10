//! Doing something on request.

use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use super::Component;
use crate::model::{Instance, Unit, from_object};
use crate::{Context, Done, Error, TestMode};

/// Does something on request.
#[async_trait]
pub trait Action: Component {
    /// Does it: [`Context::output`], [`Context::link`], [`Context::job`].
    async fn run(&self, request: RunRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("run"))
    }
}

/// What `run` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunRequest {
    /// The instance.
    pub instance: Instance,
    /// JSON object, as text; checked.
    pub arguments_text: String,
    /// The units it was asked for.
    pub units: Vec<Unit>,
    /// Who asks.
    pub user: String,
    /// Whether it is a test.
    pub test: TestMode,
    /// The same key means the same wish: doing it once is enough.
    pub idempotency_key: String,
}

impl RunRequest {
    /// Reads the arguments into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the arguments", &self.arguments_text)
    }
}

impl From<v1::RunRequest> for RunRequest {
    fn from(wire: v1::RunRequest) -> Self {
        Self {
            test: wire.test(),
            instance: wire.instance.unwrap_or_default().into(),
            arguments_text: wire.arguments,
            units: wire.units.into_iter().map(Unit::from).collect(),
            user: wire.user,
            idempotency_key: wire.idempotency_key,
        }
    }
}
