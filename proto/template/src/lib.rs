//! The recipe of an image: which system, which packages, files and commands, how large a disk.
//!
//! A template is written as TDL (the template description language of Oz and Image Factory, XML), as TOML or as
//! JSON. All three become one tree of [`Node`](node::Node)s that know their places, one checker reads it into a
//! [`Template`], and what is wrong is told all at once. Host and plugins use it alike: the host reads what users write, a
//! builder is handed the canonical JSON, which is what a [`Template`] serialises to.
//! It never fetches anything: content that is an address stays one.
//!
//! ```
//! use wharf_template::{Form, Template};
//!
//! let text = br#"
//!     name = "web"
//!     packages = [{ name = "nginx-light" }]
//!     [os]
//!     name = "Debian"
//!     version = "12"
//!     arch = "x86_64"
//!     install = { type = "url", url = "http://mirror.example/debian" }
//! "#;
//! let template = Template::read(text, Form::of("web.toml", text)).unwrap();
//! assert_eq!(template.disk.size_bytes, 10 << 30);
//! let problems = Template::read(b"name = 1", Form::Toml).unwrap_err();
//! assert_eq!(problems.iter().next().unwrap().line, Some(1));
//! ```

mod check;
mod fields;
mod forms;
mod lines;
mod model;
mod node;
mod problem;
mod size;
mod target_content;
mod tdl;

pub use forms::Form;
pub use model::{
    Checksum, Command, Content, Disk, Extra, File, Icicle, Install, MediaKind, Os, Package,
    Repository, Template,
};
pub use problem::{Problem, Problems};
pub use target_content::{Include, TargetContent};

/// The media type of a template's canonical JSON.
pub const MEDIA_TYPE: &str = "application/vnd.wharf.template+json";

/// A longer text is no template.
pub const MAX_BYTES: usize = 4 << 20;
