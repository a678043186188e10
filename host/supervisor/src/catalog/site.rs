//! Where a plugin may lie (F7): inside the folder that was searched, also after all links, and
//! where only those can change it who are trusted.
//!
//! Looked at when plugins are searched, and again right before each start: a folder that was safe
//! then may have been opened since. Between that look and the start nobody can change anything who
//! is not trusted: all folders on the way are theirs. Only what was searched for is held to it; an
//! embedder's own [`crate::Launch`] starts what it is told.

use std::cell::LazyCell;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::accounts::Accounts;
use super::search::Root;
use super::trust::Trust;
use super::walk::{Node, walk};

/// Where one plugin may lie, and who may be able to change it.
#[derive(Clone, Debug)]
pub struct Site {
    trust: Trust,
    root: PathBuf,
    binaries: Option<PathBuf>,
}

impl Site {
    /// Below the folder of `root`, or where that looks for executables.
    pub fn new(root: &Root, trust: &Trust) -> Self {
        let Root { folder, binaries, kind: _ } = root;
        Self { trust: trust.clone(), root: folder.clone(), binaries: binaries.clone() }
    }

    /// The first thing that is wrong with a plugin's folder or these files of it, with its mode and
    /// owner, and what to do. What does not exist is not wrong.
    pub(super) fn flaw<'a>(
        &self,
        folder: &'a Path,
        files: impl IntoIterator<Item = &'a Path>,
    ) -> Option<String> {
        if self.trust.is_anyone() {
            return None;
        }
        let roots: Vec<PathBuf> = [Some(&self.root), self.binaries.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|root| walk(root).end)
            .collect();
        let accounts: LazyCell<Accounts> = LazyCell::new(Accounts::read);
        let own = walk(folder);
        let inside = |node: &Node| own.end.as_ref().is_some_and(|own| node.path.starts_with(own));
        let ways = [folder].into_iter().chain(files).map(walk);
        ways.into_iter().find_map(|way| {
            let led_out = way.end.as_deref().and_then(|end| leads_out(&way.nodes, end, &roots));
            let judge = |node| self.trust.flaw(node, inside(node), &accounts);
            led_out
                .map(|link| describe(link, way.end.as_deref(), &self.root, &accounts))
                .or_else(|| way.nodes.iter().find_map(judge))
        })
    }
}

/// The link that leads to an end outside of all roots.
fn leads_out<'a>(nodes: &'a [Node], end: &Path, roots: &[PathBuf]) -> Option<&'a Node> {
    let inside = |path: &Path| roots.iter().any(|root| path.starts_with(root));
    if inside(end) {
        return None;
    }
    nodes.iter().rfind(|node| node.metadata.is_symlink() && inside(&node.path))
}

