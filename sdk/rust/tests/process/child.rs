//! A plugin's process and a channel to it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use rustls::ClientConfig;
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use wharf_proto::handshake::Line;
use wharf_proto::tls::{Identity, client_config, server_name};
use wharf_proto::{COOKIE_KEY, COOKIE_VALUE};

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The example, which is built with the tests and lies beside them.
pub(crate) fn hello() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples/hello");
    assert!(built.exists(), "{} is built by `cargo build --examples`", built.display());
    built
}

/// A command with nothing of this process's environment but what is given.
#[expect(clippy::disallowed_methods, reason = "this test is the host: it starts the plugin itself")]
pub(crate) fn command(program: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running plugin. Dropping it kills it.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    pub(crate) line: String,
    stdout: BufReader<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    folder: tempfile::TempDir,
    tls: Option<Identity>,
}

impl Plugin {
    /// Starts it in clear.
    pub(crate) fn plain() -> Self {
        Self::with(&[])
    }

    /// Starts it in clear, with more variables.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self::start(variables, None)
    }

    /// Starts it with mutual TLS.
    pub(crate) fn tls() -> Self {
        let identity = Identity::generate().unwrap();
        let pem = identity.pem().to_owned();
        Self::start(&[("PLUGIN_CLIENT_CERT", &pem)], Some(identity))
    }

    fn start(variables: &[(&str, &str)], tls: Option<Identity>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sockets = folder.path().to_str().unwrap();
        let mut all = vec![
            (COOKIE_KEY, COOKIE_VALUE),
            ("PLUGIN_PROTOCOL_VERSIONS", "1"),
            ("PLUGIN_UNIX_SOCKET_DIR", sockets),
        ];
        all.extend(variables);
        let mut child = command(&hello(), &all).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "a whole line: {line:?}");
        Self { child, line, stdout, stderr, folder, tls }
    }

    pub(crate) fn handshake(&self) -> Line {
        Line::parse(self.line.as_bytes()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn tls_config(&self) -> Option<Arc<ClientConfig>> {
        let identity = self.tls.as_ref()?;
        Some(client_config(identity, &self.handshake().certificate.unwrap()).unwrap())
    }

    pub(crate) fn identity(&self) -> &Identity {
        self.tls.as_ref().unwrap()
    }

    /// A channel as a host makes it.
    pub(crate) async fn channel(&self) -> Channel {
        channel(&self.handshake().address, self.tls_config()).await.unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, and gives the rest of both outputs.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String, String) {
        let status = wait(&mut self.child);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
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

/// Dials a plugin's socket.
pub(crate) async fn channel(
    path: &str,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Channel, tonic::transport::Error> {
    let path = path.to_owned();
    let dial = service_fn(move |_uri| {
        let (path, tls) = (path.clone(), tls.clone());
        async move {
            let socket = UnixStream::connect(path).await?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(socket),
                Some(tls) => {
                    Box::new(TlsConnector::from(tls).connect(server_name(), socket).await?)
                }
            };
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    Endpoint::from_static("http://localhost").timeout(DEADLINE).connect_with_connector(dial).await
}

/// Either kind of connection.
pub(crate) trait Stream:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}
