//! The types of the host itself: what many plugins make or take and none of them owns, which are images.

use wharf_store::Store;
use wharf_store::model::{TypeDefinition, read_types};

use crate::error::Error;

/// Who has them; no plugin may be called so.
pub(super) const OWNER: &str = "wharf";

const IMAGES: (&str, &str) = ("the host's own types", include_str!("../../types/image.json"));

/// Registers them.
pub(super) async fn register(store: &Store) -> Result<(), Error> {
    let types = read_types(&[IMAGES])?;
    let types: Vec<TypeDefinition> = types.into_iter().map(|read| read.definition).collect();
    Ok(store.meta.register_types(OWNER, env!("CARGO_PKG_VERSION"), types).await?)
}
