//! One call of the importer: its events become batches, and batches are worked on while more events come.
//!
//! At most [`IN_WORK`] batches are in work; while they are, no event is read, and the plugin feels it through the
//! stream's flow control.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt as _};
use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{Selector, TypeId};
use wharf_supervisor::calls::{self, CallError, Events};

use super::batch::{self, Done};
use super::draft::{Draft, Place};
use super::{Sync, unlisted};
use crate::convert::{self, Pending};
use crate::problem::Problem;

/// Batches in work at once: one that is fetched, one that is saved, one that waits.
const IN_WORK: usize = 3;

type Work<'a> = FuturesUnordered<BoxFuture<'a, Result<Done, Problem>>>;

/// Calls the plugin and collects what it declares. When this returns, nothing works on a batch any more.
pub(super) async fn drive(sync: &Sync<'_>) -> Result<Draft, Problem> {
    let mut draft = Draft::default();
    let mut work = Work::new();
    let ended = pump(sync, &mut draft, &mut work).await;
    if ended.is_err() {
        sync.cancel.cancel();
        while work.next().await.is_some() {}
    }
    let result = ended?;
    unlisted::keep(sync, &mut draft).await?;
    conclude(sync, draft, result)
}

async fn pump<'a>(
    sync: &'a Sync<'_>,
    draft: &mut Draft,
    work: &mut Work<'a>,
) -> Result<v1::Result, Problem> {
    // A stream of its own, so that a batch that ends meanwhile does not drop a half-received event.
    let events = stream::try_unfold(call(sync).await?, async |mut events: Events| {
        Ok::<_, CallError>(events.next().await?.map(|event| (event, events)))
    });
    let mut events = std::pin::pin!(events);
    let mut ended = None;
    loop {
        if work.is_empty()
            && let Some(result) = ended
        {
            return Ok(result);
        }
        tokio::select! {
            biased;
            Some(done) = work.next(), if !work.is_empty() => collect(sync, draft, done?),
            event = events.next(), if ended.is_none() && work.len() < IN_WORK => {
                match event.transpose()? {
                    Some(Event::Result(result)) => ended = Some(result),
                    Some(event) => {
                        let batch = take(sync, draft, event).await?;
                        if !batch.is_empty() {
                            work.push(batch::process(sync, batch).boxed());
                        }
                    }
                    None => return Err(Problem::protocol("the stream ended without a result")),
                }
            }
        }
    }
}

async fn call(sync: &Sync<'_>) -> Result<Events, Problem> {
    let bounds = sync.engine.bounds(sync.run);
    if let Some(brought) = &sync.setup.brought {
        let attachment = sync.setup.wire_attachment();
        let request = brought.request(sync.context.clone(), attachment);
        return Ok(calls::upload(sync.process, request, &bounds).await?);
    }
    if sync.setup.listed {
        let request = v1::ListRequest {
            context: Some(sync.context.clone()),
            attachment: Some(sync.setup.wire_attachment()),
            cursor: String::new(),
            only: Vec::new(),
        };
        return Ok(calls::list(sync.process, request, &bounds).await?);
    }
    let request = sync.setup.sync_request(sync.context.clone());
    Ok(calls::sync(sync.process, request, &bounds).await?)
}

/// Notes what an event says. Units come back, to be worked on.
async fn take(sync: &Sync<'_>, draft: &mut Draft, event: Event) -> Result<Vec<Pending>, Problem> {
    match event {
        Event::Units(units) => {
            let units = units.units.into_iter().map(|unit| (unit, None));
            return admit(sync, draft, units).await;
        }
        Event::Listed(listed) => {
            let mut items = Vec::with_capacity(listed.items.len());
            for item in listed.items {
                let mut unit = item.unit.ok_or_else(|| {
                    Problem::protocol("a listed item names no unit (ListedItem.unit)")
                })?;
                if unit.files.iter().any(|file| sync.setup.ignore.fits(&file.path)) {
                    draft.ignored += 1;
                    continue;
                }
                convert::note_modified(sync.engine, &mut unit, item.modified_ms);
                items.push((unit, Some(item.revision).filter(|revision| !revision.is_empty())));
            }
            return admit(sync, draft, items.into_iter()).await;
        }
        Event::Keep(keep) => keep_units(sync, draft, keep).await?,
        Event::Remove(refs) => remove_units(sync, draft, refs).await?,
        Event::Items(items) => {
            for item in items.items {
                if sync.setup.listed && item.outcome() == v1::Outcome::Failed {
                    draft.unlisted.insert(item.key.clone());
                }
                convert::tell_item(sync.run, item).await;
            }
        }
        Event::Metadata(text) => draft.metadata = Some(text),
        // A retry begins at the base version: what the store has is not fetched again.
        Event::Checkpoint(_) => {}
        Event::Job(_) | Event::Output(_) => {
            return Err(convert::not_driven("sync", &event));
        }
        other => convert::tell(sync.run, other).await?,
    }
    Ok(Vec::new())
}

