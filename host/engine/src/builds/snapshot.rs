//! Images that a provider makes itself, of the template: nothing is built here, and what is kept is what the provider calls
//! the image. The component that has it made belongs to the plugin that knows the provider, so no other learns its secrets.

use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_store::model::Repository;

use super::call::{Given, Made};
use super::order::Order;
use super::{BuildFrom, BuildOptions};
use crate::convert;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;
use crate::pushes::{PROVIDER_TYPE, Provider, Record, identifies, keeps_no_secret};

/// The provider that is to make the images, if one is.
pub(super) async fn wanted<'a>(
    engine: &'a Inner,
    options: &BuildOptions,
    targets: &[String],
) -> Result<Option<Provider<'a>>, Problem> {
    let Some(name) = &options.snapshot else { return Ok(None) };
    let provider = engine.provider(name).await?;
    let instead = match () {
        () if matches!(options.from, BuildFrom::Base(_)) => Some("of a base image"),
        () if !options.additions.is_empty() => Some("with additions"),
        () if !options.push.is_empty() => Some("to be pushed"),
        () => None,
    };
    if let Some(what) = instead {
        let message = format!("a provider makes its image of the template alone, not {what}");
        return Err(Problem::usage("usage.snapshot", message)
            .help("build the image here and push it: --push instead of --snapshot"));
    }
    if targets.is_empty() {
        let message = "a provider makes images for targets";
        return Err(Problem::usage("usage.targets", message)
            .help("name what is to be made: --target TARGET"));
    }
    targets.iter().try_for_each(|target| provider.check_takes(target))?;
    Ok(Some(provider))
}

/// What the provider's builder is handed.
pub(super) async fn ready(
    engine: &Inner,
    order: &Order,
    contributions: Vec<v1::Contribution>,
) -> Result<Given, Problem> {
    let provider = engine.provider(&order.provider).await?;
    let told = provider.told(&Map::new());
    Ok(Given { parent: None, contributions, provider: Some(provider.instance(&told)) })
}

/// Keeps what the provider calls the image.
pub(super) async fn keep(
    (engine, run): (&Inner, &JobRun),
    repository: &Repository,
    order: &Order,
    made: Made,
) -> Result<JobResult, Problem> {
    let provider = engine.provider(&order.provider).await?;
    let [_name, _version, architecture] = &order.system;
    let (identifier, details) = said(&made.unit)?;
    identifies("the attribute identifier", &identifier)?;
    keeps_no_secret(engine, &identifier, Some(&details))?;
    let record = Record {
        name: &order.name,
        target: &order.target,
        architecture,
        provider: &provider.words(),
        identifier: &identifier,
        image: None,
        recipe: &order.recipe,
        by: &made.by.words,
        parameters: &Map::new(),
        details: Some(details),
    };
    let result = record.keep(engine, run, repository, None).await?;
    Ok(JobResult { summary: made.summary, ..result })
}

/// What the provider calls it, and what else the plugin says of it.
fn said(unit: &v1::Unit) -> Result<(String, Value), Problem> {
    if unit.r#type != PROVIDER_TYPE {
        let message =
            format!("the plugin made a unit of type \"{}\", not \"{PROVIDER_TYPE}\"", unit.r#type);
        return Err(Problem::protocol(message));
    }
    if !unit.files.is_empty() {
        let message = "an image that a provider made has a file: it lies there, not here";
        return Err(Problem::protocol(message));
    }
    let mut said = convert::json_object(&unit.attributes, "Unit.attributes")?.unwrap_or_default();
    let identifier = said.as_object_mut().and_then(|said| said.remove("identifier"));
    let identifier = identifier.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((identifier, said))
}
