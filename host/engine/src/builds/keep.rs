//! The image that a plugin made, on its way into the store: its key and its lineage are written here, its files are
//! hashed, nothing of it counts before the version that holds it.

use serde_json::{Map, Value, json};
use wharf_proto::v1;
use wharf_store::model::{NewArtifact, Repository, UnitId};

use super::call::{Made, Maker};
use super::order::{Order, Stage};
use super::recipe;
use crate::clock;
use crate::convert::{self, Bytes, Pending, PendingFile};
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::problem::Problem;
use crate::staging;

/// The attribute that tells how an image was made.
pub(super) const RECIPE: &str = "recipe";

/// Saves the image; it is in no version yet.
pub(super) async fn save(
    (engine, run): (&Inner, &JobRun),
    repository: &Repository,
    order: &Order,
    made: Made,
    parent: Option<u64>,
) -> Result<UnitId, Problem> {
    let unit = described(run, (order, &made.by), made.unit, parent)?;
    let mut pending = convert::pending(engine, &made.by.plugin.manifest, unit, None)?;
    let artifacts = bring(engine, run, &mut pending).await?;
    pending.complete_key()?;
    let (unit, _revision) = convert::new_unit(pending)?;
    let meta = &engine.store.meta;
    let saved = meta.save_units(run.lease, repository.id, vec![unit], artifacts).await?;
    let saved = saved.into_iter().next();
    saved.map(|saved| saved.unit).ok_or_else(|| Problem::fault("internal", "no unit was saved"))
}

/// The unit as it is kept.
fn described(
    run: &JobRun,
    (order, by): (&Order, &Maker),
    mut unit: v1::Unit,
    parent: Option<u64>,
) -> Result<v1::Unit, Problem> {
    let wanted = order.stage.makes();
    if unit.r#type != wanted {
        let message =
            format!("the plugin made a unit of type \"{}\", not \"{wanted}\"", unit.r#type);
        return Err(Problem::protocol(message));
    }
    if unit.files.is_empty() {
        return Err(Problem::protocol("the plugin made an image without a file"));
    }
    let [os, version, architecture] = &order.system;
    let key = if order.stage == Stage::Base {
        json!({
            "name": order.name, "os": os, "os_version": version, "architecture": architecture,
            "build": run.id(),
        })
    } else {
        json!({
            "name": order.name, "target": order.target, "architecture": architecture,
            "build": run.id(),
        })
    };
    unit.key = key.to_string();
    let said = convert::json_object(&unit.attributes, "Unit.attributes")?;
    let mut attributes = match said {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    attributes.insert(RECIPE.to_owned(), order.recipe.clone().into());
    attributes.insert("builder".to_owned(), by.words.clone().into());
    attributes.insert("built_ms".to_owned(), clock::now_ms().into());
    if let Some(parent) = parent {
        attributes.insert("base".to_owned(), parent.into());
    }
    unit.attributes = Value::Object(attributes).to_string();
    if order.stage == Stage::Base {
        unit.files.retain(|file| file.path != recipe::FILE);
        unit.files.push(template(order)?);
    }
    Ok(unit)
}

/// The template, which builds that begin with the image need. Whoever may have the image need not learn its passwords.
fn template(order: &Order) -> Result<v1::File, Problem> {
    Ok(v1::File {
        path: recipe::FILE.to_owned(),
        inline: Some(serde_json::to_vec(&recipe::without_passwords(&order.template)?)?),
        media_type: recipe::MEDIA_TYPE.to_owned(),
        ..v1::File::default()
    })
}

/// Brings the bytes of all files into the store.
async fn bring(
    engine: &Inner,
    run: &JobRun,
    pending: &mut Pending,
) -> Result<Vec<NewArtifact>, Problem> {
    let (mut staged, mut artifacts) = (Vec::new(), Vec::new());
    for file in &mut pending.files {
        run.check_cancelled()?;
        let brought = match &file.bytes {
            Bytes::Staged(path) => staging::hash_below(run.folder.path(), path).await?,
            Bytes::Inline(bytes) => staging::write(&run.folder.fresh(), bytes.clone()).await?,
            _ => {
                stored(engine, run, file).await?;
                continue;
            }
        };
        file.check(&brought)?;
        file.sha256 = Some(brought.digest);
        file.size = Some(brought.size);
        artifacts.push(NewArtifact { digest: brought.digest, size: brought.size });
        staged.push(brought);
    }
    engine.store.blobs.adopt(staged).await?;
    Ok(artifacts)
}

/// A file that is handed on: its bytes are in the store, by their digest.
async fn stored(engine: &Inner, run: &JobRun, file: &mut PendingFile) -> Result<(), Problem> {
    let missing = || {
        let path = &file.path;
        Problem::protocol(format!("{path} is neither staged nor in the store by its sha256"))
    };
    let digest = file.sha256.ok_or_else(missing)?;
    let held = engine.store.meta.hold_artifacts(run.lease, vec![digest]).await?;
    let size = held.into_iter().next().flatten().ok_or_else(missing)?;
    file.size = Some(size);
    Ok(())
}
