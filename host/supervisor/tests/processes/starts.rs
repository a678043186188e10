//! Starts that fail for another reason than the plugin, and what is said of them.

use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use wharf_supervisor::{Error, Guardian, Launch, Runner, Running, Spec, Tls};

use crate::fake::{self, ask};
use crate::support::{Home, LONG, guardian, plugin, says, within};

const SHORT: Duration = Duration::from_millis(300);

/// Plays a process that says what it is told to.
struct Actor {
    /// Before it runs, or fails if there is no line.
    needs: Duration,
    line: Option<String>,
    ended: CancellationToken,
}

impl Actor {
    fn launch(home: &Home, needs: Duration, line: Option<String>) -> Launch {
        let actor = Arc::new(Self { needs, line, ended: CancellationToken::new() });
        home.launch("actor").runner(actor).tls(Tls::Off).start_timeout(SHORT)
    }
}

#[tonic::async_trait]
impl Runner for Actor {
    async fn start(&self, _: Spec) -> io::Result<Running> {
        sleep(self.needs).await;
        let line = self.line.clone().ok_or_else(|| io::Error::other("no such image"))?;
        let ended = self.ended.clone();
        Ok(Running {
            id: "actor".to_owned(),
            stdout: Box::new(Cursor::new(line.into_bytes())),
            stderr: Box::new(Cursor::new(b"stage fright\n")),
            ended: Box::pin(async move {
                ended.cancelled().await;
                Err(io::ErrorKind::Other.into())
            }),
        })
    }

    fn kill(&self) {
        self.ended.cancel();
    }

    async fn diagnose(&self) -> String {
        sleep(SHORT).await;
        "the actor says sorry".to_owned()
    }
}

// H26, H121
#[tokio::test]
async fn a_runner_that_is_too_slow_is_named() {
    let home = Home::new();
    let error = home.fail_with(Actor::launch(&home, LONG, None)).await;
    says(&error, "unresponsive", &["not started by its runner within 300"]);
}

// H121
#[tokio::test]
async fn what_a_runner_says_about_a_late_failure_is_not_lost() {
    let home = Home::new();
    let error = home.fail_with(Actor::launch(&home, SHORT / 5 * 4, None)).await;
    says(&error, "launch", &["no such image", "the actor says sorry"]);
}

// H6
#[tokio::test]
async fn a_first_call_without_an_answer_brings_the_last_words() {
    let home = Home::new();
    let socket = home.path().join("s");
    let _silent = UnixListener::bind(&socket).unwrap();
    let line = format!("1|1|unix|{}|grpc|\n", socket.display());
    let launch = Actor::launch(&home, Duration::ZERO, Some(line));
    let launch = launch.socket_policy(wharf_supervisor::SocketPolicy::Any);
    let error = home.fail_with(launch).await;
    says(&error, "unresponsive", &["did not answer within 300", "stage fright"]);
    assert_eq!(error.stderr(), ["stage fright"]);
}

#[tokio::test]
async fn what_no_program_can_be_given_is_not_blamed_on_the_guardian() {
    let home = Home::new();
    let (nowhere, file) = (home.path().join("nowhere"), home.file("file", ""));
    let large = "x".repeat(100_000);
    for (launch, words) in [
        (home.launch(plugin()).current_dir(&nowhere), "nowhere for the plugin to run in"),
        (home.launch(plugin()).current_dir(&file), "Not a directory"),
        (home.launch(plugin()).args(["good", "a\0b"]), "argument 2 contains a NUL"),
        (home.launch(plugin()).args([large.repeat(2)]), "argument 1 is longer"),
        (home.launch(plugin()).args(vec![large.clone(); 100]), "too large together"),
        (home.launch(plugin()).set_env("N", "a\0b"), "variable N contains a NUL"),
        (home.launch(plugin()).set_env("L", large.repeat(2)), "variable L is longer"),
    ] {
        says(&home.fail_with(launch).await, "config", &[words]);
    }
}

#[tokio::test]
async fn a_launch_that_no_plugin_could_answer_starts_nothing() {
    let home = Home::new();
    let zero = Duration::ZERO;
    for (launch, words) in [
        (home.launch(plugin()).versions(&[]), "no application protocol version"),
        (home.launch(plugin()).cookie("", "x"), "magic cookie"),
        (home.launch(plugin()).cookie("X", ""), "magic cookie"),
        (home.launch(plugin()).heartbeat(zero, LONG), "heartbeat"),
        (home.launch(plugin()).heartbeat(LONG, zero), "heartbeat"),
    ] {
        says(&launch.start().await.unwrap_err(), "config", &[words]);
    }
    assert!(!home.runtime().exists());
}

#[tokio::test]
async fn a_guardian_is_found_from_here_and_not_from_where_the_plugin_runs() {
    let home = Home::new();
    let Guardian::Program(absolute) = guardian() else { panic!("no program") };
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_folder| "..").collect();
    let relative = up.join(absolute.strip_prefix("/").unwrap());
    // So deep that the way up from there does not end at the root.
    let there = here.components().skip(1).fold(home.path().join("x"), |deep, _one| deep.join("x"));
    std::fs::create_dir_all(&there).unwrap();
    let launch = home.launch(plugin()).guardian(Guardian::Program(relative));
    let process = launch.current_dir(there).start().await.unwrap();
    process.stop().await;
}

#[tokio::test]
async fn never_is_a_time_as_good_as_any() {
    let home = Home::new();
    let never = Duration::MAX;
    let launch = home.launch(plugin()).start_timeout(never).heartbeat(never, never);
    let process = launch.stop_times(never, never).start().await.unwrap();
    process.ping(never).await.unwrap();
    assert_eq!(within(process.stop()).await.exit.code, Some(0));
}

#[tokio::test]
async fn a_plugin_cannot_take_the_place_of_the_hosts_socket() {
    let home = Home::new();
    let script = home.script(&format!(
        "ln -s nowhere \"$PLUGIN_UNIX_SOCKET_DIR/host.sock\" && exit 9; exec {}",
        fake::program().display()
    ));
    let launch = home.launch(script).versions(&[2]).host_services(Routes::default());
    let process = launch.start().await.unwrap();
    assert!(process.host_address().unwrap().ends_with("/host.sock"));
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
}

// H108
#[tokio::test]
async fn a_ping_right_after_a_crash_says_so() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    ask(&process, "crash").await.unwrap_err();
    let error = process.ping(LONG).await.unwrap_err();
    assert!(matches!(error, Error::Crashed { .. }), "{error}");
    says(&error, "crashed", &["signal 9"]);
}
