//! One call of `Plugin.Hook`: what the component is told, and what it may ask of the host meanwhile.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use wharf_proto::v1;
use wharf_supervisor::calls::{self, Bounds};

use super::subscribe::Subscriber;
use super::{Ended, Step};
use crate::engine::Inner;
use crate::fetch::Trust;
use crate::host_service::Rights;
use crate::instances::{Address, schema};
use crate::jobs::run::JobRun;
use crate::problem::{Class, Problem};

/// How long a hook may clean up after a step that was cancelled.
const AFTER_CANCEL: Duration = Duration::from_secs(5);

/// Asks a hook before a step.
pub(super) async fn before(
    engine: &Inner,
    run: &JobRun,
    step: &Step<'_>,
    to: &Subscriber<'_>,
) -> Result<v1::HookResponse, Problem> {
    let request = v1::HookRequest::default();
    let answer = Call { engine, run, step, to }.make(request, &engine.bounds(run)).await;
    answer.map_err(|problem| to.found(problem))
}

/// Tells a hook how the step ended; `unit` is what there is of it by now. It is heard even if the job was cancelled.
pub(super) async fn after(
    engine: &Inner,
    run: &JobRun,
    step: &Step<'_>,
    to: &Subscriber<'_>,
    (ended, unit): (&Ended<'_>, Option<v1::Unit>),
) -> Result<v1::HookResponse, Problem> {
    let (outcome, error) = match ended {
        Ended::Made(_) | Ended::Decided(_, Some(_)) => (v1::Outcome::Added, None),
        Ended::Ran(true) => (v1::Outcome::Changed, None),
        Ended::Ran(false) => (v1::Outcome::Unchanged, None),
        Ended::Decided(_, None) => (v1::Outcome::Skipped, None),
        Ended::Failed(problem) => (v1::Outcome::Failed, Some(told(problem))),
    };
    let request =
        v1::HookRequest { outcome: outcome.into(), error, unit, ..v1::HookRequest::default() };
    let bounds = if run.cancel.is_cancelled() {
        Bounds::new(AFTER_CANCEL).cancel(CancellationToken::new())
    } else {
        engine.bounds(run)
    };
    Call { engine, run, step, to }.make(request, &bounds).await
}

/// A hook wants what this kind of step does not have.
pub(super) fn not_for(by: &Address, step: &str, what: &str) -> Problem {
    Problem::protocol(format!("hook {by} wants to {what} {step}, which only builds know"))
}

struct Call<'a> {
    engine: &'a Inner,
    run: &'a JobRun,
    step: &'a Step<'a>,
    to: &'a Subscriber<'a>,
}

impl Call<'_> {
    async fn make(
        &self,
        request: v1::HookRequest,
        bounds: &Bounds,
    ) -> Result<v1::HookResponse, Problem> {
        let Self { engine, run, to, .. } = self;
        let settings = engine.instance_settings(&to.address, to.component).await?;
        let process = engine.process_until(run, to.plugin, &bounds.cancel).await?;
        let grant = engine.grants.grant(self.rights(process.id(), &settings))?;
        let request = v1::HookRequest {
            context: Some(Inner::job_context(run, &process, grant.token())),
            name: to.on.to_owned(),
            subject: self.step.subject.to_string(),
            instance: Some(v1::Instance {
                component: to.component.id.clone(),
                name: to.address.instance.clone(),
                secrets: self.secrets(&settings),
                settings: Value::Object(settings.clone()).to_string(),
            }),
            parameters: Value::Object(self.parameters()).to_string(),
            parent: self.step.parent.clone(),
            ..request
        };
        let answer = calls::hook(&process, request, bounds).await.map_err(Problem::from);
        drop(grant);
        if let Err(problem) = &answer {
            process.end(problem);
        }
        answer
    }

    fn parameters(&self) -> Map<String, Value> {
        let component = self.to.address.to_string();
        let told = self.step.told.iter().find(|told| told.component == component);
        told.map(|told| told.parameters.clone()).unwrap_or_default()
    }

    fn secrets<T: FromIterator<String>>(&self, settings: &Map<String, Value>) -> T {
        let named = schema::secrets(self.to.component.instance_schema.as_ref(), settings);
        named.map(|(_key, name)| name.to_owned()).collect()
    }

    fn rights(&self, process: u64, settings: &Map<String, Value>) -> Rights {
        let (run, repository) = (self.run, self.step.repository);
        let trust = settings.values().filter_map(Value::as_str);
        let trust = trust.filter(|text| text.contains("://")).fold(Trust::public(), Trust::typed);
        Rights {
            repository: repository.id,
            version: repository.current_version,
            settings: Value::Object(settings.clone()).to_string(),
            secrets: self.secrets(settings),
            trust: Arc::new(trust),
            ..Rights::least(run, process)
        }
    }
}

/// A problem, as a plugin is told of it.
fn told(problem: &Problem) -> v1::Error {
    let class = match problem.class {
        Class::Usage => v1::ErrorClass::Usage,
        Class::Operation => v1::ErrorClass::Operation,
        Class::Cancelled => v1::ErrorClass::Cancelled,
        Class::Fault => v1::ErrorClass::Fault,
    };
    v1::Error {
        class: class.into(),
        code: problem.code.clone(),
        message: problem.message.clone(),
        scope: v1::ErrorScope::Run.into(),
        ..v1::Error::default()
    }
}
