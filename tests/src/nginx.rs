//! nginx on loopback, serving a folder: what a real upstream is.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Daemon, program};

/// A running nginx. Dropping it ends it.
#[derive(Debug)]
pub struct Nginx {
    daemon: Daemon,
}

impl Nginx {
    /// Serves the files below a folder.
    ///
    /// # Panics
    /// When nginx is not installed or does not start.
    pub fn of(root: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-nginx-").tempdir().expect("a folder");
        let daemon = Daemon::start(folder, |folder, port| {
            let file = folder.join("nginx.conf");
            fs::write(&file, configuration(root, folder, port)).expect("a file");
            let mut nginx = Command::new(program("nginx"));
            nginx.arg("-p").arg(folder).arg("-c").arg(file);
            nginx
        });
        Self { daemon }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.daemon.address())
    }

    /// Lines of the access log so far.
    pub fn requests(&self) -> usize {
        let log = fs::read_to_string(self.daemon.folder().join("access.log")).unwrap_or_default();
        log.lines().count()
    }
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