fn describe(link: &Node, end: Option<&Path>, root: &Path, accounts: &Accounts) -> String {
    let target = fs::read_link(&link.path).unwrap_or_default();
    format!(
        "{} (mode {:04o}, owner {}) is a symlink to {}, which leads out of {} to {}; put the plugin itself there, or have the folder searched in which it lies",
        link.path.display(),
        link.metadata.mode() & 0o7777,
        accounts.user(link.metadata.uid()),
        target.display(),
        root.display(),
        end.unwrap_or(&target).display(),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use tempfile::TempDir;

    use super::super::search::RootKind;
    use super::*;

    const OTHER: u32 = 4_000_001;

    /// A root with a plugin `p` with a program in it, and a program beside the host.
    struct Home(TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(home.path("plugins/p/bin")).unwrap();
            fs::create_dir_all(home.path("target")).unwrap();
            for file in ["plugins/p/bin/run", "target/run"] {
                fs::write(home.path(file), "").unwrap();
            }
            home
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn flaw_of(&self, file: &str, trust: &Trust) -> Option<String> {
            let root = Root {
                folder: self.path("plugins"),
                kind: RootKind::Plugins,
                binaries: Some(self.path("target")),
            };
            let file = self.path(file);
            Site::new(&root, trust).flaw(&self.path("plugins/p"), [file.as_path()])
        }

        fn flaw(&self) -> Option<String> {
            self.flaw_of("plugins/p/bin/run", &Trust::default())
        }

        fn refuses(&self, words: &[&str]) {
            let flaw = self.flaw().unwrap();
            for word in words {
                assert!(flaw.contains(word), "{word:?} is not in: {flaw}");
            }
        }
    }

    // F7
    #[test]
    fn whatever_everybody_may_write_on_the_way_is_named_with_mode_and_remedy() {
        let home = Home::new();
        assert_eq!(home.flaw(), None);
        for (name, before) in [
            ("plugins/p/bin/run", 0o755),
            ("plugins/p/bin", 0o755),
            ("plugins/p", 0o755),
            ("plugins", 0o755),
            ("", 0o700),
        ] {
            home.mode(name, 0o777);
            let path = home.path(name);
            let shown = path.to_str().unwrap().trim_end_matches('/');
            home.refuses(&[&format!("{shown} (mode 0777, owner "), "`chmod o-w`"]);
            home.mode(name, before);
        }
        assert_eq!(home.flaw(), None);
        home.mode("", 0o777);
        assert_eq!(home.flaw_of("plugins/p/bin/run", &Trust::anyone()), None);
        // Above the plugin others may put what they like beside it, not into it.
        for (name, fine) in [("", true), ("plugins", true), ("plugins/p", false)] {
            home.mode(name, 0o1777);
            assert_eq!(home.flaw().is_none(), fine, "{name}");
        }
        home.refuses(&["/plugins/p (mode 1777, "]);
    }

    // F7
    #[test]
    fn links_may_lead_anywhere_inside_and_nowhere_else() {
        let home = Home::new();
        for (target, fine) in [
            ("../shared", true),
            ("../../target", true),
            ("../../outside", false),
            ("/usr/bin", false),
        ] {
            let link = home.path("plugins/p/bin");
            fs::remove_dir_all(&link).or_else(|_link| fs::remove_file(&link)).unwrap();
            for name in ["plugins/shared", "outside"] {
                fs::create_dir_all(home.path(name)).unwrap();
                fs::write(home.path(name).join("run"), "").unwrap();
            }
            symlink(target, &link).unwrap();
            // Something has to be there.
            let file = if target == "/usr/bin" { "plugins/p/bin/env" } else { "plugins/p/bin/run" };
            let flaw = home.flaw_of(file, &Trust::default());
            assert_eq!(flaw.is_none(), fine, "{target}: {flaw:?}");
            if let Some(flaw) = flaw {
                let told = format!("{} (mode 0777, owner ", link.display());
                assert!(flaw.starts_with(&told) && flaw.contains(target), "{flaw}");
            }
        }
        // The root itself may be a link: whoever names it means where it leads.
        let moved = home.path("moved");
        fs::remove_file(home.path("plugins/p/bin")).unwrap();
        fs::create_dir(home.path("plugins/p/bin")).unwrap();
        fs::write(home.path("plugins/p/bin/run"), "").unwrap();
        fs::rename(home.path("plugins"), &moved).unwrap();
        symlink(&moved, home.path("plugins")).unwrap();
        assert_eq!(home.flaw(), None);
        // A plugin that is a link out is none of this root.
        fs::create_dir(home.path("plugins/bin")).unwrap();
        fs::rename(home.path("plugins/p"), home.path("p")).unwrap();
        symlink(home.path("p"), home.path("plugins/p")).unwrap();
        home.refuses(&["/moved/p (mode 0777, ", "symlink", "leads out of "]);
    }

    // F7
    #[test]
    fn what_belongs_to_somebody_else_is_refused_unless_the_host_does_too() {
        // Only root can give files away.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let home = Home::new();
        for name in ["plugins/p/bin/run", "plugins/p", "plugins"] {
            chown(home.path(name), Some(OTHER), None).unwrap();
            home.refuses(&[name, "owner 4000001)", "`chown`"]);
            chown(home.path(name), Some(0), None).unwrap();
        }
        // A checkout of another user, and the host that was built in it.
        for name in ["", "plugins", "plugins/p", "plugins/p/bin/run", "target", "target/run"] {
            chown(home.path(name), Some(OTHER), None).unwrap();
        }
        home.refuses(&["owner 4000001)"]);
        let host = Trust::of_host(&home.path("target/run"));
        assert_eq!(home.flaw_of("plugins/p/bin/run", &host), None);
        assert_eq!(home.flaw_of("target/run", &host), None);
        // Built by root in that checkout.
        chown(home.path("target/run"), Some(0), None).unwrap();
        let host = Trust::of_host(&home.path("target/run"));
        assert_eq!(home.flaw_of("plugins/p/bin/run", &host), None);
    }
}
