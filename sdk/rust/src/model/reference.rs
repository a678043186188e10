//! Naming units without sending them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wharf_proto::{MAX_BATCH, v1};

use super::{from_object, to_json, to_object};
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

    /// The type's id; empty when it is named by its number.
    pub fn kind(&self) -> &str {
        &self.wire.r#type
    }

    /// Reads the key into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn read_key<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the unit's key", &self.wire.key)
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

    /// The units of a type that have these keys, structs or maps: at most 1,000, as many as one message holds.
    ///
    /// # Errors
    /// A fault when a key is not a JSON object, or there are more of them.
    pub fn keys<'a, T: Serialize + ?Sized + 'a>(
        kind: impl Into<String>,
        keys: impl IntoIterator<Item = &'a T>,
    ) -> Result<Self, Error> {
        let keys = keys.into_iter().map(|key| to_object("a unit's key", key));
        let keys: Vec<String> = keys.collect::<Result<_, _>>()?;
        if keys.len() > MAX_BATCH {
            let message =
                format!("{} units are kept by one message; it holds {MAX_BATCH}", keys.len());
            return Err(Error::fault("limit.message", message));
        }
        Ok(Self { wire: v1::Keep { r#type: kind.into(), field: None, keys } })
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
