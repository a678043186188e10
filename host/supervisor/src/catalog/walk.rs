//! What a path leads through: every folder, link and file on its way, as the kernel would go it.
//!
//! Nothing is decided here, and nothing is opened.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

/// As many as the kernel follows.
const MAX_LINKS: usize = 40;

/// One thing on the way.
#[derive(Debug)]
pub(super) struct Node {
    /// Without a link in it, but for the last part of a link itself.
    pub(super) path: PathBuf,
    pub(super) metadata: Metadata,
}

/// A path's way from the root of the file system.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// All that lies on it, in the order of the way.
    pub(super) nodes: Vec<Node>,
    /// Where it ends, without a link. `None`: nothing is there, or it cannot be reached.
    pub(super) end: Option<PathBuf>,
}

/// Goes the way of a path, as far as it leads.
pub(super) fn walk(path: &Path) -> Walk {
    let mut way = Walk::default();
    way.end = go(path, &mut way.nodes).ok();
    way
}

/// A part of a path that is still to be gone.
enum Step {
    Start,
    Up,
    Down(OsString),
}

fn go(path: &Path, nodes: &mut Vec<Node>) -> io::Result<PathBuf> {
    let mut here = PathBuf::from("/");
    nodes.push(Node { metadata: fs::symlink_metadata(&here)?, path: here.clone() });
    let mut ahead = steps(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(step) = ahead.pop() {
        let name = match step {
            Step::Start => {
                here = PathBuf::from("/");
                continue;
            }
            Step::Up => {
                here.pop();
                continue;
            }
            Step::Down(name) => name,
        };
        let path = here.join(name);
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(Errno::LOOP.into());
            }
            ahead.extend(steps(&fs::read_link(&path)?));
        } else {
            here.clone_from(&path);
        }
        nodes.push(Node { path, metadata });
    }
    Ok(here)
}

/// The parts of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let steps = path.components().rev().filter_map(|part| match part {
        Component::RootDir | Component::Prefix(_) => Some(Step::Start),
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_as_the_kernel_follows_them() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("a/b")).unwrap();
        fs::write(home.join("a/file"), "").unwrap();
        symlink("b/..", home.join("a/around")).unwrap();
        symlink(home.join("a"), home.join("far")).unwrap();
        let way = walk(&home.join("far/around/./b/../file"));
        assert_eq!(way.end.as_deref(), Some(home.join("a/file").as_path()));
        let seen: Vec<_> =
            way.nodes.iter().filter_map(|node| node.path.strip_prefix(&home).ok()).collect();
        assert_eq!(seen, ["", "far", "", "a", "a/around", "a/b", "a/b", "a/file"].map(Path::new));
    }

    #[test]
    fn a_way_that_ends_early_shows_what_was_passed() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        symlink("circle", home.join("circle")).unwrap();
        for path in ["circle", "missing/file"] {
            let way = walk(&home.join(path));
            assert_eq!(way.end, None);
            assert!(way.nodes.iter().any(|node| node.path == home));
        }
    }
}
