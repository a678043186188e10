//! WsgiDAV on loopback: a WebDAV server of another make than Apache, over a folder that everybody may use.

use std::fs;
use std::process::Command;

use crate::daemon::Daemon;
use crate::python;
use crate::share::Share;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct WsgiDav {
    daemon: Daemon,
}

impl WsgiDav {
    /// Starts one over an empty folder.
    ///
    /// # Panics
    /// When it is not to be had, or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-wsgi-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("files")).expect("a folder");
        let daemon = Daemon::start(folder, |folder, port| {
            let mut wsgidav = Command::new(python::tool("wsgidav"));
            wsgidav
                .args(["--no-config", "--auth", "anonymous", "-q"])
                .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--root"])
                .arg(folder.join("files"))
                .current_dir(folder)
                .env("PYTHONDONTWRITEBYTECODE", "1");
            wsgidav
        });
        Self { daemon }
    }

    /// The address of its folder.
    pub fn url(&self) -> String {
        format!("http://{}/", self.daemon.address())
    }
}

impl Share for WsgiDav {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn daemon_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}
