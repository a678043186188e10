//! Units as people look for them: in one version, or in all repositories at once.
//!
//! A [`Selection`] says which units are meant; listing, removing and copying all take one.

use serde::{Deserialize, Serialize};
use wharf_store::model::{
    FieldMatch, FoundUnit, Holding, Match, RepositoryId, TypeId, UnitCursor, UnitId, UnitOrder,
    UnitRow, UnitSearch,
};

use crate::content::{Body, FileContent};
use crate::engine::{Engine, Inner};
use crate::problem::Problem;

/// Which units are meant; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Of these types; empty: of any.
    pub types: Vec<String>,
    /// With these fields of key or attributes.
    pub fields: Vec<FieldWish>,
    /// With one of these numbers; empty: any.
    pub units: Vec<i64>,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWish {
    /// The field of key or attributes.
    pub field: String,
    /// What it must be.
    #[serde(flatten)]
    pub is: Wish,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// This JSON value; a text also means the number or truth value that looks like it.
    Value(serde_json::Value),
    /// A text that begins so.
    Prefix(String),
}

/// Where to look, for what, and how the answer is wanted.
#[derive(Debug, Clone, Default)]
pub struct UnitSearchOptions {
    /// In this repository; None: in the newest versions of all.
    pub repository: Option<String>,
    /// In this version of it; None: in the newest.
    pub version: Option<u64>,
    /// What is looked for.
    pub selection: Selection,
    /// Ordered by this field; None: in the order in which units became known.
    pub order: Option<String>,
    /// The last first. Has no meaning without an order.
    pub descending: bool,
    /// At most so many.
    pub limit: usize,
    /// What the page before ended with.
    pub cursor: Option<String>,
}

/// Some of what a search found.
#[derive(Debug, Clone)]
pub struct UnitPage {
    /// In order.
    pub units: Vec<FoundView>,
    /// For the page after this one, if there may be one.
    pub cursor: Option<String>,
}

/// A unit that was found.
#[derive(Debug, Clone)]
pub struct FoundView {
    /// The name of its type.
    pub type_name: String,
    /// As stored, without files.
    pub unit: UnitRow,
    /// Who holds it in the newest version; only when all repositories were searched.
    pub repositories: Vec<String>,
}

/// All about one unit.
#[derive(Debug, Clone)]
pub struct UnitView {
    /// The name of its type.
    pub type_name: String,
    /// As stored, with files.
    pub unit: UnitRow,
    /// Which versions hold it.
    pub holdings: Vec<Holding>,
}

impl Inner {
    /// The numbers of types that a selection names.
    fn type_ids(&self, names: &[String]) -> Result<Vec<TypeId>, Problem> {
        let id = |name: &String| {
            self.types.get(name).map(|kind| kind.id).ok_or_else(|| {
                Problem::usage("not_found.type", format!("there is no type \"{name}\""))
                    .help("`wharf type list` shows those that plugins define")
            })
        };
        names.iter().map(id).collect()
    }

    fn type_name(&self, id: TypeId) -> String {
        self.types.name(id).unwrap_or_else(|| id.to_string())
    }

    /// The names of the types that these units have, each once.
    pub(crate) async fn type_names_of(&self, units: &[UnitId]) -> Result<Vec<String>, Problem> {
        let types = self.store.meta.types_of(units.to_vec()).await?;
        Ok(types.into_iter().map(|id| self.type_name(id)).collect())
    }

    fn search(&self, selection: &Selection) -> Result<UnitSearch, Problem> {
        let filter = selection.fields.iter().map(|wish| FieldMatch {
            name: wish.field.clone(),
            is: match &wish.is {
                Wish::Value(serde_json::Value::String(text)) => Match::Written(text.clone()),
                Wish::Value(value) => Match::Value(value.to_string()),
                Wish::Prefix(prefix) => Match::Prefix(prefix.clone()),
            },
        });
        Ok(UnitSearch {
            types: self.type_ids(&selection.types)?,
            filter: filter.collect(),
            ..UnitSearch::default()
        })
    }

