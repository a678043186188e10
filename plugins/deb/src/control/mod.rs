//! Control data: paragraphs of fields, as in `Packages`, `Sources`, `Release` and a package's `control`.
//!
//! [`Reader`] gives one [`Paragraph`] at a time and keeps nothing of those before. Values are bytes: old repositories
//! are not all in UTF-8. Source: deb822(5), and what apt takes beyond it.

mod paragraph;
mod reader;

pub use paragraph::Paragraph;
pub use reader::{ControlError, Reader};
