//! Who may be able to change what a plugin is made of (F7).
//!
//! A plugin runs with the host's rights. So nobody may be able to change it who could not change
//! the host itself: root, the user that the host runs as, and whoever owns the host's program or a
//! folder above it. The last ones make a checkout work for everybody who runs a host that was built
//! in it, root included, and give nothing away.
//!
//! The rule for files and folders is that of sshd's strict modes with Debian's allowance for groups
//! that belong to one user, as an `umask` of 002 supposes; and folders that everybody may write are
//! fine above a plugin if they are sticky, as `/tmp` is.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::getxattr_query;
use rustix::process::geteuid;

use super::accounts::Accounts;
use super::walk::{Node, walk};

const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// All of a mode that `chmod` sets.
const MODE: u32 = 0o7777;

/// Who may be able to change a plugin, besides root and the user that the host runs as, which are
/// the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    anyone: bool,
    users: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

impl Trust {
    /// Also whoever can change this program, which is to be the host's own: its owner, the owners of
    /// the folders above it, and the groups that may write one of these.
    pub fn of_host(program: &Path) -> Self {
        let mut trust = Self::default();
        for Node { metadata, .. } in walk(program).nodes {
            trust.users.insert(metadata.uid());
            let groups = !metadata.is_symlink() && metadata.mode() & STICKY == 0;
            if groups && metadata.mode() & GROUP_WRITES != 0 {
                trust.groups.insert(metadata.gid());
            }
        }
        trust
    }

    /// Everybody: nothing is looked at. For a plugin that its user has named, as a path in a shell
    /// is named.
    pub fn anyone() -> Self {
        Self { anyone: true, ..Self::default() }
    }

    pub(super) fn is_anyone(&self) -> bool {
        self.anyone
    }

    fn user(&self, uid: u32) -> bool {
        uid == 0 || uid == geteuid().as_raw() || self.users.contains(&uid)
    }

    /// Whether everybody in the group is trusted. `owner` owns what the group may write.
    fn group(&self, gid: u32, owner: u32, accounts: &Accounts) -> bool {
        // Some systems list accounts without a login in root's group.
        if gid == 0 || self.groups.contains(&gid) {
            return true;
        }
        let mut members = accounts.members(gid).peekable();
        if members.peek().is_none() {
            // It is known elsewhere, or to nobody, as in containers: the number of a user's own
            // group is by custom that of the user.
            return gid == owner;
        }
        members.all(|member| member.is_some_and(|uid| self.user(uid)))
    }

    /// What is wrong with one thing on a plugin's way, and what to do. `inside`: it is the plugin's
    /// own folder or lies in it, where nobody else may put anything. The accounts are read for a
    /// group's rights and for messages only: this is done before each start.
    pub(super) fn flaw(
        &self,
        node: &Node,
        inside: bool,
        accounts: &LazyCell<Accounts>,
    ) -> Option<String> {
        let facts = Facts {
            uid: node.metadata.uid(),
            gid: node.metadata.gid(),
            mode: node.metadata.mode(),
            link: node.metadata.is_symlink(),
            sticky: node.metadata.is_dir() && node.metadata.mode() & STICKY != 0 && !inside,
            listed: has_access_list(node),
        };
        let problem = self.problem(&facts, accounts)?;
        let shown = node.path.display();
        let owner = accounts.user(facts.uid);
        let mode = facts.mode & MODE;
        Some(match problem {
            Flaw::Owner => format!(
                "{shown} (mode {mode:04o}, owner {owner}) belongs to another user than root and {}, who could change the plugin; `chown` it if you trust what is there, or put the plugin where nobody else can change it",
                accounts.user(geteuid().as_raw()),
            ),
            Flaw::Group => format!(
                "{shown} (mode {mode:04o}, owner {owner}) can be changed by everybody in the group {}; `chmod g-w` it, or put the plugin where nobody else can change it",
                accounts.group(facts.gid),
            ),
            Flaw::List => format!(
                "{shown} (mode {mode:04o}, owner {owner}) can be changed by those whom its access control list names; `setfacl -b` it, or put the plugin where nobody else can change it",
            ),
            Flaw::Others => format!(
                "{shown} (mode {mode:04o}, owner {owner}) can be changed by everybody; `chmod o-w` it, or put the plugin where nobody else can change it",
            ),
        })
    }

    fn problem(&self, facts: &Facts, accounts: &LazyCell<Accounts>) -> Option<Flaw> {
        if !self.user(facts.uid) {
            return Some(Flaw::Owner);
        }
        // A link's own mode says nothing, and what lies in a sticky folder only its owner changes.
        if facts.link || facts.sticky {
            return None;
        }
        if facts.mode & OTHERS_WRITE != 0 {
            return Some(Flaw::Others);
        }
        if facts.mode & GROUP_WRITES == 0 {
            return None;
        }
        if facts.listed {
            return Some(Flaw::List);
        }
        (!self.group(facts.gid, facts.uid, accounts)).then_some(Flaw::Group)
    }
}

/// What decides.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    uid: u32,
    gid: u32,
    mode: u32,
    link: bool,
    /// A folder in which everybody changes what is his own only.
    sticky: bool,
    /// The mode's group is the most that an access control list gives to anybody.
    listed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Owner,
    Group,
    List,
    Others,
}

