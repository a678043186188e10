//! nginx on loopback, serving a folder: what a real upstream is.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::wait;

/// Ports that are tried: another program may take a free one first.
const TRIES: usize = 5;

/// A running nginx. Dropping it ends it.
#[derive(Debug)]
pub struct Nginx {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Nginx {
    /// Serves the files below a folder.
    ///
    /// # Panics
    /// When nginx is not installed or does not start.
    pub fn of(root: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-nginx-").tempdir().expect("a folder");
        for _try in 0..TRIES {
            let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
            let port = probe.local_addr().expect("it is bound").port();
            drop(probe);
            fs::write(folder.path().join("nginx.conf"), configuration(root, folder.path(), port))
                .expect("a file");
            let mut process = start(folder.path());
            let answers = wait::until("nginx answers or ends", wait::PATIENCE, || {
                let ended = process.try_wait().expect("our own child").is_some();
                let answers = TcpStream::connect(("127.0.0.1", port)).is_ok();
                (ended || answers).then_some(!ended)
            });
            if answers {
                return Self { process, port, folder };
            }
        }
        let told = fs::read_to_string(folder.path().join("output")).unwrap_or_default();
        panic!("nginx does not start: {told}");
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Lines of the access log so far.
    pub fn requests(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        log.lines().count()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn start(folder: &Path) -> Child {
    let output = || Stdio::from(File::create(folder.join("output")).expect("a file"));
    let spawned = Command::new(program())
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .stdin(Stdio::null())
        .stdout(output())
        .stderr(output())
        .spawn();
    spawned.expect("nginx is installed: tests/run sees to it")
}

/// Its place is not in the search path of ordinary users.
fn program() -> PathBuf {
    ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from("nginx"))
}

/// One process, no daemon, all its files in one folder.
fn configuration(root: &Path, folder: &Path, port: u16) -> String {
    let (root, folder) = (root.display(), folder.display());
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n  access_log {folder}/access.log;\n  sendfile on;\n  default_type application/octet-stream;\n  \
         keepalive_requests 100000;\n  client_body_temp_path {folder}/a;\n  proxy_temp_path {folder}/b;\n  \
         fastcgi_temp_path {folder}/c;\n  uwsgi_temp_path {folder}/d;\n  scgi_temp_path {folder}/e;\n  \
         server {{ listen 127.0.0.1:{port}; root {root}; }}\n}}\n"
    )
}
