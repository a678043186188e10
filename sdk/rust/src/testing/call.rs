//! A call, as a host would make it.

use serde::Serialize;
use tonic::{Response, Status, Streaming};
use wharf_proto::v1;
use wharf_proto::v1::action_client::ActionClient;
use wharf_proto::v1::builder_client::BuilderClient;
use wharf_proto::v1::distributor_client::DistributorClient;
use wharf_proto::v1::importer_client::ImporterClient;
use wharf_proto::v1::plugin_client::PluginClient;

use super::{Harness, Run, Running};
use crate::{File, Mode, Policy, Unit};

/// A call to one component. Say what differs from a first run with empty settings, then make it.
pub struct Call<'a> {
    pub(super) harness: &'a Harness,
    pub(super) attachment: v1::Attachment,
    sync: v1::SyncRequest,
    publish: v1::PublishRequest,
    run: v1::RunRequest,
    build: v1::BuildRequest,
    pub(super) step: v1::HookRequest,
}

impl<'a> Call<'a> {
    pub(super) fn new(harness: &'a Harness, component: &str) -> Self {
        let instance = v1::Instance {
            component: component.to_owned(),
            name: "default".to_owned(),
            settings: "{}".to_owned(),
            secrets: Vec::new(),
        };
        let attachment = v1::Attachment {
            instance: Some(instance),
            repository: "test".to_owned(),
            settings: "{}".to_owned(),
            state: Vec::new(),
        };
        let sync = v1::SyncRequest {
            mode: Mode::Mirror.into(),
            policy: Policy::Immediate.into(),
            ..v1::SyncRequest::default()
        };
        let publish = v1::PublishRequest {
            version: 1,
            base_path: "test".to_owned(),
            ..v1::PublishRequest::default()
        };
        let (run, build) = (v1::RunRequest::default(), v1::BuildRequest::default());
        let step = v1::HookRequest { parameters: "{}".to_owned(), ..v1::HookRequest::default() };
        Self { harness, attachment, sync, publish, run, build, step }
    }

    /// The effective settings; for actions, the arguments.
    ///
    /// # Panics
    /// When the value cannot be written as JSON.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a harness says what is wrong by failing the test")]
    pub fn settings<T: Serialize + ?Sized>(mut self, settings: &T) -> Self {
        let text = serde_json::to_string(settings).expect("settings can be written as JSON");
        self.run.arguments.clone_from(&text);
        self.attachment.settings = text;
        self
    }