/// Checks declared units against their types and against each other.
async fn admit(
    sync: &Sync<'_>,
    draft: &mut Draft,
    units: impl Iterator<Item = (v1::Unit, Option<String>)>,
) -> Result<Vec<Pending>, Problem> {
    let mut batch = Vec::new();
    for (unit, revision) in units {
        let pending = convert::pending(sync.engine, &sync.setup.plugin.manifest, unit, revision)?;
        if let Some(brought) = &sync.setup.brought {
            brought.became(&pending).for_each(|unit| sync.run.became(unit));
        }
        match draft.place(pending.name(), pending.repo_key.as_ref(), pending.identity())? {
            Place::Free => {
                draft.declared += 1;
                batch.push(pending);
            }
            Place::Same => sync.run.warn("doubled", "declared twice", pending.name()).await,
        }
    }
    if batch.len() > wharf_proto::MAX_BATCH {
        return Err(Problem::protocol(format!(
            "a batch of {} units; at most {} may come in one message",
            batch.len(),
            wharf_proto::MAX_BATCH
        )));
    }
    Ok(batch)
}

async fn keep_units(sync: &Sync<'_>, draft: &mut Draft, keep: v1::Keep) -> Result<(), Problem> {
    let kind = match keep.r#type.as_str() {
        "" => None,
        name => Some(sync.engine.declared_type(&sync.setup.plugin.manifest, name)?),
    };
    let selector = match (&kind, keep.field) {
        (_, Some(field)) => Selector::Field { name: field.name, value: field.value },
        (_, None) if keep.keys.is_empty() => Selector::All,
        (Some(kind), None) => Selector::Keys(convert::key_digests(kind, &keep.keys)?),
        (None, None) => return Err(Problem::protocol("Keep.keys needs Keep.type")),
    };
    // A field is asked for type by type, for the indexes are those of types.
    let kinds = match (kind, &selector) {
        (None, Selector::Field { .. }) => own_types(sync).into_iter().map(Some).collect(),
        (kind, _) => vec![kind.map(|kind| kind.id)],
    };
    for kind in kinds {
        let repository = sync.setup.repository.id;
        let meta = &sync.engine.store.meta;
        let kept = meta.members_matching(repository, kind, selector.clone()).await?;
        draft.kept += kept.len() as u64;
        draft.kept_by_plugin += kept.len() as u64;
        draft.present.extend(kept.into_iter().map(|unit| (unit, None)));
    }
    Ok(())
}

/// The types that the plugin's components name, each once.
pub(super) fn own_types(sync: &Sync<'_>) -> BTreeSet<TypeId> {
    let components = sync.setup.plugin.manifest.components.iter();
    let names = components.flat_map(|component| &component.content_types);
    names.filter_map(|name| sync.engine.types.get(name)).map(|kind| kind.id).collect()
}

async fn remove_units(
    sync: &Sync<'_>,
    draft: &mut Draft,
    refs: v1::UnitRefs,
) -> Result<(), Problem> {
    for unit in refs.units {
        let kind = sync.engine.declared_type(&sync.setup.plugin.manifest, &unit.r#type)?;
        let keys = Selector::Keys(convert::key_digests(&kind, &[unit.key])?);
        let found = sync
            .engine
            .store
            .meta
            .members_matching(sync.setup.repository.id, Some(kind.id), keys)
            .await?;
        draft.removed.extend(found);
    }
    Ok(())
}

fn collect(sync: &Sync<'_>, draft: &mut Draft, done: Done) {
    draft.kept += done.kept;
    draft.fresh += done.fresh;
    draft.present.extend(done.present);
    sync.run.counted("storing", "units", done.units);
}

/// Holds the plugin's result against what it declared.
fn conclude(sync: &Sync<'_>, mut draft: Draft, result: v1::Result) -> Result<Draft, Problem> {
    if let Some(announced) = result.announced {
        let seen =
            draft.declared + draft.ignored + draft.kept_by_plugin + sync.run.named_by_plugin();
        if announced != seen && !result.nothing_to_do {
            return Err(Problem::protocol(format!(
                "the plugin announced {announced} units, but declared, kept, failed or skipped {seen}"
            )));
        }
    }
    if result.nothing_to_do && draft.declared > 0 {
        return Err(Problem::protocol(
            "the plugin declared units and said there was nothing to do",
        ));
    }
    draft.nothing_to_do = result.nothing_to_do;
    draft.state = (!result.state.is_empty()).then_some(result.state);
    draft.summary = convert::json_object(&result.summary, "Result.summary")?;
    Ok(draft)
}
