//! WsgiDAV on loopback: a WebDAV server of another make than Apache, over a folder that everybody may use.

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{processes, python, wait};

/// Ports that are tried: another program may take a free one first.
const TRIES: usize = 5;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct WsgiDav {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl WsgiDav {
    /// Starts one over an empty folder.
    ///
    /// # Panics
    /// When it is not to be had, or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-wsgi-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("files")).expect("a folder");
        for _try in 0..TRIES {
            let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
            let port = probe.local_addr().expect("it is bound").port();
            drop(probe);
            let mut process = begin(&folder, port);
            let answers = wait::until("WsgiDAV answers or ends", wait::PATIENCE, || {
                let ended = process.try_wait().expect("our own child").is_some();
                let answers = processes::listens(process.id(), port);
                (ended || answers).then_some(!ended)
            });
            if answers {
                return Self { process, port, folder };
            }
        }
        let told = fs::read_to_string(folder.path().join("output")).unwrap_or_default();
        panic!("WsgiDAV does not start: {told}");
    }

    /// The address of its folder.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Writes a file, with the folders that it needs.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join("files").join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

impl Drop for WsgiDav {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn begin(folder: &TempDir, port: u16) -> Child {
    let output = || Stdio::from(File::create(folder.path().join("output")).expect("a file"));
    Command::new(python::tool("wsgidav"))
        .args(["--no-config", "--auth", "anonymous", "-q"])
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--root"])
        .arg(folder.path().join("files"))
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .spawn()
        .expect("tests/tool installed it")
}
