//! What an object is called: `s3://BUCKET/KEY?versionId=VERSION`, or `?etag=TAG` where the bucket keeps no versions.

use std::fmt;

use wharf_sdk::Error;

use super::client::Object;

/// The longest key, in bytes. Source: S3 user guide, "Naming Amazon S3 objects".
const MAX_KEY: usize = 900;

/// A name of an object that was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
    pub(super) etag: String,
}

impl Identifier {
    pub(super) fn of(bucket: &str, key: &str, object: &Object) -> Self {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Self { bucket, key, version: object.version.clone(), etag: object.etag.clone() }
    }

    /// Reads one of this bucket.
    pub(super) fn read(text: &str, bucket: &str) -> Result<Self, Error> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (own, rest) = parts.unwrap_or_default();
        let told = rest.rsplit_once('?').unwrap_or((rest, ""));
        let (key, tail) = (told.0, told.1.split_once('=').unwrap_or_default());
        if own != bucket || check_key(key).is_err() {
            let message = format!(
                "{text} is not in the bucket {bucket}: was the setting bucket changed since it was pushed?"
            );
            return Err(Error::usage("config.bucket", message).at_field("/bucket"));
        }
        let (bucket, key) = (own.to_owned(), key.to_owned());
        match tail {
            ("versionId", version) => {
                let version = Some(version.to_owned());
                Ok(Self { bucket, key, version, etag: String::new() })
            }
            (_, etag) => Ok(Self { bucket, key, version: None, etag: etag.to_owned() }),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, key, version, etag } = self;
        match version {
            Some(version) => write!(f, "s3://{bucket}/{key}?versionId={version}"),
            None => write!(f, "s3://{bucket}/{key}?etag={etag}"),
        }
    }
}

/// What is wrong with a key. A question mark would end it in an identifier.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err("a key has 1 to 900 bytes");
    }
    if key.starts_with('/') || key.contains(|it: char| it.is_control() || it == '?') {
        return Err("a key begins without / and has no ? and no control characters");
    }
    if key.split('/').any(|part| matches!(part, "." | "..")) {
        return Err("a key has no . and no .. between slashes: some servers resolve them");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_as_it_was_written_and_only_in_its_own_bucket() {
        for (version, etag) in [(Some("v=1"), ""), (None, "abc-3")] {
            let version = version.map(str::to_owned);
            let (bucket, key, etag) =
                ("images".to_owned(), "a/web-1.qcow2".to_owned(), etag.to_owned());
            let identifier = Identifier { bucket, key, version, etag };
            let text = identifier.to_string();
            assert_eq!(Identifier::read(&text, "images").unwrap(), identifier, "{text}");
            assert!(Identifier::read(&text, "image").is_err());
        }
        assert!(Identifier::read("s3://images", "images").is_err());
    }

    #[test]
    fn a_key_stays_where_it_is_put() {
        for wrong in ["", "/a", "a/../b", "./a", "a?b", "a\nb"] {
            assert!(check_key(wrong).is_err(), "{wrong:?}");
        }
        assert!(check_key("images/web 1/ä.qcow2").is_ok());
    }
}
