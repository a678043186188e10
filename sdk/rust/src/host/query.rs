//! Units of a repository's version.

use serde::Serialize;
use tonic::Streaming;
use wharf_proto::v1;

use super::Host;
use crate::Error;
use crate::model::{Unit, to_json};

/// Which units, what of them, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    wire: v1::QueryUnitsRequest,
}

impl Query {
    /// All units of the job's version: the one to publish, or the base of a sync. In a migration: all units of the
    /// plugin's types.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only units of this type; may be called for several.
    #[must_use]
    pub fn of_type(mut self, kind: impl Into<String>) -> Self {
        self.wire.types.push(kind.into());
        self
    }

    /// Of another version than the job's.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        self.wire.version = version;
        self
    }

    /// Of another repository, if the job was granted it.
    #[must_use]
    pub fn repository(mut self, name: impl Into<String>) -> Self {
        self.wire.repository = name.into();
        self
    }

    /// Only units whose field has this value; all such conditions must hold.
    ///
    /// # Errors
    /// A fault when the value cannot be written as JSON.
    pub fn field<T: Serialize + ?Sized>(
        mut self,
        name: impl Into<String>,
        value: &T,
    ) -> Result<Self, Error> {
        let value = to_json("the field's value", value)?;
        self.wire.r#where.push(v1::FieldEquals { name: name.into(), value });
        Ok(self)
    }

    /// Only these fields of key and attributes are sent.
    #[must_use]
    pub fn fields(mut self, names: &[&str]) -> Self {
        self.wire.fields = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Ascending by these key or attribute fields, compared bytewise.
    #[must_use]
    pub fn order_by(mut self, names: &[&str]) -> Self {
        self.wire.order_by = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Units come without their files.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.wire.without_files = true;
        self
    }
}

/// The answer to a query, page by page.
pub struct UnitPages {
    pages: Streaming<v1::Units>,
}

impl UnitPages {
    /// The next units, at least one; `None` at the end.
    ///
    /// # Errors
    /// When the call to the host fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Unit>>, Error> {
        loop {
            let page = self.pages.message().await;
            let page = page.map_err(|status| Error::from_status("QueryUnits", &status))?;
            match page {
                None => return Ok(None),
                Some(page) if page.units.is_empty() => {}
                Some(page) => return Ok(Some(page.units.into_iter().map(Unit::from).collect())),
            }
        }
    }
}

impl Host {
    pub(crate) async fn query(&self, query: Query) -> Result<UnitPages, Error> {
        let pages = self.client()?.query_units(query.wire).await;
        let pages = pages.map_err(|status| Error::from_status("QueryUnits", &status))?;
        Ok(UnitPages { pages: pages.into_inner() })
    }
}
