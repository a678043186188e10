//! The two lists of a publication.

use std::path::Path;

use wharf_sdk::{Error, PublishedFile};

use super::spool::Spool;
use super::{SHA256SUMS, Settings};
use crate::manifest::line;

/// The lists that the settings ask for, growing.
pub(super) struct Lists {
    manifest: Option<Spool>,
    sums: Option<Spool>,
}

impl Lists {
    pub(super) fn new(settings: &Settings, work_dir: &Path) -> Self {
        Self {
            manifest: settings.manifest().map(|name| Spool::new(name, work_dir)),
            sums: settings.sha256sums.then(|| Spool::new(SHA256SUMS, work_dir)),
        }
    }

    /// Adds a file, and says why a list that is asked for does not name it.
    pub(super) fn add(
        &mut self,
        path: &str,
        sha256: Option<&str>,
        size: Option<u64>,
    ) -> Result<Option<String>, Error> {
        if self.manifest.is_none() && self.sums.is_none() {
            return Ok(None);
        }
        let Some(sha256) = sha256 else {
            return Ok(Some(
                "its sha256 is not known before it is first fetched; no list names it".into(),
            ));
        };
        if let Some(sums) = &mut self.sums {
            sums.add(|text| write_sum(text, path, sha256))?;
        }
        let Some(manifest) = &mut self.manifest else { return Ok(None) };
        let Some(size) = size else {
            let name = manifest.name();
            return Ok(Some(format!(
                "its size is not known before it is first fetched; {name} does not name it"
            )));
        };
        if !line::can_say(path) {
            let name = manifest.name();
            return Ok(Some(format!("a line of {name} cannot say this name")));
        }
        manifest.add(|text| line::write(text, path, sha256, size))?;
        Ok(None)
    }

    pub(super) fn finish(self) -> Result<Vec<PublishedFile>, Error> {
        let lists = [self.manifest, self.sums].into_iter().flatten();
        lists.map(Spool::finish).collect()
    }
}

/// Source: GNU coreutils, `sha256sum`: two blanks, and a name with a backslash or line break is escaped, which a
/// backslash at the start of the line tells.
fn write_sum(text: &mut Vec<u8>, path: &str, sha256: &str) {
    let escaped = path.contains(['\\', '\n', '\r']);
    if escaped {
        text.push(b'\\');
    }
    text.extend_from_slice(sha256.as_bytes());
    text.extend_from_slice(b"  ");
    if escaped {
        let path = path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        text.extend_from_slice(path.as_bytes());
    } else {
        text.extend_from_slice(path.as_bytes());
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_what_sha256sum_reads() {
        let mut text = Vec::new();
        write_sum(&mut text, "a b/c", "00");
        write_sum(&mut text, "a\\b", "11");
        assert_eq!(String::from_utf8(text).unwrap(), "00  a b/c\n\\11  a\\\\b\n");
    }
}