    /// The units of a version that are meant, in the order of their numbers.
    pub(crate) async fn selected(
        &self,
        (repository, version): (RepositoryId, u64),
        selection: &Selection,
    ) -> Result<Vec<UnitId>, Problem> {
        let search = UnitSearch { version: Some((repository, version)), ..self.search(selection)? };
        let mut found = self.store.meta.search_ids(search).await?;
        if !selection.units.is_empty() {
            let mut named = selection.units.clone();
            named.sort_unstable();
            found.retain(|unit| named.binary_search(&unit.0).is_ok());
        }
        Ok(found)
    }
}

impl Engine {
    /// Looks for units, page by page.
    ///
    /// # Errors
    /// `not_found.repository`, `not_found.version`, `not_found.type`, `usage.*`.
    pub async fn search_units(&self, options: UnitSearchOptions) -> Result<UnitPage, Problem> {
        let engine = &self.inner;
        let mut search = engine.search(&options.selection)?;
        search.version = match &options.repository {
            Some(name) => {
                let repository = engine.repository(name).await?;
                let version = options.version.unwrap_or(repository.current_version);
                engine.version(&repository, version).await?;
                Some((repository.id, version))
            }
            None if options.version.is_some() => {
                return Err(Problem::usage("usage.version", "a version is one of a repository")
                    .help("name the repository too"));
            }
            None => None,
        };
        let descending = options.descending;
        search.order = options.order.map(|field| UnitOrder { field, descending });
        search.after = options.cursor.as_deref().map(read_cursor).transpose()?;
        search.limit = options.limit;
        let found = engine.store.meta.search(search).await?;
        let full = found.len() == options.limit;
        let cursor = found.last().filter(|_| full).map(|last| write_cursor(&last.cursor));
        let view = |found: FoundUnit| FoundView {
            type_name: engine.type_name(found.unit.type_id),
            unit: found.unit,
            repositories: found.repositories,
        };
        Ok(UnitPage { units: found.into_iter().map(view).collect(), cursor })
    }

    /// All about one unit.
    ///
    /// # Errors
    /// `not_found.unit`.
    pub async fn unit(&self, id: i64) -> Result<UnitView, Problem> {
        let missing = || Problem::usage("not_found.unit", format!("there is no unit {id}"));
        let meta = &self.inner.store.meta;
        let unit = meta.units_by_id(vec![UnitId(id)], true).await?.pop().ok_or_else(missing)?;
        let holdings = meta.holdings(unit.id).await?;
        Ok(UnitView { type_name: self.inner.type_name(unit.type_id), unit, holdings })
    }
}

impl Engine {
    /// A file of a unit, to be read from the store.
    ///
    /// # Errors
    /// `not_found.unit`, `not_found.file`; `not_found.bytes` when the file was never fetched.
    pub async fn unit_file(&self, id: i64, path: &str) -> Result<FileContent, Problem> {
        let UnitView { unit, .. } = self.unit(id).await?;
        let paths: Vec<&str> = unit.files.iter().map(|file| file.path.as_str()).collect();
        let file = unit.files.iter().find(|file| file.path.as_str() == path).ok_or_else(|| {
            Problem::usage("not_found.file", format!("unit {id} has no file {path:?}"))
                .help(format!("it has: {}", paths.join(", ")))
        })?;
        let absent = || {
            let message = format!("the bytes of {path} are not in the store");
            Problem::usage("not_found.bytes", message).at(format!("unit {id}"))
        };
        let digest = file.sha256.filter(|_| file.present).ok_or_else(absent)?;
        let (body, size) = self.inner.store.blobs.open(digest).await?.ok_or_else(absent)?;
        Ok(FileContent {
            digest: Some(digest),
            size: Some(size),
            media_type: file.media_type.clone(),
            modified_ms: 0,
            headers: Vec::new(),
            encoding: String::new(),
            body: Body::Blob(body),
        })
    }
}

/// `NUMBER` or `NUMBER:VALUE`: where a page ended.
fn write_cursor(cursor: &UnitCursor) -> String {
    format!("{}:{}", cursor.unit, cursor.value)
}

fn read_cursor(text: &str) -> Result<UnitCursor, Problem> {
    let (unit, value) = text.split_once(':').unwrap_or((text, ""));
    let unit = unit.parse().map(UnitId).map_err(|_not_one| {
        Problem::usage("usage.cursor", "the cursor is not one that a page of units gave")
    })?;
    Ok(UnitCursor { unit, value: value.to_owned() })
}
