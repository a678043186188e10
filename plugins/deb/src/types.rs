//! The plugin's units, as their keys and attributes are written and read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(crate) const DEB: &str = "deb";
pub(crate) const SOURCE: &str = "deb_source";
pub(crate) const INDEX: &str = "deb_index";
pub(crate) const RELEASE: &str = "deb_release";
pub(crate) const FILE: &str = "deb_file";

/// What the packages of the installer (udeb) lie in, inside a component.
pub(crate) const INSTALLER: &str = "debian-installer";

/// The component of what a flat repository holds.
pub(crate) const FLAT_COMPONENT: &str = "main";

/// Key of a binary package.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DebKey<'a> {
    #[serde(borrow)]
    pub(crate) distribution: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) component: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) package: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) version: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) architecture: Cow<'a, str>,
    /// Empty: the bytes will tell.
    #[serde(borrow, default, skip_serializing_if = "str_is_empty")]
    pub(crate) sha256: Cow<'a, str>,
}

/// Key of a source package; the digest is that of its `.dsc`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SourceKey<'a> {
    #[serde(borrow)]
    pub(crate) distribution: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) component: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) package: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) version: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) sha256: Cow<'a, str>,
}

/// Attributes of packages of both kinds.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PackageInfo<'a> {
    /// Distribution and component as one word: what of an unchanged index is kept together.
    #[serde(borrow)]
    pub(crate) area: Cow<'a, str>,
    /// The name of the source package; only for binary ones, and only when it is another.
    #[serde(borrow, default, skip_serializing_if = "str_is_empty")]
    pub(crate) source: Cow<'a, str>,
    /// The paragraph of the index as it was, without what says where the files are.
    #[serde(borrow)]
    pub(crate) control: Cow<'a, str>,
}

/// Key of a file beside the indexes.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct IndexKey {
    pub(crate) distribution: String,
    /// From the distribution's folder: `main/i18n/Translation-en.xz`.
    pub(crate) path: String,
    pub(crate) sha256: String,
}

/// Attributes of a file beside the indexes: what it unpacks to.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct IndexInfo {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// Key of a file of upstream's own, kept as it is.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct FileKey {
    pub(crate) distribution: String,
    /// From the repository's root: `dists/stable/InRelease`.
    pub(crate) path: String,
    pub(crate) sha256: String,
}

/// Key of a distribution; the digest is that of all it says.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ReleaseKey {
    pub(crate) distribution: String,
    pub(crate) sha256: String,
}

/// Attributes of a distribution.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct ReleaseInfo {
    /// Names and values, in order.
    pub(crate) fields: Vec<(String, String)>,
    /// Those mirrored, without `all`.
    pub(crate) architectures: Vec<String>,
    /// Those mirrored.
    pub(crate) components: Vec<String>,
    /// Whether it has source packages.
    pub(crate) sources: bool,
}

#[expect(clippy::ptr_arg, reason = "serde hands over a reference to the field")]
fn str_is_empty(text: &Cow<'_, str>) -> bool {
    text.is_empty()
}
