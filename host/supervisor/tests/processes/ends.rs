//! How plugins end, in go-plugin's own terms.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;
use wharf_supervisor::{ByHost, StopStep, Supervisor};

use crate::fake::{self, ask};
use crate::pool::{config, install};
use crate::support::{Home, LONG, is_alive, stand_still, until, within};

const GRACE: Duration = Duration::from_secs(2);
const TOLERANCE: Duration = Duration::from_millis(300);

// H101, H41
#[tokio::test]
async fn a_plugin_that_is_asked_to_stop_cleans_up_and_goes_by_itself() {
    let home = Home::new();
    let done = home.path().join("done");
    let process = fake::start(&home, &[&format!("done={}", done.display())]).await;
    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.code), (StopStep::Shutdown, Some(0)));
    assert_eq!(stopped.exit.by_host, Some(ByHost::Stopped));
    assert!(done.exists() && !stopped.exit.is_crash());
    home.nothing_is_left_within(Duration::ZERO).await;
}

// H102
#[tokio::test]
async fn a_second_stop_finds_what_the_first_one_did() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let (one, two) = within(async { tokio::join!(process.stop(), process.stop()) }).await;
    assert_eq!(one, two);
    assert_eq!(process.exited(), Some(one.exit.clone()));
    assert_eq!(within(process.stop()).await, one);
}

// H103
#[tokio::test]
async fn a_plugin_that_does_not_go_is_killed_after_the_grace_time() {
    let home = Home::new();
    let launch = fake::launch(&home, &["deaf"]).stop_times(GRACE, Duration::ZERO);
    let process = launch.start().await.unwrap();
    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.signal), (StopStep::Kill, Some(9)));
    assert!(stopped.took >= GRACE && stopped.took < GRACE + TOLERANCE, "{stopped:?}");
    // One that does not even know the call gains nothing by being waited for.
    let launch = fake::launch(&home, &["no-controller"]).stop_times(GRACE, GRACE);
    let process = launch.start().await.unwrap();
    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.signal), (StopStep::Terminate, Some(15)));
    assert!(stopped.took < GRACE, "{stopped:?}");
}

// H104
#[tokio::test]
async fn a_plugin_whose_address_nobody_answers_is_gone_within_the_bound() {
    let home = Home::new();
    let begun = Instant::now();
    let body = "echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/none|grpc|\"; exec sleep 600";
    let launch = home.launch(home.script(body)).tls(wharf_supervisor::Tls::Off);
    home.fail_with(launch).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}

// H105
#[tokio::test]
async fn a_plugin_that_stands_still_is_gone_within_the_bound() {
    let home = Home::new();
    let short = Duration::from_millis(300);
    let process = fake::launch(&home, &[]).stop_times(short, short).start().await.unwrap();
    stand_still(process.pid()).await;
    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.signal), (StopStep::Kill, Some(9)));
    assert!(stopped.took >= 2 * short && stopped.took < GRACE, "{stopped:?}");
}

// H106
#[tokio::test]
async fn a_shutdown_that_never_answers_is_good_if_the_plugin_goes() {
    let home = Home::new();
    let process = fake::start(&home, &["slow"]).await;
    let stopped = within(process.stop()).await;
    assert_eq!((stopped.step, stopped.exit.code), (StopStep::Shutdown, Some(0)));
    assert!(stopped.took >= Duration::from_millis(500), "{stopped:?}");
}

// H108
#[tokio::test]
async fn a_crash_ends_running_calls_and_is_seen_at_once() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    let begun = Instant::now();
    let (never, crash, exit) = within(async {
        tokio::join!(ask(&process, "never"), ask(&process, "crash"), process.wait())
    })
    .await;
    for failed in [never, crash] {
        let code = failed.unwrap_err().code();
        assert!(matches!(code, Code::Unavailable | Code::Unknown), "{code:?}");
    }
    assert_eq!((exit.signal, exit.by_host), (Some(9), None));
    assert!(begun.elapsed() < GRACE);
    home.nothing_is_left().await;
}

// H110
#[tokio::test]
async fn a_whole_set_is_stopped_in_the_time_of_the_slowest() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "\"deaf\"");
    let mut config = config(&home);
    (config.grace, config.term_grace) = (Duration::from_secs(1), LONG);
    let supervisor = Supervisor::new(config);
    let mut leases = Vec::new();
    for _one in 0..5 {
        leases.push(supervisor.lease(&plugin).await.unwrap());
    }
    let begun = Instant::now();
    within(supervisor.shutdown()).await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(3), "{took:?}");
    assert!(leases.iter().all(|lease| !is_alive(lease.pid())));
    drop((leases, supervisor));
    home.nothing_is_left().await;
}

// H112
#[tokio::test]
async fn a_dropped_handle_leaves_neither_process_nor_zombie() {
    let home = Home::new();
    let process = fake::start(&home, &["deaf"]).await;
    let pid = process.pid();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let guardian = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
    let pids = [pid.to_string(), guardian.to_owned()];
    drop(process);
    // A zombie is still to be found here.
    until(LONG, || {
        let left = pids.iter().find(|pid| Path::new("/proc").join(pid).exists());
        left.map_or(Ok(()), |pid| Err(format!("{pid} is there")))
    })
    .await;
    home.nothing_is_left().await;
}