/// Such a list shows as rights of the group. Those of the other users and groups that it names
/// would have to be judged one by one; no plugin needs one.
fn has_access_list(node: &Node) -> bool {
    node.metadata.mode() & GROUP_WRITES != 0
        && !node.metadata.is_symlink()
        && getxattr_query(&node.path, "system.posix_acl_access").is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::{fs, io};

    use super::*;

    const OTHER: u32 = 4_000_001;
    const HOST: u32 = 4_000_002;

    fn accounts() -> Accounts {
        let passwd =
            "root:x:0:0:::\nother:x:4000001:4000001:::\nhost:x:4000002:4000002:::\nsync:x:5:0:::\n";
        let group = "root:x:0:\nhost:x:4000002:\nshared:x:60:host,other\nown:x:61:host,root\nempty:x:62:\nlost:x:63:host,gone\n";
        Accounts::parse(passwd, group)
    }

    fn problem(facts: Facts) -> Option<Flaw> {
        let trust = Trust { users: [HOST].into(), groups: [70].into(), ..Trust::default() };
        trust.problem(&facts, &LazyCell::new(accounts))
    }

    // F7
    #[test]
    fn only_root_the_hosts_user_and_the_owners_of_the_host_may_own_a_plugin() {
        for uid in [0, geteuid().as_raw(), HOST] {
            assert_eq!(problem(Facts { uid, mode: 0o755, ..Facts::default() }), None);
        }
        let other = Facts { uid: OTHER, mode: 0o700, ..Facts::default() };
        for facts in [
            other,
            Facts { link: true, mode: 0o777, ..other },
            Facts { sticky: true, mode: 0o1777, ..other },
        ] {
            assert_eq!(problem(facts), Some(Flaw::Owner), "{facts:?}");
        }
    }

    // F7
    #[test]
    fn what_everybody_may_write_is_refused_unless_it_is_sticky_and_above() {
        let open = Facts { mode: 0o777, ..Facts::default() };
        assert_eq!(problem(open), Some(Flaw::Others));
        assert_eq!(problem(Facts { mode: 0o602, ..open }), Some(Flaw::Others));
        assert_eq!(problem(Facts { mode: 0o1777, sticky: true, ..open }), None);
        assert_eq!(problem(Facts { link: true, ..open }), None);
    }

    // F7
    #[test]
    fn a_group_may_write_if_everybody_in_it_is_trusted() {
        let of = |gid| problem(Facts { uid: HOST, gid, mode: 0o775, ..Facts::default() });
        // Root's, that of one user, one with trusted users only, one that may change the host, one
        // that is known elsewhere and has its user's number.
        for gid in [0, HOST, 61, 70] {
            assert_eq!(of(gid), None, "{gid}");
        }
        // One with another user, an empty one, one with an unknown user, an unknown one, another
        // user's.
        for gid in [60, 62, 63, 64, OTHER] {
            assert_eq!(of(gid), Some(Flaw::Group), "{gid}");
        }
        let unknown = Facts { uid: 0, gid: 64, mode: 0o755, ..Facts::default() };
        assert_eq!(problem(unknown), None);
        let listed = Facts { uid: HOST, gid: HOST, mode: 0o770, listed: true, ..Facts::default() };
        assert_eq!(problem(listed), Some(Flaw::List));
        assert_eq!(problem(Facts { mode: 0o750, ..listed }), None);
    }

    // F7
    #[test]
    fn whoever_can_change_the_host_is_trusted() {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("host");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o775)).unwrap();
        let facts = fs::metadata(&program).unwrap();
        assert!(Trust::of_host(&program).groups.contains(&facts.gid()));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let root = geteuid().is_root();
        if root {
            std::os::unix::fs::chown(home.path(), Some(OTHER), None).unwrap();
        }
        let trust = Trust::of_host(&program);
        assert_eq!(trust.user(OTHER), root);
        assert!(trust.user(geteuid().as_raw()) && !trust.user(HOST));
    }

    // F7
    #[test]
    fn an_access_list_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let node = |mode| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let node = walk(&file).nodes.pop().unwrap();
            assert_eq!(node.path.file_name(), file.file_name());
            node
        };
        assert!(!has_access_list(&node(0o664)));
        // Version 2; user rw, user 4000001 rw, group r, at most rw, others nothing.
        let list = [
            (1_u16, 6_u16, u32::MAX),
            (2, 6, OTHER),
            (4, 4, u32::MAX),
            (16, 6, u32::MAX),
            (32, 0, u32::MAX),
        ];
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        for (tag, rights, id) in list {
            bytes.extend(tag.to_le_bytes().into_iter().chain(rights.to_le_bytes()));
            bytes.extend(id.to_le_bytes());
        }
        let flags = rustix::fs::XattrFlags::empty();
        match rustix::fs::setxattr(&file, "system.posix_acl_access", &bytes, flags) {
            Ok(()) => {
                assert!(has_access_list(&node(0o660)));
                assert!(!has_access_list(&node(0o640)));
            }
            // Not every file system has them.
            Err(error) => assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported),
        }
    }
}
