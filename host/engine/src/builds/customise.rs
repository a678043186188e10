//! The base image, made ready for a target: what hooks and the user add is put into the system by the component that builds
//! such systems, before the target's builder sees it.
//!
//! A builder of systems that does not make `image_target` has no such stage: then nothing can be added.

use wharf_proto::v1;
use wharf_store::model::Repository;

use super::call::{Builder, Given};
use super::order::Order;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::problem::Problem;

/// The kind of contribution that is for the target's builder, not for the system.
const ARGUMENT: &str = "argument";

/// What the builder of a target's image is handed.
pub(super) async fn ready(
    (engine, run): (&Inner, &JobRun),
    repository: &Repository,
    order: &Order,
    (parent, given): (Option<v1::Unit>, Vec<v1::Contribution>),
) -> Result<Given, Problem> {
    let added = order.additions.iter().map(v1::Contribution::from);
    let (arguments, system): (Vec<_>, Vec<_>) =
        added.chain(given).partition(|one| one.kind == ARGUMENT);
    let parent = match &order.customiser {
        None if system.is_empty() => parent,
        None => return Err(nobody(order, &system)),
        Some(part) => {
            let base = parent.clone();
            let given = Given { parent, contributions: system, provider: None };
            let builder = Builder::of(engine, part).await?;
            let made = builder.build((engine, run), repository, order, given).await?;
            base.map(|base| v1::Unit {
                id: base.id,
                key: base.key,
                r#type: base.r#type,
                ..made.unit
            })
        }
    };
    Ok(Given { parent, contributions: arguments, provider: None })
}

fn nobody(order: &Order, added: &[v1::Contribution]) -> Problem {
    let [name, version, architecture] = &order.system;
    let first = added.first().map(|one| format!("{} {}", one.kind, one.name)).unwrap_or_default();
    let message = format!(
        "{first} is to be added to {name} {version} {architecture} for {}, and no installed builder of such systems can",
        order.target
    );
    Problem::usage("usage.additions", message).help(
        "install a builder whose manifest says that it produces image_target, or build without additions",
    )
}
