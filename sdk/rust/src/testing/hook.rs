//! A hook, as a host would call it.

use serde::Serialize;
use tonic::Status;
use wharf_proto::v1;
use wharf_proto::v1::plugin_client::PluginClient;

use super::Call;
use crate::{Error, Outcome, Unit};

impl Call<'_> {
    /// What the request for a step says to a component that has a hook: a struct or map.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a harness says what is wrong by failing the test")]
    pub fn parameters<T: Serialize + ?Sized>(mut self, parameters: &T) -> Self {
        let text = serde_json::to_string(parameters).expect("parameters can be written as JSON");
        self.step.parameters = text;
        self
    }

    /// What a hook's step makes its object of; its files lie in the work folder. A build's parent is in its
    /// [`recipe`](Call::recipe).
    #[must_use]
    pub fn parent(mut self, unit: Unit) -> Self {
        self.step.parent = Some(unit.wire);
        self
    }

    /// What the step made, for hooks after it; its files lie in the work folder.
    #[must_use]
    pub fn made(mut self, unit: Unit) -> Self {
        self.step.unit = Some(unit.wire);
        self
    }

    /// Makes `Plugin.Hook` for `before:STEP` or `after:STEP`; subject: what the step is about, a struct or map.
    ///
    /// # Errors
    /// What the call failed with.
    ///
    /// # Panics
    /// When the subject cannot be written as JSON.
    #[expect(clippy::expect_used, reason = "a harness says what is wrong by failing the test")]
    pub async fn hook<T: Serialize + ?Sized>(
        self,
        name: &str,
        subject: &T,
    ) -> Result<v1::HookResponse, Status> {
        let Self { harness, attachment, step, .. } = self;
        let instance = v1::Instance {
            settings: attachment.settings,
            ..attachment.instance.unwrap_or_default()
        };
        let request = v1::HookRequest {
            context: Some(harness.context()),
            name: name.to_owned(),
            subject: serde_json::to_string(subject).expect("a subject can be written as JSON"),
            instance: Some(instance),
            ..step
        };
        let mut client = PluginClient::new(harness.channel.clone());
        Ok(client.hook(request).await?.into_inner())
    }

    /// As [`Call::hook`] for `after:STEP`, and says how the step ended: with an outcome, or with an error.
    ///
    /// # Errors
    /// What the call failed with.
    ///
    /// # Panics
    /// When the subject cannot be written as JSON.
    pub async fn hook_after<T: Serialize + ?Sized>(
        mut self,
        name: &str,
        subject: &T,
        ended: Result<Outcome, Error>,
    ) -> Result<v1::HookResponse, Status> {
        let (outcome, error) = match ended {
            Ok(outcome) => (v1::Outcome::from(outcome), None),
            Err(error) => (v1::Outcome::Failed, Some(v1::Error::from(error))),
        };
        self.step.outcome = outcome.into();
        self.step.error = error;
        self.hook(name, subject).await
    }
}
