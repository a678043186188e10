//! Naming units without sending them.

use serde::Serialize;
use wharf_proto::v1;

use super::{to_json, to_object};
use crate::Error;

/// Names a unit: by the host's number, or by type and key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitRef {
    pub(crate) wire: v1::UnitRef,
}

impl UnitRef {
    /// By the host's number.
    pub fn id(id: u64) -> Self {
        Self { wire: v1::UnitRef { id, ..v1::UnitRef::default() } }
    }

    /// By type and key.
    ///
    /// # Errors
    /// A fault when the key is not a JSON object.
    pub fn key<T: Serialize + ?Sized>(kind: impl Into<String>, key: &T) -> Result<Self, Error> {
        let key = to_object("a unit's key", key)?;
        Ok(Self { wire: v1::UnitRef { id: 0, r#type: kind.into(), key } })
    }

    /// The host's number; `None` when it is named by its key.
    pub fn number(&self) -> Option<u64> {
        Some(self.wire.id).filter(|id| *id != 0)
    }

    pub(crate) fn wire_size(&self) -> usize {
        24 + self.wire.r#type.len() + self.wire.key.len()
    }
}

/// Units of the base version that the new version contains too, without sending them again.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    pub(crate) wire: v1::Keep,
}

impl Keep {
    /// All units of a type; with an empty type, of every type.
    pub fn all(kind: impl Into<String>) -> Self {
        Self { wire: v1::Keep { r#type: kind.into(), ..v1::Keep::default() } }
    }

    /// The units of a type whose field has this value.
    ///
    /// # Errors
    /// A fault when the value cannot be written as JSON.
    pub fn field<T: Serialize + ?Sized>(
        kind: impl Into<String>,
        name: impl Into<String>,
        value: &T,
    ) -> Result<Self, Error> {
        let value = to_json("the field's value", value)?;
        let field = v1::FieldEquals { name: name.into(), value };
        Ok(Self { wire: v1::Keep { r#type: kind.into(), field: Some(field), keys: Vec::new() } })
    }
}
