//! What a listing could not tell: an item that failed in it is a file, or a folder with all below it, of which nobody
//! knows what upstream holds. That is no deletion, so what the base version holds there stays.

use std::collections::HashSet;

use super::Sync;
use super::draft::Draft;
use super::drive::own_types;
use crate::instances::settings::Mode;
use crate::problem::Problem;

/// Keeps it, as far as it is not declared. An additive version keeps everything as it is.
pub(super) async fn keep(sync: &Sync<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let paths = std::mem::take(&mut draft.unlisted);
    let types: Vec<_> = own_types(sync).into_iter().collect();
    if paths.is_empty() || types.is_empty() || sync.setup.settings.mode == Mode::Additive {
        return Ok(());
    }
    let meta = &sync.engine.store.meta;
    let stood = meta.members_below(sync.setup.repository.id, types, paths).await?;
    let present: HashSet<_> = draft.present.iter().map(|(unit, _revision)| *unit).collect();
    for unit in stood.into_iter().filter(|unit| !present.contains(unit)) {
        draft.kept += 1;
        draft.present.push((unit, None));
    }
    Ok(())
}
