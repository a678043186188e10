//! A real Apache with `mod_dav` on loopback, with a configuration and state of its own: nothing of the machine's is read or
//! changed.
//!
//! Below `/dav/` one user reads a folder; below `/open/` everybody reads the same, below `/untagged/` without entity tags,
//! and below `/plain/` over HTTP alone; `/old/` leads to `/open/`. Files get times that lie back, each write a
//! later one, so that their tags are strong: those of the last second are weak.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::authority::Authority;
use crate::{processes, wait};

/// Who may use `/dav/`.
pub const USER: &str = "ada";
/// What that one logs in with.
pub const PASSWORD: &str = "correct horse: Gerät";

/// Ports that are tried: another program may take a free one first.
const TRIES: usize = 5;
/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/apache2/modules";

/// A running server. Dropping it ends it with all its processes.
#[derive(Debug)]
pub struct Apache {
    process: Option<Child>,
    port: u16,
    secure: bool,
    writes: AtomicU64,
    folder: TempDir,
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
        let (secure, writes) = (authority.is_some(), AtomicU64::new(0));
        let mut apache = Self { process: None, port: 0, secure, writes, folder };
        for _try in 0..TRIES {
            let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
            apache.port = probe.local_addr().expect("it is bound").port();
            apache.configure();
            drop(probe);
            if apache.begin() {
                return apache;
            }
        }
        panic!("apache2 does not start: {}", apache.told());
    }

    /// The address of a folder: `dav`, `open`, `untagged`, `plain` or `old`, and what lies below it.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/{path}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files lie.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Writes a file, with the folders that it needs.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.files().join(path);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        let back = Duration::from_secs(100_000 - self.writes.fetch_add(1, Ordering::SeqCst));
        let file = File::options().write(true).open(path).expect("it is there");
        file.set_modified(SystemTime::now() - back).expect("it is ours");
    }

    /// Requests so far: method, decoded path and status of each. One that is being answered is not among them yet.
    pub fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("access")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// SIGKILL to the server and all its processes: their clients see broken connections.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        end(self.process.take().expect("it runs"));
    }

    /// Starts it again after [`Apache::kill`], on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        assert!(self.begin(), "apache2 does not start again: {}", self.told());
    }

    fn told(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("output") + &read("errors")
    }

    fn configure(&self) {
        let (root, port) = (self.folder.path().display(), self.port);
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
        let loaded = |(name, file): (&str, &str)| {
            format!("LoadModule {name}_module {MODULES}/mod_{file}.so\n")
        };
        let modules: String = modules.into_iter().map(loaded).collect();
        let secure = if self.secure {
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
             ErrorLog {root}/errors\nLogFormat \"%m %U %>s\" short\nCustomLog {root}/access short\n\
             DocumentRoot {root}/files\nAlias /dav {root}/files\nAlias /open {root}/files\nDavLockDB {root}/lock/dav\n\
             <Location /dav>\nDav On\nAuthType Basic\nAuthName tests\nAuthUserFile {root}/users\nRequire valid-user\n\
             </Location>\n<Location /open>\nDav On\nRequire all granted\n</Location>\n\
             <Location /plain>\nRequire all granted\n</Location>\nAlias /plain {root}/files\n\
             <Location /untagged>\nDav On\nFileETag None\nRequire all granted\n</Location>\nAlias /untagged {root}/files\n\
             Redirect permanent /old /open\n"
        );
        fs::write(self.folder.path().join("apache.conf"), text).expect("a file");
    }

    /// Whether it came up.
    fn begin(&mut self) -> bool {
        let output = || File::create(self.folder.path().join("output")).expect("a file");
        let spawned = Command::new(program())
            .arg("-f")
            .arg(self.folder.path().join("apache.conf"))
            .arg("-DFOREGROUND")
            // At its end it sends SIGTERM to its whole process group, which must not be ours.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn();
        let mut process = spawned.expect("apache2 is installed: tests/run sees to it");
        let answers = wait::until("apache2 answers or ends", wait::PATIENCE, || {
            let ended = process.try_wait().expect("our own child").is_some();
            // Another server may have taken the port meanwhile, and would answer too.
            let answers = processes::listens(process.id(), self.port);
            (ended || answers).then_some(!ended)
        });
        if answers {
            self.process = Some(process);
        } else {
            end(process);
        }
        answers
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            end(process);
        }
    }
}

/// Ends a server with its workers.
fn end(mut process: Child) {
    let workers = processes::descendants(process.id());
    drop(process.kill());
    drop(process.wait());
    for worker in workers {
        processes::kill(worker.pid, Signal::KILL);
        processes::wait_gone(worker.pid, wait::PATIENCE);
    }
}

/// Its place is not in the search path of ordinary users.
fn program() -> PathBuf {
    ["/usr/sbin/apache2", "/usr/local/sbin/apache2"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| Path::is_file(path))
        .unwrap_or_else(|| PathBuf::from("apache2"))
}
