//! Processes that have done their share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wharf_supervisor::{Config, Installed, State, Supervisor};

use crate::pool::{config, install};
use crate::support::{Home, LONG, is_alive, sync, until, within};

/// No limit but the one that a test sets.
fn endless(home: &Home) -> Config {
    let mut config = config(home);
    (config.max_leases, config.max_age, config.max_resident_bytes) = (None, None, None);
    config
}

async fn gone(pid: u32) {
    until(LONG, || (!is_alive(pid)).then_some(()).ok_or("alive".to_owned())).await;
}

/// One job after the other, which must all be done, and the processes that did them.
async fn work(supervisor: &Supervisor, plugin: &Arc<Installed>, jobs: u32) -> BTreeSet<u32> {
    let mut pids = BTreeSet::new();
    for _job in 0..jobs {
        let lease = within(supervisor.lease(plugin)).await.unwrap();
        pids.insert(lease.pid());
        sync(&lease, "good", LONG).await.unwrap();
    }
    pids
}

// F76
#[tokio::test]
async fn a_process_is_replaced_between_jobs_and_no_job_sees_it() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = endless(&home);
    config.max_leases = Some(3);
    let supervisor = Supervisor::new(config);
    assert_eq!(work(&supervisor, &plugin, 8).await.len(), 3);
    let state = &supervisor.states()[0];
    assert_eq!((state.state, state.recycles, state.pids.len()), (State::Running, 2, 1));
    // It is no fault, no restart and no idle stop.
    assert_eq!((state.restarts, state.failures, state.idle_stops), (0, 0, 0));
    assert_eq!((&state.reason, state.retry_in), (&None, None));
    work(&supervisor, &plugin, 1).await;
    let state = &supervisor.states()[0];
    assert_eq!((state.state, state.recycles), (State::Stopped, 3));
    within(supervisor.shutdown()).await;
    drop(supervisor);
    home.nothing_is_left_within(Duration::ZERO).await;
}

// F76
#[tokio::test]
async fn a_process_that_holds_too_much_memory_is_replaced() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    for (limit, processes) in [(4096, 3), (4 << 30, 1)] {
        let mut config = endless(&home);
        config.max_resident_bytes = Some(limit);
        let supervisor = Supervisor::new(config);
        assert_eq!(work(&supervisor, &plugin, 3).await.len(), processes);
        within(supervisor.shutdown()).await;
    }
    home.nothing_is_left().await;
}

// F76
#[tokio::test]
async fn an_old_process_is_replaced_when_it_is_idle_and_never_while_it_is_used() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let mut config = endless(&home);
    let age = Duration::from_millis(300);
    config.max_age = Some(age);
    let supervisor = Supervisor::new(config);
    let busy = supervisor.lease(&plugin).await.unwrap();
    let idle = supervisor.lease(&plugin).await.unwrap();
    let old = Instant::now() + age;
    let pid = idle.pid();
    drop(idle);
    until(LONG, || (Instant::now() >= old).then_some(()).ok_or("young".to_owned())).await;
    let fresh = supervisor.lease(&plugin).await.unwrap();
    assert_ne!(fresh.pid(), pid);
    assert_eq!(supervisor.states()[0].recycles, 1);
    gone(pid).await;
    sync(&busy, "good", LONG).await.unwrap();
    let pid = busy.pid();
    drop(busy);
    assert_eq!(supervisor.states()[0].recycles, 2);
    gone(pid).await;
    drop(fresh);
    within(supervisor.shutdown()).await;
}

// F76
#[tokio::test]
async fn a_shared_process_is_lent_no_more_and_ends_with_its_last_user() {
    let home = Home::new();
    let mut plugin = Installed::clone(&*install(&home, "supervised-plugin", ""));
    plugin.manifest.components[0].concurrency = Some(8);
    let plugin = Arc::new(plugin);
    let mut config = endless(&home);
    config.max_leases = Some(2);
    let supervisor = Supervisor::new(config);
    let one = supervisor.lease(&plugin).await.unwrap();
    let two = supervisor.lease(&plugin).await.unwrap();
    let three = supervisor.lease(&plugin).await.unwrap();
    let pid = one.pid();
    assert!(two.pid() == pid && three.pid() != pid);
    drop(one);
    sync(&two, "good", LONG).await.unwrap();
    assert_eq!(supervisor.states()[0].recycles, 0);
    drop(two);
    assert_eq!(
        (supervisor.states()[0].recycles, &supervisor.states()[0].pids),
        (1, &vec![three.pid()])
    );
    gone(pid).await;
    drop(three);
    within(supervisor.shutdown()).await;
}
