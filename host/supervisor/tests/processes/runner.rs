//! Processes that somebody else makes.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tonic::service::Routes;
use wharf_supervisor::{
    Address, Checksum, Launch, Network, Process, Runner, Running, Spec, Stdin, StopStep, Tls,
};

use crate::fake::{self, ask, ask_channel};
use crate::support::{Home, LONG, says, within};
use kv::kv_server::KvServer;

/// Plays a container: the plugin sees its folder under another name.
#[derive(Default)]
struct Container {
    /// The name inside.
    inside: PathBuf,
    outside: Mutex<PathBuf>,
    pid: Mutex<Option<Pid>>,
    kills: AtomicUsize,
    /// Addresses that were translated, in and out.
    announced: AtomicUsize,
    announcing: AtomicUsize,
    broken: bool,
}

impl Container {
    fn new(home: &Home) -> Self {
        Self { inside: home.path().join("inside"), ..Self::default() }
    }
}

#[tonic::async_trait]
impl Runner for Container {
    async fn start(&self, spec: Spec) -> io::Result<Running> {
        if self.broken {
            return Err(io::Error::other("no such image"));
        }
        self.outside.lock().unwrap().clone_from(&spec.folder);
        std::os::unix::fs::symlink(&spec.folder, &self.inside)?;
        #[expect(clippy::disallowed_methods, reason = "a runner starts processes itself")]
        let mut command = tokio::process::Command::new(&spec.program);
        command
            .args(&spec.args)
            .env_clear()
            .envs(&spec.env)
            .env("PLUGIN_UNIX_SOCKET_DIR", &self.inside)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let id = child.id().unwrap();
        *self.pid.lock().unwrap() = Pid::from_raw(i32::try_from(id).unwrap());
        Ok(Running {
            id: format!("container-{id}"),
            stdout: Box::new(child.stdout.take().unwrap()),
            stderr: Box::new(child.stderr.take().unwrap()),
            ended: Box::pin(async move { child.wait().await }),
        })
    }

    fn kill(&self) {
        self.kills.fetch_add(1, Ordering::Relaxed);
        if let Some(pid) = *self.pid.lock().unwrap() {
            kill_process(pid, Signal::KILL).ok();
        }
    }

    async fn diagnose(&self) -> String {
        "the container says hello".to_owned()
    }

    fn to_host(&self, address: Address) -> Result<Address, String> {
        self.announced.fetch_add(1, Ordering::Relaxed);
        let inside = self.inside.to_str().unwrap();
        let name = address.text.strip_prefix(inside).ok_or("it is not in the container")?;
        let text = format!("{}{name}", self.outside.lock().unwrap().display());
        Ok(Address { network: Network::Unix, text })
    }

    fn to_plugin(&self, address: Address) -> Result<Address, String> {
        self.announcing.fetch_add(1, Ordering::Relaxed);
        let outside = self.outside.lock().unwrap().display().to_string();
        let name = address.text.strip_prefix(&outside).ok_or("it cannot be reached")?;
        Ok(Address { network: Network::Unix, text: format!("{}{name}", self.inside.display()) })
    }
}

async fn call_back(process: &Process) {
    let id = process.broker().next_id();
    let routes = Routes::new(KvServer::new(Echo));
    let _serving = process.broker().serve(id, routes).await.unwrap();
    assert_eq!(ask(process, &format!("dial {id}")).await.unwrap(), "echo");
}

struct Echo;

#[tonic::async_trait]
impl kv::kv_server::Kv for Echo {
    async fn get(
        &self,
        _: tonic::Request<kv::GetRequest>,
    ) -> Result<tonic::Response<kv::GetResponse>, tonic::Status> {
        Ok(tonic::Response::new(kv::GetResponse { value: b"echo".to_vec() }))
    }

    async fn put(
        &self,
        _: tonic::Request<kv::PutRequest>,
    ) -> Result<tonic::Response<kv::PutResponse>, tonic::Status> {
        Err(tonic::Status::unimplemented(""))
    }
}

// H40, H121
#[tokio::test]
async fn a_runners_process_is_a_plugin_like_any_other() {
    let home = Home::new();
    let container = Arc::new(Container::new(&home));
    let runner: Arc<dyn Runner> = container.clone();
    let process = fake::launch(&home, &[]).runner(runner).start().await.unwrap();
    assert!(process.handshake().tls);
    assert!(process.handshake().address.starts_with(process.folder().to_str().unwrap()));
    assert!(process.runner_id().unwrap().starts_with("container-"));
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    assert_eq!(container.announced.load(Ordering::Relaxed), 1);

    let id = ask(&process, "accept").await.unwrap().parse().unwrap();
    let channel = process.broker().dial(id).await.unwrap();
    assert_eq!(ask_channel(channel, "who").await.unwrap(), "the plugin");
    assert_eq!(container.announced.load(Ordering::Relaxed), 2);
    call_back(&process).await;
    assert_eq!(container.announcing.load(Ordering::Relaxed), 1);

    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.code), (StopStep::Shutdown, Some(0)));
    assert_eq!(container.kills.load(Ordering::Relaxed), 0);
    home.nothing_is_left_within(Duration::ZERO).await;
}

// H121
#[tokio::test]
async fn a_runner_kills_what_does_not_obey_and_what_is_given_up() {
    let home = Home::new();
    let container = Arc::new(Container::new(&home));
    let runner: Arc<dyn Runner> = container.clone();
    let launch = fake::launch(&home, &["deaf"]).runner(runner);
    let process = launch.stop_times(Duration::from_millis(200), LONG).start().await.unwrap();
    let stopped = within(process.stop()).await;
    // There is no way to ask a runner for a `SIGTERM`.
    assert_eq!((stopped.step, stopped.exit.signal), (StopStep::Kill, Some(9)));
    home.nothing_is_left_within(Duration::ZERO).await;
    drop(process);

    std::fs::remove_file(&container.inside).unwrap();
    let runner: Arc<dyn Runner> = Arc::new(Container::new(&home));
    let process = fake::launch(&home, &[]).runner(runner).start().await.unwrap();
    drop(process);
    home.nothing_is_left().await;
}

fn wrong(home: &Home, container: Container, body: &str) -> Launch {
    let runner: Arc<dyn Runner> = Arc::new(container);
    home.launch(home.script(body)).tls(Tls::Off).runner(runner)
}

// H121
#[tokio::test]
async fn a_start_that_fails_brings_the_runners_own_words() {
    let home = Home::new();
    let container = || {
        std::fs::remove_file(home.path().join("inside")).ok();
        Container::new(&home)
    };
    for (body, code, words) in [
        ("exit 7", "launch", "status 7"),
        ("echo banner; exec sleep 600", "handshake", "reserved for the handshake"),
        ("echo '1|1|unix|/elsewhere/s|grpc|'; exec sleep 600", "handshake", "not in the container"),
    ] {
        let error = home.fail_with(wrong(&home, container(), body)).await;
        says(&error, code, &[words, "the container says hello"]);
    }
    let broken = Container { broken: true, ..container() };
    let error = home.fail_with(wrong(&home, broken, "exit 0")).await;
    says(&error, "launch", &["no such image", "the container says hello"]);
}

// H32
#[tokio::test]
async fn what_a_runner_cannot_do_is_refused() {
    let home = Home::new();
    for (launch, words) in [
        (wrong(&home, Container::new(&home), "").stdin(Stdin::Inherit), "standard input"),
        (wrong(&home, Container::new(&home), "").checksum(Checksum::sha256([0; 32])), "pinned"),
    ] {
        says(&launch.start().await.unwrap_err(), "config", &[words]);
    }
}
