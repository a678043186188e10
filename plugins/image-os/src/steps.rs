//! Lays files and scripts ready for the hooks of mmdebstrap, as plain files in a folder.
//!
//! Names and contents come from users: they are written to files of our own numbering, and no script has them in its text.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use wharf_sdk::{Context, Download, Error};
use wharf_template::Content;

/// What is fetched for one file or command may be as large as this: 4 GiB.
const MAX_DOWNLOAD: u64 = 4 << 30;

const COMMON: &str = include_str!("scripts/common.sh");
const HOOKS: [(&str, &str); 3] = [
    ("setup", include_str!("scripts/setup.sh")),
    ("essential", include_str!("scripts/essential.sh")),
    ("customize", include_str!("scripts/customize.sh")),
];

/// The folder of what is laid ready.
pub(crate) struct Steps {
    folder: PathBuf,
}

impl Steps {
    /// A fresh folder with the hooks.
    pub(crate) fn create(folder: PathBuf) -> Result<Self, Error> {
        let steps = Self { folder };
        for name in ["precommands", "commands", "files", "own", "repositories"] {
            let folder = steps.folder.join(name);
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        }
        for (name, text) in HOOKS {
            steps.write(name, format!("#!/bin/sh\n{COMMON}\n{text}").as_bytes())?;
            let path = steps.path(name);
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&path, mode).map_err(|error| failed(&path, &error))?;
        }
        Ok(steps)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file that only this user may read.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written =
            options.open(&path).and_then(|mut file| io::Write::write_all(&mut file, content));
        written.map_err(|error| failed(&path, &error))
    }

    /// What a hook wrote.
    pub(crate) fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.path(name);
        let bytes = fs::read(&path).map_err(|error| failed(&path, &error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// One more script of `commands` or `precommands`.
    pub(crate) async fn script(
        &self,
        context: &Context,
        kind: &str,
        name: &str,
        content: &Content,
    ) -> Result<(), Error> {
        self.add(context, kind, "script", name, content).await
    }

    /// One more file, at an absolute path of the image.
    pub(crate) async fn file(
        &self,
        context: &Context,
        kind: &str,
        name: &str,
        content: &Content,
    ) -> Result<(), Error> {
        must_be_path(name)?;
        self.add(context, kind, "content", name, content).await
    }

    /// One more script whose bytes are there.
    pub(crate) fn script_of(&self, kind: &str, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let file = self.next(kind, "script", name)?;
        self.write(&file, bytes)
    }

    /// One more file whose bytes are there.
    pub(crate) fn file_of(&self, kind: &str, name: &str, bytes: &[u8]) -> Result<(), Error> {
        must_be_path(name)?;
        let file = self.next(kind, "content", name)?;
        self.write(&file, bytes)
    }

    async fn add(
        &self,
        context: &Context,
        kind: &str,
        ending: &str,
        name: &str,
        content: &Content,
    ) -> Result<(), Error> {
        let file = self.next(kind, ending, name)?;
        match content {
            Content::Url(url) => {
                let download = Download::from_url(url).max_bytes(MAX_DOWNLOAD);
                let staged = context.download(download).await?.staged.unwrap_or_default();
                let (from, to) = (context.in_work_dir(staged), self.path(&file));
                fs::rename(&from, &to).map_err(|error| failed(&to, &error))
            }
            inside => {
                let bytes = inside.bytes().ok_or_else(|| {
                    Error::usage("config.template", format!("{name:?}: this is not base 64"))
                })?;
                self.write(&file, &bytes)
            }
        }
    }

    /// The next number of a kind, under which its name is kept.
    fn next(&self, kind: &str, ending: &str, name: &str) -> Result<String, Error> {
        let number = self.count(kind)?;
        self.write(&format!("{kind}/{number:06}.name"), name.as_bytes())?;
        Ok(format!("{kind}/{number:06}.{ending}"))
    }

    /// How many there are, which is the next one's number.
    fn count(&self, kind: &str) -> Result<usize, Error> {
        let folder = self.path(kind);
        let entries = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?;
        Ok(entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "name"))
            .count())
    }
}

fn must_be_path(name: &str) -> Result<(), Error> {
    if is_path(name) {
        return Ok(());
    }
    let message = format!("{name:?} is no absolute path of a file in the image");
    Err(Error::usage("config.file", message))
}

/// Whether this names a file below `/` of the image, and stays there.
fn is_path(name: &str) -> bool {
    name.starts_with('/')
        && !name.ends_with('/')
        && !name.chars().any(char::is_control)
        && name.split('/').all(|part| !matches!(part, "." | ".."))
}

/// A file of ours that cannot be read or written.
pub(crate) fn failed(path: &Path, error: &io::Error) -> Error {
    Error::operation("storage.work", format!("{} cannot be used", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_below_the_root_of_the_image() {
        assert!(is_path("/etc/a b"));
        for name in ["etc/motd", "/", "/etc/", "/a/../b", "/./a", "/a\nb", ""] {
            assert!(!is_path(name), "{name:?}");
        }
    }

    #[test]
    fn what_is_laid_ready_is_private_and_hooks_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let steps = Steps::create(folder.path().join("steps")).unwrap();
        steps.write("rootpw", b"root:secret").unwrap();
        let mode = |name| fs::metadata(steps.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("rootpw"), mode("customize")), (0o600, 0o755));
        assert!(steps.read("customize").unwrap().starts_with("#!/bin/sh\n"));
        assert_eq!(steps.count("commands").unwrap(), 0);
    }
}
