//! Searches for units, by fields of keys and attributes.

use super::{RepositoryId, TypeId, UnitId, UnitRow};

/// Which units are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitSearch {
    /// In this version of a repository. None: in the newest version of any.
    pub version: Option<(RepositoryId, u64)>,
    /// Of these types; empty: of all.
    pub types: Vec<TypeId>,
    /// All of these must hold.
    pub filter: Vec<FieldMatch>,
    /// In which order they come. None: in that of their numbers.
    pub order: Option<UnitOrder>,
    /// Those behind this one, in that order. None: from the start.
    pub after: Option<UnitCursor>,
    /// At most so many; 0: 1,000.
    pub limit: usize,
}

/// What a field of key or attributes must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMatch {
    /// The field.
    pub name: String,
    /// What it must be.
    pub is: Match,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// This JSON value.
    Value(String),
    /// This, as people write it: a text, or the number or truth value that looks so.
    Written(String),
    /// A text that begins so.
    Prefix(String),
}

/// An order by one field: numbers by their value, then texts bytewise; what lacks it comes before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOrder {
    /// The field of key or attributes.
    pub field: String,
    /// The last ones first.
    pub descending: bool,
}

/// A place in the order of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitCursor {
    /// The unit's field by which they are ordered, as JSON; empty without an order.
    pub value: String,
    /// The unit.
    pub unit: UnitId,
}

/// A unit that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUnit {
    /// The unit, without its files.
    pub unit: UnitRow,
    /// Where it stands in the order.
    pub cursor: UnitCursor,
    /// The repositories whose newest versions hold it, by name. Only when all were searched.
    pub repositories: Vec<String>,
}

/// Some versions in a row that hold a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The repository's name.
    pub repository: String,
    /// From this version on.
    pub added_in: u64,
    /// Up to, but without, this version. None: the newest one holds it.
    pub removed_in: Option<u64>,
}
