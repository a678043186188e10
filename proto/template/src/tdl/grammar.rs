//! Every element of TDL.

/// What an element holds.
pub(crate) enum Shape {
    /// Text.
    Text,
    /// Named parts, each once.
    Record {
        attributes: &'static [&'static str],
        children: &'static [(&'static str, Shape)],
        /// A field that is made of all children of a name, however many there are.
        repeated: &'static [(&'static str, Shape)],
        /// Whether its text is the field `content`.
        content: bool,
    },
    /// Entries of these names. With several, the field `type` tells which name it was.
    List { names: &'static [&'static str], entry: &'static Shape },
}

const fn record(children: &'static [(&'static str, Shape)]) -> Shape {
    Shape::Record { attributes: &[], children, repeated: &[], content: false }
}

pub(super) static TEMPLATE: Shape = Shape::Record {
    attributes: &["version"],
    children: &[
        ("name", Shape::Text),
        ("description", Shape::Text),
        ("os", OS),
        ("packages", PACKAGES),
        ("repositories", REPOSITORIES),
        ("files", Shape::List { names: &["file"], entry: &FILE }),
        ("commands", Shape::List { names: &["command"], entry: &COMMAND }),
        ("precommands", Shape::List { names: &["precommand", "command"], entry: &COMMAND }),
        ("disk", record(&[("size", Shape::Text)])),
    ],
    repeated: &[],
    content: false,
};

const OS: Shape = record(&[
    ("name", Shape::Text),
    ("version", Shape::Text),
    ("arch", Shape::Text),
    ("install", INSTALL),
    ("extras", EXTRAS),
    ("kernelparam", Shape::Text),
    ("rootpw", Shape::Text),
    ("key", Shape::Text),
    ("icicle", record(&[("extra_command", Shape::Text)])),
]);

const INSTALL: Shape = Shape::Record {
    attributes: &["type"],
    children: &[
        ("url", Shape::Text),
        ("iso", Shape::Text),
        ("md5sum", Shape::Text),
        ("sha1sum", Shape::Text),
        ("sha256sum", Shape::Text),
        ("extras", EXTRAS),
    ],
    repeated: &[],
    content: false,
};

const EXTRAS: Shape = Shape::List { names: &["directory", "file"], entry: &EXTRA };

static EXTRA: Shape = Shape::Record {
    attributes: &["source", "destination"],
    children: &[],
    repeated: &[],
    content: false,
};

pub(crate) const PACKAGES: Shape = Shape::List { names: &["package"], entry: &PACKAGE };

static PACKAGE: Shape = Shape::Record {
    attributes: &["name"],
    children: &[("repository", Shape::Text), ("file", Shape::Text)],
    repeated: &[("arguments", Shape::Text)],
    content: false,
};

pub(crate) const REPOSITORIES: Shape = Shape::List { names: &["repository"], entry: &REPOSITORY };

static REPOSITORY: Shape = Shape::Record {
    attributes: &["name"],
    children: &[
        ("url", Shape::Text),
        ("signed", Shape::Text),
        ("persisted", Shape::Text),
        ("sslverify", Shape::Text),
    ],
    repeated: &[],
    content: false,
};

static FILE: Shape =
    Shape::Record { attributes: &["name", "type"], children: &[], repeated: &[], content: true };

static COMMAND: Shape = Shape::Record {
    attributes: &["name", "position", "type"],
    children: &[],
    repeated: &[],
    content: true,
};
