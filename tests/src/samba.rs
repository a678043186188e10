//! A real Samba on loopback, with a configuration and state of its own: nothing of the machine's is read or changed.
//!
//! Three shares of one folder: `files` for the user of [`Samba::user`], `open` for guests, and `stranger` for guests who are
//! nobody in particular, so that a file's rights count for them. It runs as whoever runs the test, who is also the only
//! user that it knows.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{processes, wait};

/// What [`Samba::user`] logs in with.
pub const PASSWORD: &str = "correct horse";

/// Ports that are tried: another program may take a free one first.
const TRIES: usize = 5;

/// A running server. Dropping it ends it with all its sessions.
#[derive(Debug)]
pub struct Samba {
    process: Option<Child>,
    port: u16,
    user: String,
    folder: TempDir,
}

impl Samba {
    /// Starts one over an empty folder.
    ///
    /// # Panics
    /// When Samba is not installed or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-smb-").tempdir().expect("a folder");
        for name in ["files", "private", "lock", "state", "cache", "pid", "rpc"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        // A stranger comes through it.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let user = Command::new("id").arg("-un").output().expect("id starts");
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        let mut samba = Self { process: None, port: 0, user, folder };
        for _try in 0..TRIES {
            let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
            samba.port = probe.local_addr().expect("it is bound").port();
            samba.configure();
            drop(probe);
            if samba.begin() {
                return samba;
            }
        }
        panic!("smbd does not start: {}", samba.told());
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
        fs::write(path, bytes).expect("a file");
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The one who may use `files`, with [`PASSWORD`].
    pub fn user(&self) -> &str {
        &self.user
    }

    /// SIGKILL to the server and all its sessions: their clients see broken connections.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let process = self.process.take().expect("it runs");
        end(process);
    }

    /// Starts it again after [`Samba::kill`], on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        assert!(self.begin(), "smbd does not start again: {}", self.told());
    }

    fn told(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("smb.conf")
    }

    fn configure(&self) {
        let (root, port, user) = (self.folder.path().display(), self.port, &self.user);
        let stranger = if rustix::process::getuid().is_root() { "nobody" } else { user };
        let text = format!(
            "[global]\nserver role = standalone server\nworkgroup = WHARF\ninterfaces = lo\n\
             bind interfaces only = yes\nsmb ports = {port}\ndisable netbios = yes\n\
             private dir = {root}/private\nlock directory = {root}/lock\nstate directory = {root}/state\n\
             cache directory = {root}/cache\npid directory = {root}/pid\nncalrpc dir = {root}/rpc\n\
             passdb backend = tdbsam:{root}/private/passdb.tdb\nlog file = {root}/log\n\
             load printers = no\nprinting = bsd\nprintcap name = /dev/null\ndisable spoolss = yes\n\
             guest account = {user}\nmap to guest = Bad User\n\
             [files]\npath = {root}/files\nread only = yes\n\
             [open]\npath = {root}/files\nread only = yes\nguest ok = yes\n\
             [stranger]\npath = {root}/files\nread only = yes\nguest ok = yes\nforce user = {stranger}\n"
        );
        fs::write(self.configuration(), text).expect("a file");
        let mut asks = Command::new(program("smbpasswd"))
            .arg("-c")
            .arg(self.configuration())
            .args(["-s", "-a", user])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("smbpasswd is installed: tests/run sees to it");
        let mut input = asks.stdin.take().expect("it is piped");
        write!(input, "{PASSWORD}\n{PASSWORD}\n").expect("it listens");
        drop(input);
        assert!(asks.wait().expect("our own child").success(), "smbpasswd takes the user");
    }

    /// Whether it came up.
    fn begin(&mut self) -> bool {
        let output = || File::create(self.folder.path().join("output")).expect("a file");
        let spawned = Command::new(program("smbd"))
            .args(["--foreground", "--no-process-group", "--configfile"])
            .arg(self.configuration())
            // At its end it sends SIGTERM to its whole process group, which must not be ours.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn();
        let mut process = spawned.expect("smbd is installed: tests/run sees to it");
        let answers = wait::until("smbd answers or ends", wait::PATIENCE, || {
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

impl Drop for Samba {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            end(process);
        }
    }
}

/// Ends a server with all that it started: every session is a process of its own.
fn end(mut process: Child) {
    let sessions = processes::descendants(process.id());
    drop(process.kill());
    drop(process.wait());
    for session in sessions {
        processes::kill(session.pid, Signal::KILL);
    }
}

/// Its place is not in the search path of ordinary users.
fn program(name: &str) -> PathBuf {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .into_iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(name))
}
