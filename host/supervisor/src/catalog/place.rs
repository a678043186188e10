//! What lies in the folders that are searched and may be a plugin: folders with `plugin.json`, Image Factory's `NAME.info`,
//! and links to such files, by which a folder like Image Factory's `plugins.d` activates plugins that lie elsewhere.
//!
//! Nothing is read but names; what a place holds is for others to say.

use std::fs;
use std::path::{Path, PathBuf};

use super::search::{Root, RootKind};

/// What a plugin's own file is called.
pub(super) const MANIFEST: &str = "plugin.json";
/// How Image Factory's files end.
const INFO: &str = "info";

/// Something that may be a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A folder with `plugin.json`.
    Folder(PathBuf),
    /// A `NAME.info` without `plugin.json` beside it.
    Info(PathBuf),
    /// A link that activates what is elsewhere: where it leads, or why it cannot be said.
    Link(PathBuf, Result<Box<Place>, String>),
}

/// All places of a root, sorted.
pub(super) fn places(root: &Root) -> Vec<Place> {
    match root.kind {
        RootKind::Versions => {
            let versions = entries(&root.folder).into_iter().flat_map(|name| entries(&name));
            versions.filter(|path| path.is_dir()).flat_map(|folder| inside(&folder)).collect()
        }
        RootKind::Plugins => {
            let own = inside(&root.folder);
            if !own.is_empty() {
                return own;
            }
            entries(&root.folder).into_iter().flat_map(|path| below(&path)).collect()
        }
    }
}

/// What an entry of a folder of plugins is.
fn below(path: &Path) -> Vec<Place> {
    match path.is_dir() {
        true => inside(path),
        false if is_info(path) && path.is_symlink() => vec![link(path)],
        false => Vec::new(),
    }
}

/// What a folder is, if it is a plugin, or several.
fn inside(folder: &Path) -> Vec<Place> {
    if folder.join(MANIFEST).is_file() {
        return vec![Place::Folder(folder.to_owned())];
    }
    let files = entries(folder).into_iter();
    files
        .filter(|path| is_info(path) && !path.is_symlink() && path.is_file())
        .map(Place::Info)
        .collect()
}

/// What a link leads to. The name that counts is that of the file there, as its folder knows it.
fn link(path: &Path) -> Place {
    let lost = |problem: String| {
        let words = "remove the link, or install what it leads to again";
        Err(format!("{}: {problem}; {words}", path.display()))
    };
    let leads_to = match path.canonicalize() {
        Err(error) => {
            let to = fs::read_link(path).unwrap_or_default();
            lost(format!("it is a link to {}, which cannot be reached: {error}", to.display()))
        }
        Ok(file) if !file.is_file() => {
            lost(format!("it leads to {}, which is no file", file.display()))
        }
        Ok(file) if !is_info(&file) => {
            lost(format!("it leads to {}, whose name does not end in .info", file.display()))
        }
        Ok(file) => Ok(Box::new(match file.parent().filter(|it| it.join(MANIFEST).is_file()) {
            Some(folder) => Place::Folder(folder.to_owned()),
            None => Place::Info(file),
        })),
    };
    Place::Link(path.to_owned(), leads_to)
}

fn is_info(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == INFO)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root(folder: &Path) -> Root {
        Root { folder: folder.to_owned(), kind: RootKind::Plugins, binaries: None }
    }

    #[test]
    fn folders_files_and_links_are_found() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        for folder in ["plugins/own", "plugins/Mock", "elsewhere/Far", "plugins/empty"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        for file in [
            "plugins/own/plugin.json",
            "plugins/own/a.info",
            "plugins/Mock/Mock.info",
            "elsewhere/Far/Far.info",
        ] {
            fs::write(home.join(file), "").unwrap();
        }
        symlink("../elsewhere/Far/Far.info", home.join("plugins/Far.info")).unwrap();
        symlink("own/a.info", home.join("plugins/beside.info")).unwrap();
        let found = places(&root(&home.join("plugins")));
        let to = |place| Ok(Box::new(place));
        assert_eq!(
            found,
            [
                Place::Link(
                    home.join("plugins/Far.info"),
                    to(Place::Info(home.join("elsewhere/Far/Far.info")))
                ),
                Place::Info(home.join("plugins/Mock/Mock.info")),
                Place::Link(
                    home.join("plugins/beside.info"),
                    to(Place::Folder(home.join("plugins/own")))
                ),
                Place::Folder(home.join("plugins/own")),
            ]
        );
        assert_eq!(places(&root(&home.join("plugins/Mock"))).len(), 1);
        assert_eq!(places(&root(&home.join("none"))), []);
    }

    #[test]
    fn links_that_lead_to_no_such_file_are_told() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir(home.join("folder")).unwrap();
        fs::write(home.join("text"), "").unwrap();
        for (name, target, says) in [
            ("gone.info", "/nowhere/x.info", "a link to /nowhere/x.info, which cannot be reached"),
            ("circle.info", "circle.info", "cannot be reached"),
            ("text.info", "text", "does not end in .info"),
        ] {
            symlink(target, home.join(name)).unwrap();
            let Place::Link(_, Err(reason)) = link(&home.join(name)) else { panic!("{name}") };
            assert!(reason.contains(says) && reason.contains("remove the link"), "{reason}");
        }
        assert_eq!(places(&root(&home)).len(), 3);
    }
}
