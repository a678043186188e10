//! What a recipe is in the store, in version 2: its time is a number, so that programs can compute with it.

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
    minutes: u32,
    #[serde(default)]
    pub(crate) uses: Vec<String>,
}

impl Attributes {
    pub(crate) fn new(
        course: &str,
        title: &str,
        time: &str,
        uses: &[String],
    ) -> Result<Self, Error> {
        let (course, title, minutes) = (course.to_owned(), title.to_owned(), minutes(time)?);
        Ok(Self { title, course, minutes, uses: uses.to_vec() })
    }

    /// The time as indexes write it.
    pub(crate) fn time(&self) -> String {
        format!("{} min", self.minutes)
    }
}

/// Reads `25 min`.
pub(crate) fn minutes(time: &str) -> Result<u32, Error> {
    let number = time.strip_suffix("min").and_then(|number| number.trim().parse().ok());
    number.ok_or_else(|| {
        let message = format!("{time:?} is no time; write it as \"25 min\"");
        Error::operation("content.time", message)
    })
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
