//! Units of the job's version, or of a migration's types, in pages.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream;
use tonic::{Response, Status};
use wharf_proto::v1;
use wharf_store::Store;
use wharf_store::model::{FieldEquals, TypeId, UnitId, UnitRow};

use super::{Answers, Only, Rights, stored};
use crate::convert;

/// Units in one message; small enough that a message with long keys stays below its limit.
const PAGE: usize = 500;

/// The names of types, by number.
pub(super) type TypeNames = Arc<HashMap<TypeId, String>>;

pub(super) async fn query(
    store: Store,
    names: TypeNames,
    rights: &Rights,
    request: v1::QueryUnitsRequest,
) -> Result<Response<Answers<v1::Units>>, Status> {
    refuse_foreign(rights, &request)?;
    let types = type_ids(&names, &request.types)?;
    let filter = request.r#where.into_iter();
    let filter = filter.map(|field| FieldEquals { name: field.name, value: field.value }).collect();
    let meta = &store.meta;
    let order = request.order_by;
    let ids = match &rights.only {
        None => meta.unit_ids(rights.repository, rights.version, types, filter, order).await,
        Some(Only::Types(own)) => {
            meta.unit_ids_of_types(wanted(rights, own, types)?, filter, order).await
        }
        // They are few: what is asked for besides their types, the plugin can see for itself.
        Some(Only::Units(own)) => of_types(&store, own.clone(), &types).await,
    };
    let pages = Pages {
        ids: ids.map_err(stored)?.into_iter(),
        with_files: !request.without_files,
        store,
        names,
    };
    Ok(Response::new(Box::pin(stream::try_unfold(pages, Pages::next))))
}

async fn of_types(
    store: &Store,
    units: Vec<UnitId>,
    types: &[TypeId],
) -> Result<Vec<UnitId>, wharf_store::Error> {
    let rows = store.meta.units_by_id(units, false).await?.into_iter();
    let wanted = rows.filter(|row| types.is_empty() || types.contains(&row.type_id));
    Ok(wanted.map(|row| row.id).collect())
}

/// A migration reads units of its plugin's types, of no others (F71).
fn wanted(rights: &Rights, own: &[TypeId], types: Vec<TypeId>) -> Result<Vec<TypeId>, Status> {
    if types.is_empty() {
        return Ok(own.to_vec());
    }
    if types.iter().any(|id| !own.contains(id)) {
        tracing::warn!(job = rights.job, security = true, "a migration asked for foreign units");
        return Err(Status::permission_denied(
            "a migration may read units of its plugin's own types only",
        ));
    }
    Ok(types)
}

/// A job reads the units of its own version, of no other (F71).
fn refuse_foreign(rights: &Rights, request: &v1::QueryUnitsRequest) -> Result<(), Status> {
    if !request.repository.is_empty() || (request.version != 0 && request.version != rights.version)
    {
        tracing::warn!(
            job = rights.job,
            repository = %request.repository,
            security = true,
            "a plugin asked for units of another version"
        );
        return Err(Status::permission_denied(
            "the job may read the units of its own version only",
        ));
    }
    if !request.fields.is_empty() {
        return Err(Status::unimplemented("this host sends whole units; leave `fields` empty"));
    }
    Ok(())
}

fn type_ids(names: &TypeNames, wanted: &[String]) -> Result<Vec<TypeId>, Status> {
    wanted
        .iter()
        .map(|wanted| {
            let found = names.iter().find(|(_, name)| *name == wanted);
            found
                .map(|(id, _)| *id)
                .ok_or_else(|| Status::not_found(format!("there is no type \"{wanted}\"")))
        })
        .collect()
}

/// What is left to send.
struct Pages {
    ids: std::vec::IntoIter<UnitId>,
    with_files: bool,
    store: Store,
    names: TypeNames,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(v1::Units, Self)>, Status> {
        let ids: Vec<UnitId> = self.ids.by_ref().take(PAGE).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let rows = self.store.meta.units_by_id(ids, self.with_files).await.map_err(stored)?;
        let units = rows.into_iter().map(|row| self.wire(row)).collect();
        Ok(Some((v1::Units { units }, self)))
    }

    fn wire(&self, row: UnitRow) -> v1::Unit {
        let name = self.names.get(&row.type_id).map(String::as_str).unwrap_or_default();
        convert::wire_unit(name, row)
    }
}
