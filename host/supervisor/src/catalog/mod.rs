//! Which plugins there are, read from files alone: nothing is started to find out.
//!
//! [`SearchPath`] says where to look, [`Catalog::discover`] looks, [`Manifest`] is what
//! `plugin.json` says, or what Image Factory's `NAME.info` stands for. A plugin that is not usable is listed with the reason and stops no other;
//! one that [`Trust`] does not allow is not usable. What a type definition means is not looked at.

mod accounts;
mod check;
mod component;
mod discover;
pub(crate) mod info;
mod manifest;
mod migrations;
mod place;
mod python;
mod read;
mod search;
mod site;
mod trust;
mod walk;

pub use check::check_name;
pub use component::{Component, Context, Hook, HookFilter, Role};
pub use discover::{Broken, Catalog, Conflict, Installed, TypeFile};
pub use manifest::{Legacy, Maintainer, Manifest, ManifestLimits, Migration, Protocol, Requires};
pub use search::{Root, RootKind, SearchPath};
pub use site::Site;
pub use trust::Trust;
