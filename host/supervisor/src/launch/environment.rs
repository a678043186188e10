//! The environment of a plugin: what it may see of the host's, what its caller sets, what the
//! protocol sets, in this order; later ones win.
//!
//! A plugin never sees a protocol variable that this host inherited from a host of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use wharf_proto::handshake::{Environment, VARIABLES};

/// Which of the host's variables a plugin sees (F26).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvPolicy {
    /// `PATH`, `LANG`, `LC_*` and `TZ`, and those named here. `HOME` and `TMPDIR` are the plugin's private folder.
    Allow(Vec<String>),
    /// None of them. `HOME` and `TMPDIR` are the plugin's private folder.
    Nothing,
    /// All but the protocol's own, as go-plugin does. `HOME` and `TMPDIR` are the host's.
    Inherit,
}

impl EnvPolicy {
    /// With what a manifest asks for.
    pub(crate) fn granting(&self, names: &[String]) -> Self {
        match self {
            Self::Allow(allowed) => Self::Allow([allowed, names].concat()),
            Self::Nothing | Self::Inherit => self.clone(),
        }
    }
}

impl Default for EnvPolicy {
    fn default() -> Self {
        Self::Allow(Vec::new())
    }
}

const ALWAYS: &[&str] = &["PATH", "LANG", "TZ"];

/// Everything that decides a plugin's environment.
pub(super) struct Wishes<'a> {
    pub(super) policy: &'a EnvPolicy,
    pub(super) set: &'a [(String, String)],
    pub(super) folder: &'a Path,
    pub(super) cookie: (&'a str, &'a str),
    pub(super) protocol: &'a Environment,
}

pub(super) fn environment(
    host: impl Iterator<Item = (OsString, OsString)>,
    wishes: &Wishes<'_>,
) -> BTreeMap<OsString, OsString> {
    let mut all: BTreeMap<OsString, OsString> =
        host.filter(|(name, _)| is_inherited(wishes.policy, name)).collect();
    if *wishes.policy != EnvPolicy::Inherit {
        for name in ["HOME", "TMPDIR"] {
            all.insert(name.into(), wishes.folder.into());
        }
    }
    let set = wishes.set.iter().map(|(name, value)| (name.into(), value.into()));
    all.extend(set);
    all.retain(|name, _| !is_protocol(name));
    let (key, value) = wishes.cookie;
    all.insert(key.into(), value.into());
    let protocol = wishes.protocol.to_vars();
    all.extend(protocol.into_iter().map(|(name, value)| (name.into(), value.into())));
    all
}

fn is_inherited(policy: &EnvPolicy, name: &OsStr) -> bool {
    match policy {
        EnvPolicy::Inherit => true,
        EnvPolicy::Nothing => false,
        EnvPolicy::Allow(names) => {
            ALWAYS.iter().any(|other| name == *other)
                || names.iter().any(|other| name == other.as_str())
                || name.as_encoded_bytes().starts_with(b"LC_")
        }
    }
}

fn is_protocol(name: &OsStr) -> bool {
    VARIABLES.iter().any(|other| name == *other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(policy: &EnvPolicy, set: &[(String, String)]) -> BTreeMap<String, String> {
        let host = [
            ("PATH", "/bin"),
            ("LC_TIME", "C"),
            ("HOME", "/home/me"),
            ("SECRET", "hunter2"),
            ("EXTRA", "x"),
            ("PLUGIN_CLIENT_CERT", "my own host's"),
            ("PLUGIN_MULTIPLEX_GRPC", "true"),
            ("PLUGIN_UNIX_SOCKET_DIR", "/nowhere"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "x"),
            ("PLUGIN_PROTOCOL_VERSIONS", "77"),
        ];
        let host = host.into_iter().map(|(name, value)| (name.into(), value.into()));
        let protocol = Environment { versions: vec![1], ..Environment::default() };
        let wishes = Wishes {
            policy,
            set,
            folder: Path::new("/private"),
            cookie: ("COOKIE", "value"),
            protocol: &protocol,
        };
        let text = |part: OsString| part.into_string().unwrap();
        environment(host, &wishes).into_iter().map(|(k, v)| (text(k), text(v))).collect()
    }

    // F26, H34, H38
    #[test]
    fn only_allowed_variables_reach_the_plugin() {
        let env = given(&EnvPolicy::Allow(vec!["EXTRA".into()]), &[]);
        let names: Vec<_> = env.keys().map(String::as_str).collect();
        let expected = [
            "COOKIE",
            "EXTRA",
            "HOME",
            "LC_TIME",
            "PATH",
            "PLUGIN_MAX_PORT",
            "PLUGIN_MIN_PORT",
            "PLUGIN_PROTOCOL_VERSIONS",
            "TMPDIR",
        ];
        assert_eq!(names, expected);
        assert_eq!(env["HOME"], "/private");
    }

    // H36
    #[test]
    fn nothing_of_the_hosts_may_reach_the_plugin() {
        let env = given(&EnvPolicy::Nothing, &[("SET".to_owned(), "x".to_owned())]);
        let names: Vec<_> = env.keys().map(String::as_str).collect();
        let ports = ["PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS"];
        assert_eq!(names, [&["COOKIE", "HOME"], &ports[..], &["SET", "TMPDIR"]].concat());
        assert_eq!(env["TMPDIR"], "/private");
        assert_eq!(EnvPolicy::Nothing.granting(&["SECRET".to_owned()]), EnvPolicy::Nothing);
    }

    // H36, H37, H38
    #[test]
    fn the_caller_beats_the_host_and_the_protocol_beats_both() {
        let set = [("SECRET", "mine"), ("PLUGIN_PROTOCOL_VERSIONS", "7"), ("COOKIE", "no")];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let env = given(&EnvPolicy::Inherit, &set);
        assert_eq!(env["SECRET"], "mine");
        assert_eq!(env["PLUGIN_PROTOCOL_VERSIONS"], "1");
        assert_eq!(env["COOKIE"], "value");
        assert_eq!(env["HOME"], "/home/me");
        for name in VARIABLES {
            let own = ["VERSIONS", "PORT"].iter().any(|end| name.ends_with(end));
            assert_eq!(env.contains_key(*name), own, "{name}");
        }
    }
}
