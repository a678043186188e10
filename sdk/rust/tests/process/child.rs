//! A plugin's process, started and driven by hand as a go-plugin host would.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use wharf_peer::{Broker, Connection, Mux, Security, Sockets};
use wharf_proto::handshake::{Line, Network};
use wharf_proto::tls::Identity;
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// An example, which is built with the tests and lies beside them.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is built by `cargo build --examples`", built.display());
    built
}

pub(crate) fn hello() -> PathBuf {
    example("hello")
}

pub(crate) fn probe() -> PathBuf {
    example("probe-plugin")
}

/// The cookie of the probe plugin.
pub(crate) const PROBE_COOKIE: (&str, &str) = ("PROBE_PLUGIN", "a value for tests");

/// A command with nothing of this process's environment but what is given.
#[expect(clippy::disallowed_methods, reason = "this test is the host: it starts the plugin itself")]
pub(crate) fn command(program: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A plugin to be started.
pub(crate) struct Start {
    program: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    identity: Option<Identity>,
}

impl Start {
    fn new(program: PathBuf, cookie: (&str, &str)) -> Self {
        let start = Self { program, arguments: Vec::new(), variables: Vec::new(), identity: None };
        start.with(cookie.0, cookie.1).with("PLUGIN_PROTOCOL_VERSIONS", "1")
    }

    pub(crate) fn hello() -> Self {
        Self::new(hello(), (COOKIE_KEY, COOKIE_VALUE))
    }

    pub(crate) fn probe(arguments: &[&str]) -> Self {
        let mut start = Self::new(probe(), PROBE_COOKIE);
        start.arguments = arguments.iter().map(|&it| it.to_owned()).collect();
        start
    }

    /// Sets a variable, in place of one of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn multiplexed(self) -> Self {
        self.with("PLUGIN_MULTIPLEX_GRPC", "true")
    }

    pub(crate) fn tls(self) -> Self {
        let identity = Identity::generate().unwrap();
        let pem = identity.pem().to_owned();
        let mut start = self.with("PLUGIN_CLIENT_CERT", &pem);
        start.identity = Some(identity);
        start
    }

    fn command(&self, folder: &Path) -> Command {
        let mut variables = vec![("PLUGIN_UNIX_SOCKET_DIR", folder.to_str().unwrap())];
        variables.extend(self.variables.iter().map(|(name, value)| (&**name, &**value)));
        let mut command = command(&self.program, &variables);
        command.args(&self.arguments);
        command
    }

    pub(crate) fn run(self) -> Plugin {
        let folder = tempfile::tempdir().unwrap();
        let mut child = self.command(folder.path()).spawn().unwrap();
        let (line, stdout) = first_line(child.stdout.take().unwrap());
        let stderr = child.stderr.take();
        assert!(line.ends_with('\n'), "a whole line: {line:?}");
        let (identity, session) = (self.identity, OnceCell::new());
        Plugin { child, line, stdout: Some(stdout), stderr, folder, identity, session }
    }

    /// Starts it such that it must fail; gives standard error. Nothing is on standard output, the status is 1, and no
    /// socket is left.
    pub(crate) fn refused(self) -> String {
        self.fails(1)
    }

    pub(crate) fn fails(self, with: i32) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut child = self.command(folder.path()).spawn().unwrap();
        let status = wait(&mut child);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((status.code(), stdout.as_str()), (Some(with), ""), "{stderr}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no socket is left");
        stderr
    }
}

fn first_line(stdout: ChildStdout) -> (String, BufReader<ChildStdout>) {
    let (found, line) = sync_channel(1);
    std::thread::spawn(move || {
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut line).unwrap();
        // Nobody waits for a line that came too late.
        drop(found.send((line, stdout)));
    });
    line.recv_timeout(DEADLINE).expect("a handshake line")
}

/// A running plugin. Dropping it kills it.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    pub(crate) line: String,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
    pub(crate) stderr: Option<ChildStderr>,
    folder: tempfile::TempDir,
    identity: Option<Identity>,
    session: OnceCell<(Mux, JoinSet<()>)>,
}

impl Plugin {
    pub(crate) fn handshake(&self) -> Line {
        Line::parse(self.line.as_bytes()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The host's key and certificate.
    pub(crate) fn identity(&self) -> &Identity {
        self.identity.as_ref().unwrap()
    }

    pub(crate) fn security(&self) -> Option<Security> {
        let certificate = self.handshake().certificate;
        Some(Security::pinned(self.identity.as_ref()?, &certificate?).unwrap())
    }

    /// A connection to the plugin's socket, as it comes.
    pub(crate) async fn socket(&self) -> Connection {
        let line = self.handshake();
        match line.network {
            Network::Unix => UnixStream::connect(line.address).await.unwrap().into(),
            Network::Tcp => TcpStream::connect(line.address).await.unwrap().into(),
        }
    }

    /// The one socket of a host that asked for multiplexing.
    pub(crate) async fn mux(&self) -> Mux {
        let session = self.session.get_or_init(async || {
            let (mux, drive) = Mux::client(self.socket().await);
            let mut session = JoinSet::new();
            session.spawn(drive);
            (mux, session)
        });
        session.await.0.clone()
    }

    /// A channel as a host makes it.
    pub(crate) async fn channel(&self) -> Channel {
        let socket = match self.handshake().multiplexing {
            Some(true) => self.mux().await.open().await.unwrap(),
            _ => self.socket().await,
        };
        let connection = socket.into_client(self.security().as_ref()).await.unwrap();
        channel(connection).await
    }

    /// The host's broker, on a stream of this channel that is held open by the set.
    pub(crate) async fn broker(&self, channel: &Channel) -> (Broker, JoinSet<()>) {
        let mux = match self.handshake().multiplexing {
            Some(true) => Some(self.mux().await),
            _ => None,
        };
        let sockets = Sockets {
            network: Network::Unix,
            folder: self.folder().to_owned(),
            group: None,
            ports: (0, 0),
            addresses: None,
        };
        let (broker, stream) = Broker::new(sockets, self.security(), mux);
        let mut tasks = JoinSet::new();
        tasks.spawn(stream.run(channel.clone()));
        (broker, tasks)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The lines of standard error, as they come.
    pub(crate) fn errors(&mut self) -> Receiver<String> {
        let (sender, lines) = sync_channel(10_000);
        let pipe = BufReader::new(self.stderr.take().unwrap());
        std::thread::spawn(move || {
            pipe.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        lines
    }

    /// Waits for the end, and gives the rest of both outputs.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String, String) {
        let status = wait(&mut self.child);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.stdout.take() {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        if let Some(mut pipe) = self.stderr.take() {
            pipe.read_to_string(&mut stderr).unwrap();
        }
        (status, stdout, stderr)
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A channel on a connection, which does not make another one.
pub(crate) async fn channel(connection: Connection) -> Channel {
    let lost = async || Err(std::io::Error::other("the test has only one connection"));
    wharf_peer::channel(connection, move || Box::pin(lost())).await.unwrap()
}

/// The first line that does, with a deadline.
pub(crate) fn line_with(lines: &Receiver<String>, what: &str) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let line = lines.recv_timeout(left).unwrap_or_else(|_| panic!("no line with {what:?}"));
        if line.contains(what) {
            return line;
        }
    }
}

/// Waits for a process with a deadline.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    until("the process ends", || child.try_wait().unwrap())
}

/// Waits for something to be there, with a deadline.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for something asynchronous, with a deadline.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("it happens within the deadline")
}
