//! How long a plugin is waited for, and who is blamed in the end.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};
use wharf_proto::v1::event::Event;
use wharf_proto::v1::{Attachment, SyncRequest};
use wharf_supervisor::{Bounds, CallError, Process, Supervisor, calls};

use crate::pool::{config, install};
use crate::support::{Home, LONG, examples, is_alive, marked, plugin, until, within};

fn request(how: &str) -> SyncRequest {
    let attachment = Attachment { repository: how.into(), ..Attachment::default() };
    SyncRequest { attachment: Some(attachment), ..SyncRequest::default() }
}

/// All verdicts on one call: a result or an error. There must be one.
async fn verdicts(process: &Process, how: &str, bounds: &Bounds) -> Vec<Result<(), CallError>> {
    let mut events = match calls::sync(process, request(how), bounds).await {
        Ok(events) => events,
        Err(error) => return vec![Err(error)],
    };
    let mut all = Vec::new();
    // Twice, for nothing may come after the end.
    let mut ends = 0;
    while ends < 2 {
        match within(events.next()).await {
            Ok(Some(Event::Result(_))) => all.push(Ok(())),
            Ok(Some(_)) => {}
            Ok(None) => ends += 1,
            Err(error) => all.push(Err(error)),
        }
    }
    all
}

/// What a call comes to.
async fn verdict(process: &Process, how: &str, bounds: &Bounds) -> Result<(), CallError> {
    let mut all = verdicts(process, how, bounds).await;
    assert_eq!(all.len(), 1, "{how}: {all:?}");
    all.remove(0)
}

// F45
#[tokio::test]
async fn a_deadline_at_the_moment_of_completion_gives_one_verdict() {
    let home = Home::new();
    let process = home.start(&[]).await;
    for round in 0..80 {
        let deadline = Duration::from_micros(6_000 + 100 * round);
        let bounds = Bounds::new(LONG).deadline(deadline);
        if let Err(error) = verdict(&process, "after:10", &bounds).await {
            assert_eq!(error.code(), "unresponsive", "round {round}: {error}");
        }
    }
    verdict(&process, "good", &Bounds::new(LONG)).await.unwrap();
}

// F51
#[tokio::test]
async fn a_plugin_that_is_alive_but_gets_nowhere_is_unresponsive_and_killed() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = config(&home);
    (config.heartbeat, config.heartbeat_timeout) = (Duration::from_millis(50), LONG);
    let supervisor = Supervisor::new(config);
    let (busy, neighbour) =
        (supervisor.lease(&plugin).await.unwrap(), supervisor.lease(&plugin).await.unwrap());
    let begun = Instant::now();
    let stall = Bounds::new(Duration::from_millis(400));
    let error = verdict(&busy, "busy", &stall).await.unwrap_err();
    assert_eq!(error.code(), "unresponsive", "{error}");
    assert!(begun.elapsed() >= stall.stall);
    busy.ping(LONG).await.unwrap();
    let pid = busy.pid();
    drop(busy);
    until(LONG, || (!is_alive(pid)).then_some(()).ok_or("alive".to_owned())).await;
    verdict(&neighbour, "good", &Bounds::new(LONG)).await.unwrap();
    assert_eq!(supervisor.states()[0].failures, 1);
    drop(neighbour);
    within(supervisor.shutdown()).await;
    drop(supervisor);
    home.nothing_is_left().await;
}

// F43
#[tokio::test]
async fn what_came_while_the_host_stood_still_counts() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let short = Duration::from_millis(300);
    for bounds in [Bounds::new(short), Bounds::new(LONG).deadline(short)] {
        for (how, code) in [("after:150", None), ("silent", Some("unresponsive"))] {
            let pause = async {
                sleep(Duration::from_millis(50)).await;
                // The one thread of this runtime: nothing is read, and no timer seen.
                std::thread::sleep(2 * short);
            };
            let (end, ()) = tokio::join!(verdict(&process, how, &bounds), pause);
            assert_eq!(end.as_ref().err().map(CallError::code), code, "{how}: {end:?}");
        }
    }
}

/// A host in a process of its own. Does not outlive a test that fails.
struct Host(Child);

impl Host {
    /// With one plugin, whose process id comes along.
    #[expect(clippy::disallowed_methods, reason = "the host itself is under test")]
    fn start(home: &Home, patience: Duration) -> (Self, Pid) {
        let mut command = Command::new(examples().join("supervising-host"));
        command.arg(home.runtime()).arg(plugin()).args(["1", "0"]);
        command.arg(patience.as_millis().to_string()).stdout(Stdio::piped());
        let mut host = Self(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(host.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (host, Pid::from_raw(line.trim().parse().unwrap()).unwrap())
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

// F43
#[tokio::test]
async fn a_host_that_was_stopped_does_not_blame_its_plugins() {
    let home = Home::new();
    let patience = Duration::from_secs(1);
    let moment = patience / 5;
    let (host, plugin) = Host::start(&home, patience);
    // A question is on its way when the host stops. The plugin answers it in good time, and the host
    // finds it too late.
    kill_process(plugin, Signal::STOP).unwrap();
    sleep(moment).await;
    host.send(Signal::STOP);
    kill_process(plugin, Signal::CONT).unwrap();
    sleep(patience + moment).await;
    host.send(Signal::CONT);
    let resumed = Instant::now();
    while resumed.elapsed() < 3 * moment {
        assert!(is_alive(u32::try_from(plugin.as_raw_pid()).unwrap()));
        sleep(Duration::from_millis(20)).await;
    }
    // One that is silent by itself is still found out.
    kill_process(plugin, Signal::STOP).unwrap();
    let gone = || !is_alive(u32::try_from(plugin.as_raw_pid()).unwrap());
    until(LONG, || gone().then_some(()).ok_or("alive".to_owned())).await;
    drop(host);
    let processes = || marked(&home.runtime());
    until(LONG, || processes().is_empty().then_some(()).ok_or(format!("{:?}", processes()))).await;
    // Nobody could remove its folder: the last guardian went before it. The next host does.
    let next = home.start(&[]).await;
    next.stop().await;
    home.nothing_is_left().await;
}
