//! Names of users and members of groups, for judging who may write a file.
//!
//! From the two files that every system has. What only a directory service knows is not seen: a
//! name that is missing is never taken for a good sign.

use std::fs;

/// What `/etc/passwd` and `/etc/group` say.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

#[derive(Debug)]
struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

impl Accounts {
    pub(super) fn read() -> Self {
        // A file that cannot be read is one that names nobody.
        let text = |file| fs::read(file).unwrap_or_default();
        Self::parse(
            &String::from_utf8_lossy(&text("/etc/passwd")),
            &String::from_utf8_lossy(&text("/etc/group")),
        )
    }

    /// Source: passwd(5), group(5).
    pub(super) fn parse(passwd: &str, group: &str) -> Self {
        let user = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let mut ids = fields.skip(1).map(str::parse);
            Some(User { name, uid: ids.next()?.ok()?, gid: ids.next()?.ok()? })
        };
        let group_of = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let mut fields = fields.skip(1);
            let gid = fields.next()?.parse().ok()?;
            let names = fields.next().unwrap_or_default().split(',').map(str::trim);
            let members = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
            Some(Group { name, gid, members })
        };
        Self {
            users: passwd.lines().filter_map(user).collect(),
            groups: group.lines().filter_map(group_of).collect(),
        }
    }

    /// By name, where it has one.
    pub(super) fn user(&self, uid: u32) -> String {
        let known = self.users.iter().find(|user| user.uid == uid);
        known.map_or_else(|| uid.to_string(), |user| user.name.clone())
    }

    /// By name, where it has one.
    pub(super) fn group(&self, gid: u32) -> String {
        let known = self.groups.iter().find(|group| group.gid == gid);
        known.map_or_else(|| gid.to_string(), |group| group.name.clone())
    }

    /// Everybody in a group, also those whose own group it is. `None` is a name that belongs to
    /// nobody here.
    pub(super) fn members(&self, gid: u32) -> impl Iterator<Item = Option<u32>> {
        let own = self.users.iter().filter(move |user| user.gid == gid).map(|user| Some(user.uid));
        let named = self.groups.iter().filter(move |group| group.gid == gid);
        let named = named
            .flat_map(|group| &group.members)
            .map(|name| self.users.iter().find(|user| user.name == *name).map(|user| user.uid));
        own.chain(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_both_files() {
        let accounts = Accounts::parse(
            "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/:\nbob:x:1001:100::/:\nnonsense\n::::\n",
            "root:x:0:\nann:x:1000:bob, gone\nusers:x:100:\nshort:x\n",
        );
        let members = |gid| accounts.members(gid).collect::<Vec<_>>();
        assert_eq!(members(1000), [Some(1000), Some(1001), None]);
        assert_eq!(members(100), [Some(1001)]);
        assert_eq!(members(7), []);
        assert_eq!((accounts.user(1001), accounts.user(7)), ("bob".into(), "7".into()));
        assert_eq!((accounts.group(100), accounts.group(7)), ("users".into(), "7".into()));
    }
}
