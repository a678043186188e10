//! The parameters of images of containers, with Image Factory's names.

use std::collections::BTreeMap;

use serde::Deserialize;
use wharf_sdk::BuildRequest;

use super::Form;
use super::layer::Compression;
use crate::Error;

/// What a container finds programs in, if nobody says otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Level 6 is gzip's own.
const LEVEL: u32 = 6;

/// The parameters.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wishes {
    repository: String,
    tag: String,
    docker_cmd: Words,
    docker_env: Pairs,
    docker_label: Pairs,
    /// A remark, kept in the image's history.
    pub(super) comment: String,
    tar_excludes: Option<Words>,
    compress: Option<Packing>,
    compression_level: Option<u32>,
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

/// A list of `NAME=VALUE`, one of them, or an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pairs {
    Words(Words),
    Object(BTreeMap<String, String>),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Default for Pairs {
    fn default() -> Self {
        Self::Object(BTreeMap::new())
    }
}

impl Words {
    fn list(&self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word.clone()],
            Self::Many(words) => words.clone(),
        }
    }
}

impl Pairs {
    fn map(&self, field: &str) -> Result<BTreeMap<String, String>, Error> {
        let words = match self {
            Self::Object(map) => return Ok(map.clone()),
            Self::Words(words) => words.list(),
        };
        let pair = |word: &String| {
            let pair = word.split_once('=').filter(|(name, _value)| !name.is_empty());
            let wrong = || Error::Wish(format!("{field}: {word:?} is not NAME=VALUE"));
            pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(wrong)
        };
        words.iter().map(pair).collect()
    }
}

impl Wishes {
    /// # Errors
    /// A usage error about a parameter.
    pub(super) fn read(request: &BuildRequest) -> Result<Self, Error> {
        Ok(request.parameters()?)
    }

    /// Repository and tag; without a wish, the recipe's name and `latest`.
    pub(super) fn reference(&self, name: &str) -> (String, String) {
        let repository = match self.repository.as_str() {
            "" => repository(name),
            asked => asked.to_owned(),
        };
        let tag = if self.tag.is_empty() { "latest".to_owned() } else { self.tag.clone() };
        (repository, tag)
    }

    /// The command; a text is run by a shell, as Docker does it.
    pub(super) fn command(&self) -> Vec<String> {
        match &self.docker_cmd {
            Words::One(text) => ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
            Words::Many(words) => words.clone(),
        }
    }

    /// Variables, `NAME=VALUE`, in the order of their names.
    pub(super) fn environment(&self) -> Result<Vec<String>, Error> {
        let map = self.docker_env.map("docker_env")?;
        let given = map.iter().map(|(name, value)| format!("{name}={value}"));
        let own = (!map.contains_key("PATH")).then(|| PATH.to_owned());
        Ok(own.into_iter().chain(given).collect())
    }

    /// Labels.
    pub(super) fn labels(&self) -> Result<BTreeMap<String, String>, Error> {
        self.docker_label.map("docker_label")
    }

    /// Patterns of what is left out. In one text they stand apart by blanks.
    pub(super) fn excludes(&self) -> Vec<String> {
        excludes(self.tar_excludes.as_ref())
    }

    /// How the layer is compressed.
    pub(super) fn compression(&self, form: Form) -> Result<Compression, Error> {
        let level = self.compression_level;
        Ok(match (self.compress, form) {
            (Some(Packing::None), _) | (None, Form::Docker) => Compression::None,
            (Some(Packing::Gzip), _) | (None, Form::Oci) => {
                Compression::Gzip(level.unwrap_or(LEVEL).clamp(1, 9))
            }
            (Some(Packing::Zstd), Form::Oci) => Compression::Zstd,
            (Some(Packing::Zstd), Form::Docker) => {
                let text = "compress=zstd: docker load reads layers in gzip or none";
                return Err(Error::Wish(text.to_owned()));
            }
        })
    }
}

/// What `etc/fstab` says of a machine's disks is wrong in a container.
fn excludes(wish: Option<&Words>) -> Vec<String> {
    match wish {
        None => vec!["./etc/fstab".to_owned()],
        Some(Words::One(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Words::Many(words)) => words.clone(),
    }
}

/// A name as repositories have it: lower case, with single separators inside.
fn repository(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    if words.is_empty() { "image".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wishes(value: Value) -> Wishes {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_was_not_asked_for_is_useful() {
        let wishes = wishes(json!({}));
        assert_eq!(
            wishes.reference("Web.Server_1"),
            ("web-server-1".to_owned(), "latest".to_owned())
        );
        assert_eq!(wishes.excludes(), ["./etc/fstab"]);
        assert_eq!(wishes.environment().unwrap(), [PATH]);
        assert_eq!(wishes.compression(Form::Docker).unwrap(), Compression::None);
        assert_eq!(wishes.compression(Form::Oci).unwrap(), Compression::Gzip(6));
    }

    #[test]
    fn lists_objects_and_single_texts_are_taken() {
        let given = wishes(json!({
            "docker_cmd": "echo hi", "docker_env": { "B": "2", "PATH": "/x" },
            "docker_label": "a=b=c", "tar_excludes": "./a b/*",
        }));
        assert_eq!(given.command(), ["/bin/sh", "-c", "echo hi"]);
        assert_eq!(given.environment().unwrap(), ["B=2", "PATH=/x"]);
        assert_eq!(given.labels().unwrap()["a"], "b=c");
        assert_eq!(given.excludes(), ["./a", "b/*"]);
        let given = wishes(
            json!({ "docker_cmd": ["a", "b"], "docker_env": ["A=1"], "docker_label": ["x"] }),
        );
        assert_eq!(given.command(), ["a", "b"]);
        assert_eq!(given.environment().unwrap(), [PATH, "A=1"]);
        assert_eq!(
            given.labels().unwrap_err().to_string(),
            "docker_label: \"x\" is not NAME=VALUE"
        );
    }
}
