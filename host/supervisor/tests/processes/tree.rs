//! What a plugin starts ends with it.

use std::time::Duration;

use wharf_proto::v1::{Attachment, SyncRequest};
use wharf_supervisor::{Bounds, calls};

use crate::support::{Home, LONG, is_alive, marked, until, within};

/// A plugin, its guardian, and what the plugin forked: `sh`, `sleep`, a hidden `sh` and that one's two.
pub(crate) const FAMILY: usize = 6;

async fn complete(home: &Home, processes: usize) {
    until(LONG, || {
        let count = marked(&home.runtime()).len();
        // Shells on the way there come and go.
        (count >= processes).then_some(()).ok_or(format!("{count} processes"))
    })
    .await;
}

// F54, H107
#[tokio::test]
async fn children_and_daemons_end_with_a_stopped_plugin() {
    let home = Home::new();
    let process = home.start(&["fork"]).await;
    complete(&home, FAMILY).await;
    within(process.stop()).await;
    home.nothing_is_left_within(Duration::ZERO).await;
}

// F54, F53, H107
#[tokio::test]
async fn children_that_hold_the_pipes_do_not_hide_the_plugins_end() {
    let home = Home::new();
    let process = home.start(&["fork"]).await;
    complete(&home, FAMILY).await;
    let attachment = Attachment { repository: "exit-0".into(), ..Attachment::default() };
    let request = SyncRequest { attachment: Some(attachment), ..SyncRequest::default() };
    let mut events = calls::sync(&process, request, &Bounds::new(LONG)).await.unwrap();
    events.next().await.unwrap();
    let exit = within(process.wait()).await;
    assert_eq!((exit.code, exit.by_host), (Some(0), None));
    home.nothing_is_left().await;
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing() {
    let home = Home::new();
    let script = home.script("sleep 600 & exec sleep 600");
    let start = home.launch(script).start();
    tokio::select! {
        started = start => panic!("{started:?}"),
        () = until(LONG, || (marked(&home.runtime()).len() >= 3).then_some(()).ok_or(String::new())) => {}
    }
    home.nothing_is_left().await;
}

// The guardian itself is killed, as by a machine that runs out of memory.
#[tokio::test]
async fn a_killed_guardian_takes_the_plugin_along() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid())).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
    let guardian = rustix::process::Pid::from_raw(parent.parse().unwrap()).unwrap();
    rustix::process::kill_process(guardian, rustix::process::Signal::KILL).unwrap();
    let exit = within(process.wait()).await;
    assert_eq!(exit.signal, Some(9));
    home.nothing_is_left().await;
}

// F157
#[test]
fn a_plugin_survives_the_thread_that_started_it() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let process = std::thread::scope(|scope| {
        let start = || runtime.handle().block_on(home.start(&[]));
        scope.spawn(start).join().unwrap()
    });
    runtime.block_on(process.ping(LONG)).unwrap();
    assert!(is_alive(process.pid()));
    drop(process);
    // Also without the runtime that it was started in.
    drop(runtime);
    tokio::runtime::Runtime::new().unwrap().block_on(home.nothing_is_left());
}
