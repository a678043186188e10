//! The long calls of the contract: which component offers them, what they are asked, which events they may send.

use wharf_proto::v1::event::Event;
use wharf_proto::v1::{self, Mode, Policy};
use wharf_supervisor::{Bounds, CallError, Component, Events, Process, Role, calls};

use crate::contract::kind;
use crate::desk::Job;
use crate::sample::Sample;

/// One operation of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    Sync,
    List,
    Fetch,
    Upload,
    Resolve,
    Publish,
    Reissue,
    Unpublish,
    Build,
    Run,
}

/// The time of every publication, so that output can be compared: 2026-01-01.
const TIMESTAMP_MS: i64 = 1_767_225_600_000;

impl Operation {
    pub(crate) const ALL: [Self; 10] = [
        Self::Sync,
        Self::List,
        Self::Fetch,
        Self::Upload,
        Self::Resolve,
        Self::Publish,
        Self::Reissue,
        Self::Unpublish,
        Self::Build,
        Self::Run,
    ];

    /// As in a manifest.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::List => "list",
            Self::Fetch => "fetch",
            Self::Upload => "upload",
            Self::Resolve => "resolve",
            Self::Publish => "publish",
            Self::Reissue => "reissue",
            Self::Unpublish => "unpublish",
            Self::Build => "build",
            Self::Run => "run",
        }
    }

    /// `Service.Method`.
    pub(crate) fn call(self) -> &'static str {
        match self {
            Self::Sync => "Importer.Sync",
            Self::List => "Importer.List",
            Self::Fetch => "Importer.Fetch",
            Self::Upload => "Importer.Upload",
            Self::Resolve => "Importer.Resolve",
            Self::Publish => "Distributor.Publish",
            Self::Reissue => "Distributor.Reissue",
            Self::Unpublish => "Distributor.Unpublish",
            Self::Build => "Builder.Build",
            Self::Run => "Action.Run",
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            Self::Sync | Self::List | Self::Fetch | Self::Upload | Self::Resolve => Role::Importer,
            Self::Publish | Self::Reissue | Self::Unpublish => Role::Distributor,
            Self::Build => Role::Builder,
            Self::Run => Role::Action,
        }
    }

    /// What a component declares, and what it may have besides.
    pub(crate) fn declared(component: &Component) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|one| match one {
            Self::Reissue => component.offers(Self::Publish.word()),
            one => component.offers(one.word()),
        })
    }

    /// Whether it may answer UNIMPLEMENTED although the component declares all that it could.
    pub(crate) fn is_optional(self) -> bool {
        self == Self::Reissue
    }

    /// Whether the call may send this event. Source: proto/README.md, section 9.
    pub(crate) fn takes(self, event: &Event) -> bool {
        match kind(event) {
            "units" => matches!(self, Self::Sync | Self::Upload | Self::Build),
            "keep" | "remove" => self == Self::Sync,
            "metadata" => matches!(self, Self::Sync | Self::List),
            "listed" => self == Self::List,
            "content" => self == Self::Fetch,
            "resolved" => self == Self::Resolve,
            "files" => matches!(self, Self::Publish | Self::Reissue),
            "pass_through" | "reuse" | "aliases" | "variants" => self == Self::Publish,
            _ => true,
        }
    }
}

/// What a call is made with.
pub(crate) struct Asked<'a> {
    pub(crate) component: &'a str,
    pub(crate) sample: &'a Sample,
    pub(crate) job: &'a Job,
    /// What the sample's files are called in the job's folder.
    pub(crate) uploads: Vec<v1::File>,
    /// An item of an earlier listing, for Fetch.
    pub(crate) item: Option<v1::ListedItem>,
    /// The unit of the stage before, its files in the job's folder, for Build.
    pub(crate) parent: Option<v1::Unit>,
    /// What an earlier publication is called where it was put, for Unpublish.
    pub(crate) identifier: String,
}

