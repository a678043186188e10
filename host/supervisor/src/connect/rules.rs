//! Which addresses of a plugin may be dialled, and what they are called on this side (F18).

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf_peer::{Address, Addresses, DialRules};
use wharf_proto::handshake::Network;

use crate::launch::Runner;
use crate::text::excerpt;

/// How much of an address is shown.
const SHOWN_BYTES: usize = 200;

/// Which addresses of plugins are dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketPolicy {
    /// A Unix socket of our own user in the plugin's private folder, or TCP on loopback. For plugins
    /// that honour `PLUGIN_UNIX_SOCKET_DIR` or `TMPDIR`.
    #[default]
    Private,
    /// Any address. For looking at foreign plugins.
    Any,
}

/// The rules for one plugin: its main address and those that its broker announces.
pub(crate) struct Rules {
    pub(crate) policy: SocketPolicy,
    /// The plugin's private folder.
    pub(crate) folder: PathBuf,
    pub(crate) runner: Option<Arc<dyn Runner>>,
}

impl Rules {
    /// The address as it is dialled from here.
    ///
    /// # Errors
    /// The runner's words.
    pub(crate) fn translate(&self, address: Address) -> Result<Address, String> {
        match &self.runner {
            Some(runner) => runner.to_host(address),
            None => Ok(address),
        }
    }

    fn check_host(&self, text: &str) -> Result<(), String> {
        let host = text.rsplit_once(':').map_or(text, |(host, _port)| host);
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let near = host == "localhost" || number.is_ok_and(|number| number.is_loopback());
        if self.policy == SocketPolicy::Any || near { Ok(()) } else { Err(not_on_loopback(text)) }
    }

    fn check_socket(&self, text: &str) -> Result<io::Result<()>, String> {
        let path = Path::new(text);
        let refuse = |why: &str| Err(format!("its socket {} {why}", excerpt(text, SHOWN_BYTES)));
        let private = self.policy == SocketPolicy::Private;
        // The folder goes with a process that has ended meanwhile: that is no breach of a rule.
        if private && let Err(error) = self.folder.metadata() {
            return Ok(Err(error));
        }
        if private && !is_inside(path, &self.folder) {
            return refuse("is not in the private folder that it was given");
        }
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        if private && found.is_symlink() {
            return refuse("is a symbolic link");
        }
        if private && found.uid() != rustix::process::geteuid().as_raw() {
            return refuse("belongs to another user");
        }
        if !found.file_type().is_socket() && !found.is_symlink() {
            return Ok(Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a socket")));
        }
        Ok(Ok(()))
    }
}

/// For the broker.
impl Addresses for Rules {
    fn announcing(&self, address: Address) -> Result<Address, String> {
        match &self.runner {
            Some(runner) => runner.to_plugin(address),
            None => Ok(address),
        }
    }

    fn announced(&self, address: Address) -> Result<Address, String> {
        self.translate(address)
    }
}

impl DialRules for Rules {
    /// As far as its text and the file system tell.
    fn check(&self, address: &Address) -> Result<io::Result<()>, String> {
        match address.network {
            Network::Unix => self.check_socket(&address.text),
            Network::Tcp => self.check_host(&address.text).map(Ok),
        }
    }

    fn check_resolved(&self, addresses: &[SocketAddr]) -> Result<(), String> {
        let outside = addresses.iter().find(|address| !address.ip().is_loopback());
        match (self.policy, outside) {
            (SocketPolicy::Private, Some(outside)) => Err(not_on_loopback(&outside.to_string())),
            _ => Ok(()),
        }
    }

    fn check_listener(&self, user: u32, _process: Option<u32>) -> Result<(), String> {
        let ours = user == rustix::process::geteuid().as_raw();
        if self.policy == SocketPolicy::Any || ours {
            return Ok(());
        }
        Err(format!("it is user {user} who listens at its socket"))
    }
}

fn not_on_loopback(text: &str) -> String {
    format!("its address {} is not on loopback", excerpt(text, SHOWN_BYTES))
}

/// Directly inside: a plugin that makes folders of its own can put links into them.
fn is_inside(path: &Path, folder: &Path) -> bool {
    let parent = path.parent().filter(|parent| parent.is_absolute());
    let parent = parent.and_then(|parent| parent.canonicalize().ok());
    path.file_name().is_some() && parent.is_some() && parent == folder.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn tcp(text: &str) -> Address {
        Address { network: Network::Tcp, text: text.to_owned() }
    }

    fn unix(path: &Path) -> Address {
        Address { network: Network::Unix, text: path.display().to_string() }
    }

    fn rules(policy: SocketPolicy, folder: &Path) -> Rules {
        Rules { policy, folder: folder.to_owned(), runner: None }
    }

    // F18
    #[test]
    fn sockets_outside_the_private_folder_break_a_rule() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("p");
        fs::create_dir(&inside).unwrap();
        let outside = folder.path().join("out.sock");
        let _listener = UnixListener::bind(&outside).unwrap();
        let link = inside.join("link");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let private = rules(SocketPolicy::Private, &inside);
        for path in [outside.as_path(), Path::new("p/x"), &inside.join("../out.sock")] {
            let problem = private.check(&unix(path)).unwrap_err();
            assert!(problem.contains("private folder"), "{problem}");
        }
        let problem = private.check(&unix(&link)).unwrap_err();
        assert!(problem.contains("symbolic link"), "{problem}");
        let any = rules(SocketPolicy::Any, &inside);
        assert!(any.check(&unix(&link)).unwrap().is_ok());
        fs::write(inside.join("file"), "").unwrap();
        let problem = private.check(&unix(&inside.join("file"))).unwrap().unwrap_err();
        assert!(problem.to_string().contains("not a socket"), "{problem}");
        let us = rustix::process::geteuid().as_raw();
        assert!(private.check_listener(us, None).is_ok());
        assert!(any.check_listener(us + 1, None).is_ok());
        let problem = private.check_listener(us + 1, None).unwrap_err();
        assert!(problem.contains("listens at"), "{problem}");
    }

    // F18
    #[test]
    fn only_loopback_is_near() {
        let private = rules(SocketPolicy::Private, Path::new("/"));
        for near in ["127.0.0.1:7", "[::1]:7", "localhost:7"] {
            assert!(private.check(&tcp(near)).unwrap().is_ok());
        }
        for far in ["192.0.2.1:7", "[2001:db8::1]:7", "example.org:7", "0.0.0.0:7"] {
            assert!(private.check(&tcp(far)).unwrap_err().contains("loopback"), "{far}");
            assert!(rules(SocketPolicy::Any, Path::new("/")).check(&tcp(far)).is_ok());
        }
    }
}
