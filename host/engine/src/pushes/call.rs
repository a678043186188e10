//! One call of a component of profile push: what it is told, and what the provider calls the image.

use serde_json::Value;
use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{Repository, UnitId};
use wharf_supervisor::Lease;
use wharf_supervisor::calls::{self, Events};

use super::provider::{Provider, Told};
use crate::clock;
use crate::convert;
use crate::engine::Inner;
use crate::host_service::{Only, Rights};
use crate::jobs::run::JobRun;
use crate::problem::Problem;

/// The longest name that a provider may give an image, in bytes.
const MAX_IDENTIFIER: usize = 1024;

/// What is asked for.
pub(super) enum Ask {
    /// Bring this image there.
    Publish {
        image: UnitId,
        /// What the same push made before, which is looked for, or which this one takes the place of.
        previous: Option<v1::Publication>,
        /// Although it is there.
        again: bool,
    },
    /// Take this away there.
    Unpublish(v1::Publication),
}

/// What came of it.
pub(super) struct Answer {
    /// Empty after an unpublish.
    pub(super) identifier: String,
    /// Whether the provider has what it had not before.
    pub(super) changed: bool,
    /// Kept with the image.
    pub(super) details: Option<Value>,
    /// The plugin's own words.
    pub(super) summary: Option<Value>,
}

/// Makes the call. `repository`: whose image it is.
pub(super) async fn call(
    (engine, run): (&Inner, &JobRun),
    repository: &Repository,
    (provider, told): (&Provider<'_>, &Told),
    ask: Ask,
) -> Result<Answer, Problem> {
    let process = engine.borrow_process(run, provider.plugin).await?;
    let image = match &ask {
        Ask::Publish { image, .. } => vec![*image],
        Ask::Unpublish(_) => Vec::new(),
    };
    let names = matches!(ask, Ask::Publish { .. });
    let grant = engine.grants.grant(rights(run, process.id(), repository, told, image))?;
    let context = Inner::job_context(run, &process, grant.token());
    let attachment = attachment(provider, repository, told);
    let outcome = async {
        let bounds = engine.bounds(run);
        let events = start(&process, (context, attachment), ask, &bounds).await?;
        let answer = answer(follow(run, events).await?, names)?;
        keeps_no_secret(engine, &answer.identifier, answer.details.as_ref())?;
        Ok(answer)
    };
    let outcome = outcome.await;
    drop(grant);
    if let Err(problem) = &outcome {
        process.end(problem);
    }
    outcome
}

async fn start(
    process: &Lease,
    (context, attachment): (v1::JobContext, v1::Attachment),
    ask: Ask,
    bounds: &calls::Bounds,
) -> Result<Events, calls::CallError> {
    let (context, attachment) = (Some(context), Some(attachment));
    match ask {
        Ask::Publish { previous, again, .. } => {
            let request = v1::PublishRequest {
                context,
                attachment,
                units: 1,
                full: again && previous.is_some(),
                previous,
                timestamp_ms: clock::now_ms(),
                ..v1::PublishRequest::default()
            };
            calls::publish(process, request, bounds).await
        }
        Ask::Unpublish(publication) => {
            let publication = Some(publication);
            let request = v1::UnpublishRequest { context, attachment, publication };
            calls::unpublish(process, request, bounds).await
        }
    }
}

fn attachment(provider: &Provider<'_>, repository: &Repository, told: &Told) -> v1::Attachment {
    v1::Attachment {
        instance: Some(provider.instance(told)),
        repository: repository.name.to_string(),
        settings: told.all.clone(),
        state: Vec::new(),
    }
}

fn rights(
    run: &JobRun,
    process: u64,
    repository: &Repository,
    told: &Told,
    image: Vec<UnitId>,
) -> Rights {
    Rights {
        repository: repository.id,
        only: Some(Only::Units(image)),
        settings: told.all.clone(),
        secrets: told.secrets.clone(),
        ..Rights::least(run, process)
    }
}

async fn follow(run: &JobRun, mut events: Events) -> Result<v1::Result, Problem> {
    loop {
        match events.next().await? {
            Some(Event::Result(result)) => return Ok(result),
            // A retry looks at what the provider has.
            Some(Event::Checkpoint(_)) => {}
            Some(event) => convert::tell(run, event).await?,
            None => return Err(Problem::protocol("the stream ended without a result")),
        }
    }
}

fn answer(result: v1::Result, names: bool) -> Result<Answer, Problem> {
    if names {
        identifies("Result.identifier", &result.identifier)?;
    }
    Ok(Answer {
        identifier: result.identifier,
        changed: result.changed,
        details: convert::json_object(&result.outputs, "Result.outputs")?,
        summary: convert::json_object(&result.summary, "Result.summary")?,
    })
}

/// A field tells what the provider calls the image.
pub(crate) fn identifies(field: &str, identifier: &str) -> Result<(), Problem> {
    let length = identifier.len();
    if !(1..=MAX_IDENTIFIER).contains(&length) {
        let message = format!(
            "{field} has {length} bytes: it must tell what the provider calls the image, in 1 to {MAX_IDENTIFIER}"
        );
        return Err(Problem::protocol(message));
    }
    if identifier.contains(|it: char| it.is_control()) {
        return Err(Problem::protocol(format!("{field} has control characters")));
    }
    Ok(())
}

/// What is kept for ever holds no secret that the plugin was handed.
pub(crate) fn keeps_no_secret(
    engine: &Inner,
    identifier: &str,
    details: Option<&Value>,
) -> Result<(), Problem> {
    let details = details.map(Value::to_string).unwrap_or_default();
    let redactor = &engine.secrets.redactor;
    let same = |text: &str| redactor.text(text) == text;
    if same(identifier) && same(&details) {
        return Ok(());
    }
    Err(Problem::protocol("the plugin put a secret into what is kept of a push"))
}