impl Asked<'_> {
    fn instance(&self) -> v1::Instance {
        v1::Instance {
            component: self.component.to_owned(),
            name: "default".to_owned(),
            settings: self.sample.settings_text(),
            secrets: self.sample.secrets.keys().cloned().collect(),
        }
    }

    pub(crate) fn attachment(&self) -> v1::Attachment {
        v1::Attachment {
            instance: Some(self.instance()),
            repository: "verify".to_owned(),
            settings: self.sample.settings_text(),
            state: Vec::new(),
        }
    }

    fn sync(&self, process: &Process) -> v1::SyncRequest {
        v1::SyncRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            mode: Mode::Mirror.into(),
            policy: Policy::Immediate.into(),
            full: true,
            full_reasons: vec!["first".to_owned()],
            ..v1::SyncRequest::default()
        }
    }

    fn list(&self, process: &Process) -> v1::ListRequest {
        let (context, attachment) = (Some(self.job.context(process)), Some(self.attachment()));
        v1::ListRequest { context, attachment, ..v1::ListRequest::default() }
    }

    fn fetch(&self, process: &Process) -> v1::FetchRequest {
        let item = self.item.clone().unwrap_or_default();
        v1::FetchRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            unit: item.unit,
            revision: item.revision,
            offset: 0,
        }
    }

    fn upload(&self, process: &Process) -> v1::UploadRequest {
        v1::UploadRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            files: self.uploads.clone(),
            ..v1::UploadRequest::default()
        }
    }

    fn resolve(&self, process: &Process) -> v1::ResolveRequest {
        let first = self.job.stock.units.first();
        let named = first.map(|unit| v1::UnitRef {
            id: unit.id,
            r#type: unit.r#type.clone(),
            key: unit.key.clone(),
        });
        v1::ResolveRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            version: 1,
            units: named.into_iter().collect(),
            options: String::new(),
        }
    }

    fn publish(&self, process: &Process) -> v1::PublishRequest {
        v1::PublishRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            version: 1,
            units: u64::try_from(self.job.stock.units.len()).unwrap_or(u64::MAX),
            timestamp_ms: TIMESTAMP_MS,
            base_path: "verify".to_owned(),
            full: true,
            ..v1::PublishRequest::default()
        }
    }

    /// The publication of [`Self::publish`], as the host knows it.
    pub(crate) fn publication(&self) -> v1::Publication {
        v1::Publication { id: 1, version: 1, identifier: self.identifier.clone() }
    }

    fn reissue(&self, process: &Process) -> v1::ReissueRequest {
        v1::ReissueRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            publication: Some(self.publication()),
            timestamp_ms: TIMESTAMP_MS,
            signing: Vec::new(),
        }
    }

    fn unpublish(&self, process: &Process) -> v1::UnpublishRequest {
        v1::UnpublishRequest {
            context: Some(self.job.context(process)),
            attachment: Some(self.attachment()),
            publication: Some(self.publication()),
        }
    }

    fn build(&self, process: &Process) -> v1::BuildRequest {
        v1::BuildRequest {
            context: Some(self.job.context(process)),
            instance: Some(self.instance()),
            parent: self.parent.clone(),
            parameters: self.sample.arguments_text(),
            ..self.sample.recipe.request()
        }
    }

    fn run(&self, process: &Process) -> v1::RunRequest {
        v1::RunRequest {
            context: Some(self.job.context(process)),
            instance: Some(self.instance()),
            arguments: self.sample.arguments_text(),
            test: v1::TestMode::Dry.into(),
            ..v1::RunRequest::default()
        }
    }

    /// Makes the call.
    pub(crate) async fn begin(
        &self,
        operation: Operation,
        process: &Process,
        bounds: &Bounds,
    ) -> Result<Events, CallError> {
        match operation {
            Operation::Sync => calls::sync(process, self.sync(process), bounds).await,
            Operation::List => calls::list(process, self.list(process), bounds).await,
            Operation::Fetch => calls::fetch(process, self.fetch(process), bounds).await,
            Operation::Upload => calls::upload(process, self.upload(process), bounds).await,
            Operation::Resolve => calls::resolve(process, self.resolve(process), bounds).await,
            Operation::Publish => calls::publish(process, self.publish(process), bounds).await,
            Operation::Reissue => calls::reissue(process, self.reissue(process), bounds).await,
            Operation::Unpublish => {
                calls::unpublish(process, self.unpublish(process), bounds).await
            }
            Operation::Build => calls::build(process, self.build(process), bounds).await,
            Operation::Run => calls::run(process, self.run(process), bounds).await,
        }
    }

    /// The request as it travels.
    pub(crate) fn encoded(&self, operation: Operation, process: &Process) -> Vec<u8> {
        use prost::Message as _;
        match operation {
            Operation::Sync => self.sync(process).encode_to_vec(),
            Operation::List => self.list(process).encode_to_vec(),
            Operation::Fetch => self.fetch(process).encode_to_vec(),
            Operation::Upload => self.upload(process).encode_to_vec(),
            Operation::Resolve => self.resolve(process).encode_to_vec(),
            Operation::Publish => self.publish(process).encode_to_vec(),
            Operation::Reissue => self.reissue(process).encode_to_vec(),
            Operation::Unpublish => self.unpublish(process).encode_to_vec(),
            Operation::Build => self.build(process).encode_to_vec(),
            Operation::Run => self.run(process).encode_to_vec(),
        }
    }
}
