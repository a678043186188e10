//! What a recipe is in the store, in version 1.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Error, File, Unit};

/// The type's id.
pub(crate) const RECIPE: &str = "recipe";

/// What tells recipes apart; the digest that belongs to it too is filled in by wharf.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Key {
    pub(crate) name: String,
}

/// Everything else.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Attributes {
    pub(crate) title: String,
    pub(crate) course: String,
    time: String,
    #[serde(default)]
    pub(crate) uses: Vec<String>,
}

impl Attributes {
    #[expect(clippy::unnecessary_wraps, reason = "version 2 reads the time, which may be none")]
    pub(crate) fn new(
        course: &str,
        title: &str,
        time: &str,
        uses: &[String],
    ) -> Result<Self, Error> {
        let (course, title, time) = (course.to_owned(), title.to_owned(), time.to_owned());
        Ok(Self { title, course, time, uses: uses.to_vec() })
    }

    /// The time as indexes write it.
    pub(crate) fn time(&self) -> String {
        self.time.clone()
    }
}

/// The unit of a recipe; its one file lies where a publication shows it.
pub(crate) fn unit(name: &str, attributes: &Attributes, file: File) -> Result<Unit, Error> {
    let key = Key { name: name.to_owned() };
    Ok(Unit::new(RECIPE).key(&key)?.attributes(attributes)?.file(file))
}

/// Where the file lies.
pub(crate) fn path(course: &str, name: &str) -> String {
    format!("{course}/{name}.txt")
}
