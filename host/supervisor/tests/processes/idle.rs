//! Processes that nobody uses, plugins that crash again and again, and many that end together.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wharf_supervisor::{Installed, State, StopStep, Supervisor};

use crate::pool::{config, install, state};
use crate::support::{Home, LONG, is_alive, plugin, until, within};

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn an_unused_process_is_stopped_after_a_time_and_started_at_the_next_lease() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = config(&home);
    config.idle = Some(SHORT);
    let supervisor = Supervisor::new(config);
    let busy = supervisor.lease(&plugin).await.unwrap();
    for round in 1..=2 {
        let idle = supervisor.lease(&plugin).await.unwrap();
        let pid = idle.pid();
        let given_back = Instant::now();
        drop(idle);
        assert!(is_alive(pid));
        until(LONG, || (!is_alive(pid)).then_some(()).ok_or("alive".to_owned())).await;
        assert!(given_back.elapsed() >= SHORT);
        assert_eq!(supervisor.states()[0].idle_stops, round);
    }
    // One that is lent is not idle, however long it does nothing.
    busy.ping(LONG).await.unwrap();
    assert_eq!(supervisor.states()[0].pids, [busy.pid()]);
    let pid = busy.pid();
    drop(busy);
    until(LONG, || (!is_alive(pid)).then_some(()).ok_or("alive".to_owned())).await;
    let stopped = &supervisor.states()[0];
    assert_eq!((stopped.state, stopped.failures, stopped.restarts), (State::Stopped, 0, 0));
    drop(supervisor);
    home.nothing_is_left().await;
}

#[tokio::test]
async fn an_idle_process_never_keeps_its_supervisor() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = config(&home);
    config.idle = Some(LONG * 100);
    let supervisor = Supervisor::new(config);
    drop(supervisor.lease(&plugin).await.unwrap());
    assert_eq!(state(&supervisor), State::Running);
    drop(supervisor);
    home.nothing_is_left().await;
}

#[test]
fn a_runtime_that_ends_does_not_end_the_watch_over_idle_processes() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = config(&home);
    config.idle = Some(SHORT);
    let supervisor = Supervisor::new(config);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let lease = first.block_on(supervisor.lease(&plugin)).unwrap();
    drop(first);
    // There is no task to be had for it.
    drop(lease);
    runtime().block_on(async {
        drop(supervisor.lease(&plugin).await.unwrap());
        until(LONG, || {
            let state = &supervisor.states()[0];
            (state.idle_stops == 1).then_some(()).ok_or(format!("{state:?}"))
        })
        .await;
        within(supervisor.shutdown()).await;
        drop(supervisor);
        home.nothing_is_left().await;
    });
}

// F75, H113
#[tokio::test]
async fn a_success_ends_the_counting_of_failures() {
    let home = Home::new();
    let count = home.path().join("count");
    let installed = install(&home, "supervised-plugin", "");
    let script = home.script(&format!(
        "echo x >> {0}; [ $(wc -l < {0}) -le 2 ] && exit 7; exec {1}",
        count.display(),
        plugin().display()
    ));
    let installed =
        Arc::new(Installed { executable: script, broken: None, ..Installed::clone(&installed) });
    let mut config = config(&home);
    config.backoff = Duration::from_millis(200);
    let supervisor = Supervisor::new(config);
    for failures in 1..=2 {
        supervisor.lease(&installed).await.unwrap_err();
        let state = &supervisor.states()[0];
        assert_eq!((state.state, state.failures), (State::BackingOff, failures));
        assert!(state.retry_in.is_some_and(|pause| pause <= Duration::from_millis(400)));
        assert!(state.reason.as_ref().is_some_and(|reason| reason.contains("status 7")));
    }
    let lease = within(supervisor.lease(&installed)).await.unwrap();
    drop(lease);
    let state = &supervisor.states()[0];
    assert_eq!((state.state, state.failures, state.retry_in), (State::Running, 0, None));
    assert!(state.restarts > 0 && state.reason.is_some());
    assert_eq!(fs::read_to_string(count).unwrap().lines().count(), 3);
    within(supervisor.shutdown()).await;
}

// H110
#[tokio::test]
async fn all_processes_end_together_in_the_time_of_the_slowest() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "\"stubborn\"");
    let mut config = config(&home);
    let grace = Duration::from_millis(500);
    (config.grace, config.term_grace) = (grace, grace);
    let supervisor = Supervisor::new(config);
    let mut leases = Vec::new();
    for _one in 0..6 {
        leases.push(supervisor.lease(&plugin).await.unwrap());
    }
    let begun = Instant::now();
    within(supervisor.shutdown()).await;
    let took = begun.elapsed();
    assert!(took >= grace * 2 && took < grace * 2 * 3, "{took:?}");
    for lease in &leases {
        assert_eq!(lease.stop().await.step, StopStep::Kill);
    }
    drop((leases, supervisor));
    home.nothing_is_left_within(Duration::ZERO).await;
}
