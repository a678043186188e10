//! A real Apache with `mod_dav` on loopback, with a configuration and state of its own: nothing of the machine's is read or
//! changed.
//!
//! Below `/dav/` one user reads a folder; below `/open/` everybody reads the same, below `/untagged/` without entity tags,
//! and below `/plain/` over HTTP alone; `/old/` leads to `/open/`. Files get times that lie back, each write a
//! later one, so that their tags are strong: those of the last second are weak.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::authority::Authority;
use crate::daemon::{Daemon, program};
use crate::share::Share;
use crate::tree;

/// Who may use `/dav/`.
pub const USER: &str = "ada";
/// What that one logs in with.
pub const PASSWORD: &str = "correct horse: Gerät";

/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// A running server. Dropping it ends it with all its processes.
#[derive(Debug)]
pub struct Apache {
    daemon: Daemon,
    secure: bool,
    writes: AtomicU64,
}

impl Apache {
    /// Starts one over an empty folder.
    ///
    /// # Panics
    /// When Apache is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one that speaks TLS, with a certificate of this authority.
    ///
    /// # Panics
    /// When Apache is not installed or does not start.
    pub fn start_secure(authority: &Authority) -> Self {
        Self::start_with(Some(authority))
    }

    fn start_with(authority: Option<&Authority>) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-dav-").tempdir().expect("a folder");
        for name in ["files", "lock", "run"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        // As root, its workers are somebody else.
        for (name, mode) in [("", 0o755), ("lock", 0o777)] {
            let path = folder.path().join(name);
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
        }
        let users = Command::new("htpasswd").args(["-sbn", USER, PASSWORD]).output();
        let users = users.expect("htpasswd is installed: tests/run sees to it").stdout;
        fs::write(folder.path().join("users"), users).expect("a file");
        if let Some(authority) = authority {
            let (certificate, key) = authority.pair("127.0.0.1", 2200);
            fs::write(folder.path().join("certificate.pem"), certificate).expect("a file");
            fs::write(folder.path().join("key.pem"), key).expect("a file");
        }
        let secure = authority.is_some();
        let daemon = Daemon::start(folder, |folder, port| {
            let mut apache = Command::new(program("apache2"));
            apache.arg("-f").arg(configure(folder, port, secure)).arg("-DFOREGROUND");
            // At its end it sends SIGTERM to its whole process group, which must not be ours.
            apache.process_group(0);
            apache
        });
        Self { daemon, secure, writes: AtomicU64::new(0) }
    }

    /// The address of a folder: `dav`, `open`, `untagged`, `plain` or `old`, and what lies below it.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/{path}", self.daemon.address())
    }

    /// Requests so far: method, decoded path and status of each. One that is being answered is not among them yet.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.daemon.folder().join("access")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

impl Share for Apache {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn daemon_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = tree::write(&self.files(), path, bytes.as_ref());
        let back = Duration::from_secs(100_000 - self.writes.fetch_add(1, Ordering::SeqCst));
        let file = File::options().write(true).open(path).expect("it is there");
        file.set_modified(SystemTime::now() - back).expect("it is ours");
    }
}

/// Writes its configuration.
fn configure(folder: &Path, port: u16, secure: bool) -> PathBuf {
    let root = folder.display();
    let modules = [
        ("mpm_event", "mpm_event"),
        ("authn_core", "authn_core"),
        ("authn_file", "authn_file"),
        ("authz_core", "authz_core"),
        ("authz_user", "authz_user"),
        ("auth_basic", "auth_basic"),
        ("alias", "alias"),
        ("dav", "dav"),
        ("dav_fs", "dav_fs"),
    ];
    let loaded =
        |(name, file): (&str, &str)| format!("LoadModule {name}_module {MODULES}/mod_{file}.so\n");
    let modules: String = modules.into_iter().map(loaded).collect();
    let secure = if secure {
        format!(
            "LoadModule ssl_module {MODULES}/mod_ssl.so\nSSLEngine on\n\
             SSLCertificateFile {root}/certificate.pem\nSSLCertificateKeyFile {root}/key.pem\n"
        )
    } else {
        String::new()
    };
    let worker =
        if rustix::process::getuid().is_root() { "User nobody\nGroup nogroup\n" } else { "" };
    let text = format!(
        "ServerRoot {root}\nDefaultRuntimeDir {root}/run\nPidFile {root}/pid\nServerName 127.0.0.1\n\
         Listen 127.0.0.1:{port}\n{modules}{secure}{worker}\
         StartServers 1\nServerLimit 2\nThreadsPerChild 32\nMaxRequestWorkers 64\nEnableSendfile Off\n\
         ErrorLog {root}/output\nLogFormat \"%m %U %>s\" short\nCustomLog {root}/access short\n\
         DocumentRoot {root}/files\nAlias /dav {root}/files\nAlias /open {root}/files\nDavLockDB {root}/lock/dav\n\
         <Location /dav>\nDav On\nAuthType Basic\nAuthName tests\nAuthUserFile {root}/users\nRequire valid-user\n\
         </Location>\n<Location /open>\nDav On\nRequire all granted\n</Location>\n\
         <Location /plain>\nRequire all granted\n</Location>\nAlias /plain {root}/files\n\
         <Location /untagged>\nDav On\nFileETag None\nRequire all granted\n</Location>\nAlias /untagged {root}/files\n\
         Redirect permanent /old /open\n"
    );
    let configuration = folder.join("apache.conf");
    fs::write(&configuration, text).expect("a file");
    configuration
}
