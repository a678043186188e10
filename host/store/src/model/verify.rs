//! Bytes that are looked at again, and who uses them.

use super::{Digest, Holding, RelativePath, UnitId};

/// Bytes that should be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The number of their row, by which pages follow each other.
    pub row: i64,
    /// Their name.
    pub digest: Digest,
    /// How many there should be.
    pub size: u64,
    /// That they are not here is known, and nobody brought them since.
    pub lost: bool,
}

/// A unit's file that is these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The unit.
    pub unit: UnitId,
    /// Its type's name.
    pub type_name: String,
    /// Its key: a JSON object.
    pub key: String,
    /// Where the file stands in it.
    pub path: RelativePath,
    /// Which versions hold the unit.
    pub holdings: Vec<Holding>,
}
