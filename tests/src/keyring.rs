//! A session with a real Secret Service: a D-Bus and GNOME Keyring of their own, with folders of their own. Nothing of
//! the user's session is read or changed, and the bus starts nothing by itself.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{TestHost, processes, wait};

/// A running session. Dropping it ends it.
#[derive(Debug)]
pub struct Session {
    bus: Child,
    service: Option<Child>,
    folder: TempDir,
}

impl Session {
    /// Starts a bus without a keyring.
    ///
    /// # Panics
    /// When D-Bus is not installed or does not start.
    pub fn without_keyring() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-bus-").tempdir().expect("a folder");
        for name in ["home", "data", "control", "run"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("a folder");
            fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("it is ours");
        }
        let configuration = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().join("bus").display()
        );
        let file = folder.path().join("bus.conf");
        fs::write(&file, configuration).expect("a file");
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--config-file").arg(&file).args(["--nofork", "--nopidfile"]);
        let bus = start(bus, folder.path(), Stdio::null());
        let session = Self { bus, service: None, folder };
        wait::until("the bus answers", wait::PATIENCE, || session.ask("GetId", "").then_some(()));
        session
    }

    /// Starts a bus with an open keyring.
    ///
    /// # Panics
    /// When GNOME Keyring is not installed or does not start.
    pub fn with_keyring() -> Self {
        let mut session = Self::without_keyring();
        session.start_keyring();
        session
    }

    /// Starts the keyring, or starts it again after [`Session::kill_keyring`], with what it kept.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_keyring(&mut self) {
        let root = self.folder.path();
        let mut service = Command::new("gnome-keyring-daemon");
        service
            .args(["--foreground", "--unlock", "--components=secrets", "--control-directory"])
            .arg(root.join("control"))
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _value)| name == "PATH"))
            .env("HOME", root.join("home"))
            .env("XDG_DATA_HOME", root.join("data"))
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", self.address());
        let mut service = start(service, root, Stdio::piped());
        let mut password = service.stdin.take().expect("it is piped");
        password.write_all(b"a password").expect("it listens");
        drop(password);
        self.service = Some(service);
        wait::until("the keyring answers", wait::PATIENCE, || {
            self.ask("NameHasOwner", "string:org.freedesktop.secrets").then_some(())
        });
    }

    /// The address of the bus.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// The file in which the keyring keeps what is in it.
    pub fn kept(&self) -> PathBuf {
        self.folder.path().join("data/keyrings/login.keyring")
    }

    /// How many items the keyring has.
    ///
    /// # Panics
    /// When it gives no answer.
    pub fn items(&self) -> usize {
        let told = self.service(
            "org.freedesktop.DBus.Properties.Get",
            &["string:org.freedesktop.Secret.Collection", "string:Items"],
        );
        told.matches("object path").count()
    }

    /// Locks it; only its owner's password, which nobody is asked for here, would open it.
    ///
    /// # Panics
    /// When it gives no answer.
    pub fn lock(&self) {
        let collection = format!("array:objpath:{COLLECTION}");
        self.send(
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &[&collection],
        );
    }

    /// SIGKILL to the keyring.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill_keyring(&mut self) {
        end(self.service.take().expect("it runs"));
    }

    /// From now on the keyring answers nobody, until [`Session::resume`].
    ///
    /// # Panics
    /// When it does not run.
    pub fn stall(&self) {
        processes::kill(self.service.as_ref().expect("it runs").id(), Signal::STOP);
    }

    /// Lets the keyring answer again.
    ///
    /// # Panics
    /// When it does not run.
    pub fn resume(&self) {
        processes::kill(self.service.as_ref().expect("it runs").id(), Signal::CONT);
    }

    fn service(&self, method: &str, arguments: &[&str]) -> String {
        self.send(COLLECTION, method, arguments)
    }

    fn send(&self, object: &str, method: &str, arguments: &[&str]) -> String {
        let answer = Command::new("dbus-send")
            .arg(format!("--bus={}", self.address()))
            .args(["--print-reply", "--dest=org.freedesktop.secrets", object, method])
            .args(arguments)
            .output()
            .expect("dbus-send is installed: tests/run sees to it");
        assert!(answer.status.success(), "{method}: {answer:?}");
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// Whether the bus answers, and not with `false`.
    fn ask(&self, method: &str, argument: &str) -> bool {
        let answer = Command::new("dbus-send")
            .arg(format!("--bus={}", self.address()))
            .args(["--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .arg(format!("org.freedesktop.DBus.{method}"))
            .args(Some(argument).filter(|argument| !argument.is_empty()))
            .output()
            .expect("dbus-send is installed: tests/run sees to it");
        answer.status.success() && !String::from_utf8_lossy(&answer.stdout).contains("false")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            end(service);
        }
        drop(self.bus.kill());
        drop(self.bus.wait());
    }
}

impl TestHost {
    /// From now on its programs run in this session, and keep secrets as `place` says.
    pub fn join(&mut self, session: &Session, place: &str) {
        self.set("DBUS_SESSION_BUS_ADDRESS", &session.address());
        self.set("WHARF_SECRETS", place);
    }
}

/// The collection that is opened with the session.
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

fn start(mut command: Command, folder: &Path, stdin: Stdio) -> Child {
    let output = || File::options().create(true).append(true).open(folder.join("output"));
    command
        .stdin(stdin)
        .stdout(output().expect("a file"))
        .stderr(output().expect("a file"))
        .spawn()
        .expect("it is installed: tests/run sees to it")
}

fn end(mut process: Child) {
    drop(process.kill());
    drop(process.wait());
}
