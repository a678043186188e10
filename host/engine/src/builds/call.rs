//! One call of `Builder.Build`: what the plugin is told, and the one unit that it makes.

use std::sync::Arc;

use serde_json::{Map, Value};
use wharf_proto::v1::{self, event::Event};
use wharf_store::model::Repository;
use wharf_supervisor::calls::{self, Events};
use wharf_supervisor::{Component, Installed};

use super::order::{Order, Part};
use super::recipe::MEDIA_TYPE;
use crate::convert;
use crate::engine::Inner;
use crate::fetch::Trust;
use crate::host_service::Rights;
use crate::instances::{Address, schema};
use crate::jobs::run::JobRun;
use crate::problem::Problem;

/// Who is called.
pub(super) struct Builder<'a> {
    plugin: &'a Arc<Installed>,
    component: &'a Component,
    address: Address,
    settings: Map<String, Value>,
    parameters: &'a Map<String, Value>,
}

/// What a builder is handed besides its order.
pub(super) struct Given {
    pub(super) parent: Option<v1::Unit>,
    pub(super) contributions: Vec<v1::Contribution>,
    /// Who is to make a snapshot.
    pub(super) provider: Option<v1::Instance>,
}

/// Who made an image.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) plugin: Arc<Installed>,
    /// For the image's record: component and version.
    pub(super) words: String,
}

impl Maker {
    pub(super) fn of(address: &Address, plugin: &Arc<Installed>) -> Self {
        let words = format!("{address} {}", plugin.manifest.version);
        Self { plugin: Arc::clone(plugin), words }
    }
}

/// What came of it.
pub(super) struct Made {
    pub(super) by: Maker,
    pub(super) unit: v1::Unit,
    /// The plugin's own words.
    pub(super) summary: Option<Value>,
}

impl<'a> Builder<'a> {
    pub(super) async fn of(engine: &'a Inner, part: &'a Part) -> Result<Self, Problem> {
        let address = Address::parse(&part.component)?;
        let (plugin, component) = engine.component(&address)?;
        let settings = engine.instance_settings(&address, component).await?;
        Ok(Self { plugin, component, address, settings, parameters: &part.parameters })
    }

    /// Has the image made.
    pub(super) async fn build(
        &self,
        (engine, run): (&Inner, &JobRun),
        repository: &Repository,
        order: &Order,
        given: Given,
    ) -> Result<Made, Problem> {
        let process = engine.borrow_process(run, self.plugin).await?;
        let grant =
            engine.grants.grant(self.rights(run, process.id(), (repository, order), &given))?;
        let context = Inner::job_context(run, &process, grant.token());
        let request = self.request(context, order, given);
        let by = Maker::of(&self.address, self.plugin);
        let outcome = async {
            let events = calls::build(&process, request, &engine.bounds(run)).await?;
            follow(run, events, by).await
        };
        let outcome = outcome.await;
        drop(grant);
        if let Err(problem) = &outcome {
            process.end(problem);
        }
        outcome
    }

    fn request(&self, context: v1::JobContext, order: &Order, given: Given) -> v1::BuildRequest {
        let [name, version, architecture] = order.system.clone();
        let target = if order.target.is_empty() {
            v1::Target { name, version, architecture }
        } else {
            v1::Target { name: order.target.clone(), version: String::new(), architecture }
        };
        let template = order.template.clone().into_bytes();
        v1::BuildRequest {
            context: Some(context),
            instance: Some(v1::Instance {
                component: self.component.id.clone(),
                name: self.address.instance.clone(),
                settings: Value::Object(self.settings.clone()).to_string(),
                secrets: self.secrets().collect(),
            }),
            stage: order.stage.wire().into(),
            template: Some(v1::Template { media_type: MEDIA_TYPE.to_owned(), content: template }),
            target: Some(target),
            parent: given.parent,
            parameters: Value::Object(self.parameters.clone()).to_string(),
            contributions: given.contributions,
            provider: given.provider,
        }
    }

    fn secrets(&self) -> impl Iterator<Item = String> {
        let named = schema::secrets(self.component.instance_schema.as_ref(), &self.settings);
        named.map(|(_key, name)| name.to_owned())
    }

    fn rights(
        &self,
        run: &JobRun,
        process: u64,
        (repository, order): (&Repository, &Order),
        given: &Given,
    ) -> Rights {
        let of_provider = given.provider.iter().flat_map(|provider| provider.secrets.clone());
        Rights {
            repository: repository.id,
            version: repository.current_version,
            settings: Value::Object(self.settings.clone()).to_string(),
            secrets: self.secrets().chain(of_provider).collect(),
            trust: Arc::new(trust(order, [self.parameters, &self.settings])),
            ..Rights::least(run, process)
        }
    }
}

/// Downloads may reach what the user wrote: every address in the template, the parameters and the settings.
fn trust(order: &Order, said: [&Map<String, Value>; 2]) -> Trust {
    let template: Value = serde_json::from_str(&order.template).unwrap_or_default();
    let said = said.into_iter().flat_map(Map::values);
    said.fold(typed(Trust::public(), &template), typed)
}

fn typed(trust: Trust, value: &Value) -> Trust {
    match value {
        Value::String(text) if text.contains("://") => trust.typed(text),
        Value::Array(values) => values.iter().fold(trust, typed),
        Value::Object(fields) => fields.values().fold(trust, typed),
        _ => trust,
    }
}

async fn follow(run: &JobRun, mut events: Events, by: Maker) -> Result<Made, Problem> {
    let mut made: Option<v1::Unit> = None;
    loop {
        match events.next().await? {
            Some(Event::Units(units)) => {
                for unit in units.units {
                    if made.replace(unit).is_some() {
                        return Err(Problem::protocol("the plugin made more than one image"));
                    }
                }
            }
            Some(Event::Result(result)) => {
                let unit = made.ok_or_else(|| Problem::protocol("the plugin made no image"))?;
                let summary = convert::json_object(&result.summary, "Result.summary")?;
                return Ok(Made { by, unit, summary });
            }
            // A retry begins anew.
            Some(Event::Checkpoint(_)) => {}
            Some(event @ (Event::Job(_) | Event::Output(_))) => {
                return Err(convert::not_driven("build", &event));
            }
            Some(event) => convert::tell(run, event).await?,
            None => return Err(Problem::protocol("the stream ended without a result")),
        }
    }
}
