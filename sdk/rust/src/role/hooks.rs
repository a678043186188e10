//! Having a say before and after steps of other components' runs.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use crate::model::{Contribution, Instance, Unit, from_object};
use crate::{Class, Error, HookContext, Outcome};

/// Answers for the hooks that the manifest's components subscribe to.
///
/// A usage or operation error that a method gives is its answer: it refuses the step, or says that what comes after it
/// failed. Any other error is a fault.
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// Decides on a step that is about to be made.
    async fn before(&self, step: Step, context: &HookContext) -> Result<Before, Error> {
        let _ = context;
        Err(Error::not_offered(&format!("a hook before {}", step.name)))
    }

    /// A step was made, or failed: the place to clean up. It may change what was made.
    async fn after(&self, step: Step, context: &HookContext) -> Result<After, Error> {
        let _ = context;
        Err(Error::not_offered(&format!("a hook after {}", step.name)))
    }
}

/// A step that the manifest subscribes to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// build.base, build.target, publish, unpublish, sync or upload.
    pub name: String,
    /// JSON object, as text, that describes what the step is about.
    pub subject_text: String,
    /// For `after`: how the step ended. `None` before the step, and when not known.
    pub outcome: Option<Outcome>,
    /// For `after`: why the step failed.
    pub error: Option<Error>,
    /// The component that subscribed, with its settings.
    pub instance: Instance,
    /// What the request says to this component: JSON object, as text.
    pub parameters_text: String,
    /// What the step makes its object of: a base image. Its files are staged below
    /// [`HookContext::work_dir`](crate::Ask::work_dir); what a hook changes there is what the step is handed.
    pub parent: Option<Unit>,
    /// For `after`: what the step made, its files staged, if it made something.
    pub unit: Option<Unit>,
}

impl Step {
    /// Reads what the step is about into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn subject<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the step's subject", &self.subject_text)
    }

    /// Reads the parameters into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn parameters<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the parameters", &self.parameters_text)
    }

    fn read(name: &str, wire: v1::HookRequest) -> Self {
        Self {
            name: name.to_owned(),
            outcome: Outcome::read(wire.outcome()),
            subject_text: wire.subject,
            error: wire.error.map(Error::from),
            instance: wire.instance.unwrap_or_default().into(),
            parameters_text: wire.parameters,
            parent: wire.parent.map(Unit::from),
            unit: wire.unit.map(Unit::from),
        }
    }
}

/// The answer before a step: one of four decisions, and what the step is given.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Before {
    wire: v1::HookResponse,
}

impl Before {
    /// The step is made.
    pub fn proceed() -> Self {
        Self { wire: answer(v1::HookDecision::Proceed) }
    }

    /// The step counts as done, and nothing is made.
    pub fn skip() -> Self {
        Self { wire: answer(v1::HookDecision::Skip) }
    }

    /// The hook made the object itself: this unit, with staged files.
    pub fn replace(unit: Unit) -> Self {
        let made = Some(unit.wire);
        Self { wire: v1::HookResponse { unit: made, ..answer(v1::HookDecision::Replace) } }
    }

    /// The step must not be made. A usage or operation error in place of an answer says the same.
    pub fn refuse(reason: Error) -> Self {
        let error = Some(reason.into());
        Self { wire: v1::HookResponse { error, ..answer(v1::HookDecision::Refuse) } }
    }

    /// Gives something to the step.
    pub fn contribution(mut self, contribution: Contribution) -> Self {
        self.wire.contributions.push(contribution.into());
        self
    }
}

/// The answer after a step.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct After {
    wire: v1::HookResponse,
}

impl After {
    /// What was made stays as it is.
    pub fn unchanged() -> Self {
        Self { wire: answer(v1::HookDecision::Proceed) }
    }

    /// What was made becomes this unit, with staged files. Attributes and files that it has none of stay.
    pub fn changed(unit: Unit) -> Self {
        let made = Some(unit.wire);
        Self { wire: v1::HookResponse { unit: made, ..answer(v1::HookDecision::Proceed) } }
    }
}

fn answer(decision: v1::HookDecision) -> v1::HookResponse {
    v1::HookResponse { decision: decision.into(), ..v1::HookResponse::default() }
}

/// Calls a hook. What the contract expects to go wrong is its answer, not a failed call.
pub(crate) async fn hooked(
    hooks: Arc<dyn Hooks>,
    request: v1::HookRequest,
    context: HookContext,
) -> Result<v1::HookResponse, Error> {
    let name = request.name.clone();
    if let Some(step) = name.strip_prefix("before:") {
        let decided = hooks.before(Step::read(step, request), &context).await;
        return match decided {
            Err(error) if is_answer(&error) => Ok(Before::refuse(error).wire),
            decided => decided.map(|before| before.wire),
        };
    }
    let Some(step) = name.strip_prefix("after:") else {
        return Err(Error::not_offered(&format!("a hook {name:?}")));
    };
    match hooks.after(Step::read(step, request), &context).await {
        Err(error) if is_answer(&error) => {
            let error = Some(error.into());
            Ok(v1::HookResponse { error, ..After::unchanged().wire })
        }
        decided => decided.map(|after| after.wire),
    }
}

fn is_answer(error: &Error) -> bool {
    matches!(error.class(), Class::Usage | Class::Operation) && !error.is_not_offered()
}