    /// The kept state of the run before: [`Run::state`].
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.attachment.state = state.into();
        self
    }

    /// Names of secrets that the instance has.
    #[must_use]
    pub fn secrets(mut self, names: &[&str]) -> Self {
        if let Some(instance) = &mut self.attachment.instance {
            instance.secrets = names.iter().map(|&name| name.to_owned()).collect();
        }
        self
    }

    /// Upstream's shortcuts must not be used.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.sync.full = true;
        self.publish.full = true;
        self
    }

    /// How the last sync ended, `succeeded` or `partial`; without this there was none.
    #[must_use]
    pub fn last(mut self, outcome: &str) -> Self {
        let outcome = outcome.to_owned();
        self.sync.last = Some(v1::LastSync { finished_ms: 1, version: 1, outcome });
        self
    }

    /// The mode of a sync; mirror without this.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.sync.mode = mode.into();
        self
    }

    /// The policy of a sync; immediate without this.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.sync.policy = policy.into();
        self
    }

    /// The items that a sync or a listing is asked for; all without this.
    #[must_use]
    pub fn only(mut self, items: &[&str]) -> Self {
        self.sync.only = items.iter().map(|&item| item.to_owned()).collect();
        self
    }

    /// What an earlier attempt left.
    #[must_use]
    pub fn checkpoint(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.sync.checkpoint = data.into();
        self
    }

    /// The time to write into a publication's metadata.
    #[must_use]
    pub fn timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.publish.timestamp_ms = timestamp_ms;
        self
    }

    /// The host signs; [`FakeHost::signer`](super::FakeHost::signer) says how.
    #[must_use]
    pub fn signing(mut self, key: &str) -> Self {
        self.publish.signing = vec![key.to_owned()];
        self
    }

    fn context(&self) -> v1::JobContext {
        self.harness.context()
    }

    fn importer(&self) -> ImporterClient<tonic::transport::Channel> {
        ImporterClient::new(self.harness.channel.clone())
    }

    fn running(&self, events: Result<Response<Streaming<v1::Event>>, Status>) -> Running {
        Running::new(events, std::sync::Arc::clone(&self.harness.registry))
    }

    /// Starts `sync` and hands out its events one by one.
    pub async fn start_sync(self) -> Running {
        let (context, attachment) = (Some(self.context()), Some(self.attachment.clone()));
        let request = v1::SyncRequest { context, attachment, ..self.sync.clone() };
        self.running(self.importer().sync(request).await)
    }

    /// Makes `sync`.
    pub async fn sync(self) -> Run {
        self.start_sync().await.finish().await
    }

    /// Makes `list`.
    pub async fn list(self) -> Run {
        let (context, attachment) = (Some(self.context()), Some(self.attachment.clone()));
        let only = self.sync.only.clone();
        let request = v1::ListRequest { context, attachment, only, ..v1::ListRequest::default() };
        self.running(self.importer().list(request).await).finish().await
    }

    /// Makes `fetch` for an item that was listed.
    pub async fn fetch(self, item: &v1::ListedItem, offset: u64) -> Run {
        self.start_fetch(item, offset).await.finish().await
    }

    /// Starts `fetch` for an item that was listed, and hands out its events one by one.
    pub async fn start_fetch(self, item: &v1::ListedItem, offset: u64) -> Running {
        let request = v1::FetchRequest {
            context: Some(self.context()),
            attachment: Some(self.attachment.clone()),
            unit: item.unit.clone(),
            revision: item.revision.clone(),
            offset,
        };
        self.running(self.importer().fetch(request).await)
    }

    /// Makes `upload` with files that lie in the work folder.
    pub async fn upload(self, kind: &str, files: Vec<File>) -> Run {
        let request = v1::UploadRequest {
            context: Some(self.context()),
            attachment: Some(self.attachment.clone()),
            r#type: kind.to_owned(),
            files: files.into_iter().map(|file| file.wire).collect(),
            ..v1::UploadRequest::default()
        };
        self.running(self.importer().upload(request).await).finish().await
    }

    /// Makes `upload` with files that lie in the work folder, and what the user said of them: two JSON objects.
    pub async fn upload_with(self, key: &str, attributes: &str, files: Vec<File>) -> Run {
        let request = v1::UploadRequest {
            context: Some(self.context()),
            attachment: Some(self.attachment.clone()),
            key: key.to_owned(),
            attributes: attributes.to_owned(),
            files: files.into_iter().map(|file| file.wire).collect(),
            ..v1::UploadRequest::default()
        };
        self.running(self.importer().upload(request).await).finish().await
    }

    /// Makes `resolve` for these units of version 1.
    pub async fn resolve(self, units: Vec<crate::UnitRef>) -> Run {
        let request = v1::ResolveRequest {
            context: Some(self.context()),
            attachment: Some(self.attachment.clone()),
            version: 1,
            units: units.into_iter().map(|unit| unit.wire).collect(),
            options: String::new(),
        };
        self.running(self.importer().resolve(request).await).finish().await
    }

    /// Makes `publish`.
    pub async fn publish(self) -> Run {
        let (context, attachment) = (Some(self.context()), Some(self.attachment.clone()));
        let request = v1::PublishRequest { context, attachment, ..self.publish.clone() };
        let mut client = DistributorClient::new(self.harness.channel.clone());
        self.running(client.publish(request).await).finish().await
    }

    /// Makes `reissue` for the publication with this number.
    pub async fn reissue(self, publication: u64) -> Run {
        let request = v1::ReissueRequest {
            context: Some(self.context()),
            attachment: Some(self.attachment.clone()),
            publication: Some(v1::Publication {
                id: publication,
                version: 1,
                ..Default::default()
            }),
            timestamp_ms: self.publish.timestamp_ms,
            signing: self.publish.signing.clone(),
        };
        let mut client = DistributorClient::new(self.harness.channel.clone());
        self.running(client.reissue(request).await).finish().await
    }

    /// Makes `ClientConfig` for publication 1, served at this address.
    ///
    /// # Errors
    /// What the call failed with.
    pub async fn client_config(self, base_url: &str) -> Result<v1::ClientConfigResponse, Status> {
        let request = v1::ClientConfigRequest {
            attachment: Some(self.attachment.clone()),
            publication: Some(v1::Publication { id: 1, version: 1, ..Default::default() }),
            base_url: base_url.to_owned(),
            options: String::new(),
        };
        let mut client = DistributorClient::new(self.harness.channel.clone());
        Ok(client.client_config(request).await?.into_inner())
    }

    /// What `build` builds for, and from: everything but the context, the stage and the parameters of the request.
    #[must_use]
    pub fn recipe(mut self, recipe: v1::BuildRequest) -> Self {
        self.build = recipe;
        self
    }

    /// Makes `build`, with the settings as parameters.
    pub async fn build(self, stage: crate::Stage) -> Run {
        self.start_build(stage).await.finish().await
    }

    /// Starts `build` and hands out its events one by one.
    pub async fn start_build(self, stage: crate::Stage) -> Running {
        let request = v1::BuildRequest {
            context: Some(self.context()),
            instance: self.attachment.instance.clone(),
            stage: stage.into(),
            parameters: self.attachment.settings.clone(),
            ..self.build.clone()
        };
        let mut client = BuilderClient::new(self.harness.channel.clone());
        self.running(client.build(request).await)
    }

    /// Makes `run` for these units, with the settings as arguments.
    pub async fn run(self, units: Vec<Unit>) -> Run {
        let request = v1::RunRequest {
            context: Some(self.context()),
            instance: self.attachment.instance.clone(),
            units: units.into_iter().map(|unit| unit.wire).collect(),
            ..self.run.clone()
        };
        let mut client = ActionClient::new(self.harness.channel.clone());
        self.running(client.run(request).await).finish().await
    }

    /// Makes `Check` for an attachment, with the settings as values.
    ///
    /// # Errors
    /// What the call itself failed with; problems of the values are in the answer.
    pub async fn check(self) -> Result<v1::CheckResponse, Status> {
        let context = self.context();
        let request = v1::CheckRequest {
            component: self.attachment.instance.unwrap_or_default().component,
            scope: v1::CheckScope::Attachment.into(),
            values: self.attachment.settings,
            repository: self.attachment.repository,
            previous: String::new(),
            context: Some(context),
        };
        let mut client = PluginClient::new(self.harness.channel.clone());
        Ok(client.check(request).await?.into_inner())
    }

    /// Makes `Ready` for the instance. No reasons: it is.
    ///
    /// # Errors
    /// What the call itself failed with.
    pub async fn ready(self) -> Result<Vec<v1::FieldProblem>, Status> {
        let request = v1::ReadyRequest { instance: self.attachment.instance };
        let mut client = PluginClient::new(self.harness.channel.clone());
        Ok(client.ready(request).await?.into_inner().reasons)
    }
}
