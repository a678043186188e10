//! What a sync needs to know before it calls the plugin.

use std::sync::Arc;

use wharf_proto::v1;
use wharf_store::model::{Attachment, LastRun, Repository, VersionMode};
use wharf_supervisor::Installed;

use super::{Brought, Ignore, SyncOptions, reasons};
use crate::convert;
use crate::engine::Inner;
use crate::fetch::{Pace, Trust};
use crate::host_service::Rights;
use crate::instances::{
    self, PluginSettings,
    fingerprint::Fingerprint,
    settings::{ImporterSettings, Mode, Policy},
};
use crate::jobs::run::JobRun;
use crate::problem::Problem;

pub(super) struct Setup {
    pub(super) options: SyncOptions,
    /// What a user brought, if this is no sync.
    pub(super) brought: Option<Brought>,
    pub(super) repository: Repository,
    pub(super) attachment: Attachment,
    pub(super) plugin: Arc<Installed>,
    /// The component's id inside the plugin.
    pub(super) component: String,
    /// The component offers list and fetch: the host drives.
    pub(super) listed: bool,
    pub(super) settings: ImporterSettings,
    /// Listed items that are left out.
    pub(super) ignore: Ignore,
    /// The plugin's part of the settings.
    pub(super) plugin_settings: PluginSettings,
    pub(super) fingerprint: Fingerprint,
    pub(super) base: u64,
    pub(super) base_units: u64,
    /// Why upstream's shortcuts must not be used; empty if they may.
    pub(super) full_reasons: Vec<String>,
    pub(super) trust: Arc<Trust>,
    /// What holds downloads back, if the settings ask for it.
    pub(super) pace: Option<Arc<Pace>>,
}

impl Setup {
    pub(super) async fn load(
        engine: &Inner,
        run: &JobRun,
        options: SyncOptions,
    ) -> Result<Self, Problem> {
        let (repository, attachment) = instances::of_job(engine, &run.job).await?;
        let bound = instances::Bound::overridden(engine, &attachment, &options.settings)?;
        let settings: ImporterSettings = bound.host_settings()?;
        let ignore = Ignore::new(&settings.ignore).map_err(|(_place, why)| {
            Problem::usage("usage.settings", format!("ignore: {why}")).at("ignore")
        })?;
        let meta = &engine.store.meta;
        let full_reasons = reasons::Run {
            asked: options.full,
            mode: settings.mode,
            now: &bound.fingerprint,
            last: attachment.last.as_ref(),
            since: reasons::since(meta, &repository, attachment.last.as_ref()).await?,
        }
        .reasons();
        Ok(Self {
            options,
            brought: None,
            base: repository.current_version,
            base_units: repository.units,
            listed: bound.component.operations.iter().any(|operation| operation == "list"),
            component: bound.component.id.clone(),
            plugin_settings: bound.plugin_settings(),
            trust: Arc::new(bound.trust()),
            pace: settings.rate.map(|rate| Arc::new(Pace::new(rate))),
            plugin: bound.plugin,
            repository,
            attachment,
            settings,
            ignore,
            fingerprint: bound.fingerprint,
            full_reasons,
        })
    }

    /// What the plugin may ask of the host during this sync.
    pub(super) fn rights(&self, run: &JobRun, process: u64) -> Rights {
        Rights {
            repository: self.repository.id,
            version: self.base,
            attachment: self.attachment.id,
            settings: self.plugin_settings.text.clone(),
            secrets: self.plugin_settings.secrets.clone(),
            trust: Arc::clone(&self.trust),
            ..Rights::least(run, process)
        }
    }

    pub(super) fn wire_attachment(&self) -> v1::Attachment {
        let (settings, state) = (&self.plugin_settings, self.attachment.state.clone());
        convert::attachment(&self.component, &self.attachment, &self.repository, settings, state)
    }

    pub(super) fn sync_request(&self, context: v1::JobContext) -> v1::SyncRequest {
        v1::SyncRequest {
            context: Some(context),
            attachment: Some(self.wire_attachment()),
            base_version: self.base,
            base_units: self.base_units,
            mode: convert::mode(self.settings.mode).into(),
            policy: convert::policy(self.settings.policy).into(),
            dry_run: self.options.dry_run,
            full: !self.full_reasons.is_empty(),
            full_reasons: self.full_reasons.clone(),
            last: self.attachment.last.as_ref().map(|last| v1::LastSync {
                finished_ms: last.finished_ms,
                version: last.version,
                outcome: last.outcome.clone(),
            }),
            only: Vec::new(),
            checkpoint: Vec::new(),
        }
    }

    /// Whether bytes are fetched by this job.
    pub(super) fn immediate(&self) -> bool {
        self.settings.policy == Policy::Immediate
    }

    pub(super) fn store_mode(&self) -> VersionMode {
        match self.settings.mode {
            Mode::Mirror => VersionMode::Mirror,
            Mode::Additive => VersionMode::Additive,
        }
    }

    pub(super) fn last_run(&self, outcome: &str, version: u64) -> LastRun {
        LastRun {
            finished_ms: crate::clock::now_ms(),
            version,
            outcome: outcome.to_owned(),
            settings_digest: self.fingerprint.to_string(),
        }
    }
}
