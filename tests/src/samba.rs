//! A real Samba on loopback, with a configuration and state of its own: nothing of the machine's is read or changed.
//!
//! Three shares of one folder: `files` for the user of [`Samba::user`], `open` for guests, and `stranger` for guests who are
//! nobody in particular, so that a file's rights count for them. It runs as whoever runs the test, who is also the only
//! user that it knows.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::daemon::{Daemon, program};
use crate::share::Share;

/// What [`Samba::user`] logs in with.
pub const PASSWORD: &str = "correct horse";

/// A running server. Dropping it ends it with all its sessions.
#[derive(Debug)]
pub struct Samba {
    daemon: Daemon,
    user: String,
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
        let daemon = Daemon::start(folder, |folder, port| {
            let configuration = configure(folder, &user, port);
            let mut smbd = Command::new(program("smbd"));
            smbd.args(["--foreground", "--no-process-group", "--configfile"]).arg(configuration);
            // At its end it sends SIGTERM to its whole process group, which must not be ours.
            smbd.process_group(0);
            smbd
        });
        Self { daemon, user }
    }

    /// The one who may use `files`, with [`PASSWORD`].
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl Share for Samba {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    fn daemon_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}

/// Writes its configuration, and makes the user known to it.
fn configure(folder: &Path, user: &str, port: u16) -> PathBuf {
    let root = folder.display();
    let stranger = if rustix::process::getuid().is_root() { "nobody" } else { user };
    // With `lo` it is content with ::1 when another program has taken the port of 127.0.0.1, and does not end.
    let text = format!(
        "[global]\nserver role = standalone server\nworkgroup = WHARF\ninterfaces = 127.0.0.1/8\n\
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
    let configuration = folder.join("smb.conf");
    fs::write(&configuration, text).expect("a file");
    let mut asks = Command::new(program("smbpasswd"))
        .arg("-c")
        .arg(&configuration)
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
    configuration
}
