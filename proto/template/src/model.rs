//! A template that was checked. It serialises to the canonical JSON that builders are handed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// A recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Template {
    /// What it is called.
    pub name: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The system.
    pub os: Os,
    /// What is installed beyond the minimum.
    pub packages: Vec<Package>,
    /// Where packages come from, besides the place of installation.
    pub repositories: Vec<Repository>,
    /// Files that are put into the image after the packages.
    pub files: Vec<File>,
    /// Run in the image after packages and files, in this order.
    pub commands: Vec<Command>,
    /// Run in the image before the packages, in this order.
    pub precommands: Vec<Command>,
    /// The disk.
    pub disk: Disk,
}

impl Template {
    /// The canonical JSON.
    pub fn to_json(&self) -> String {
        // Texts and numbers only: nothing that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An operating system, and where it is installed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Os {
    /// `Debian`, `Fedora`, ...
    pub name: String,
    /// As its makers number it.
    pub version: String,
    /// One of [`Os::ARCHITECTURES`].
    pub arch: String,
    /// Where it comes from.
    pub install: Install,
    /// Files of the installation medium that are taken along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<Extra>,
    /// More arguments of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernelparam: Option<String>,
    /// The password of root. Never log it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootpw: Option<String>,
    /// The licence key of a system that wants one. Never log it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How the package manifest is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icicle: Option<Icicle>,
}

impl Os {
    /// The names of architectures.
    pub const ARCHITECTURES: [&'static str; 7] =
        ["i386", "x86_64", "ppc64", "ppc64le", "aarch64", "armv7l", "s390x"];
}

/// Where a system comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Install {
    /// A tree on a server.
    Url {
        /// Its address.
        url: String,
    },
    /// A medium.
    Iso {
        /// Its address.
        iso: String,
        /// What it must have.
        #[serde(flatten)]
        checksum: Option<Checksum>,
    },
}

/// A digest in hexadecimal digits, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// 32 digits.
    Md5Sum(String),
    /// 40 digits.
    Sha1Sum(String),
    /// 64 digits.
    Sha256Sum(String),
}

/// A file or folder of the installation medium that is taken along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Extra {
    /// Which of the two.
    #[serde(rename = "type")]
    pub kind: MediaKind,
    /// Where it is on the medium.
    pub source: String,
    /// Where it is to be.
    pub destination: String,
}

/// A file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A folder with all below it.
    Directory,
    /// One file.
    File,
}

/// How the package manifest is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Icicle {
    /// A command whose output is kept with each package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_command: Option<String>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Package {
    /// What the system's package tool calls it.
    pub name: String,
    /// The repository that it is to come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The name of its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// For the package tool.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// A place that packages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repository {
    /// Unique in the template.
    pub name: String,
    /// Its address, in the form of the system's package tool.
    pub url: String,
    /// Whether its signature is checked. Default: no.
    pub signed: bool,
    /// Whether the image keeps it. Default: yes.
    pub persisted: bool,
    /// Whether the certificate of its server is checked. Default: no.
    pub sslverify: bool,
}

/// A file of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct File {
    /// An absolute path in the image, without `..`.
    pub name: String,
    /// What it holds.
    #[serde(flatten)]
    pub content: Content,
}

/// Something that is run in the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Command {
    /// What it is called.
    pub name: String,
    /// The script.
    #[serde(flatten)]
    pub content: Content,
}

/// What a file or a command consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "content", rename_all = "lowercase")]
pub enum Content {
    /// The text itself.
    Raw(String),
    /// The bytes, in base 64 without blanks.
    Base64(String),
    /// An address where it is fetched when the image is built.
    Url(String),
}

impl Content {
    /// The bytes; `None` for an address.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Raw(text) => Some(text.clone().into_bytes()),
            // The reader has decoded it once already.
            Self::Base64(text) => STANDARD.decode(text).ok(),
            Self::Url(_) => None,
        }
    }
}

/// The disk of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disk {
    /// Its size, in bytes.
    pub size_bytes: u64,
}
