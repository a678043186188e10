//! Many plugins at once.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::{Home, LONG, guardian, plugin, within};

/// How many, and how slow the slowest is.
const COUNT: usize = 50;
const SLOW: Duration = Duration::from_secs(3);

// H33, F28
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_plugins_started_at_once_are_all_ready_and_none_is_blamed_for_the_queue() {
    let home = Home::new();
    let script = format!("sleep {}; exec {}", SLOW.as_secs(), plugin().display());
    let slow = home.script(&script);
    let mut starts = JoinSet::new();
    for number in 0..COUNT {
        let program = if number == 0 { slow.clone() } else { plugin() };
        let launch = home.launch(program).guardian(guardian()).start_timeout(LONG);
        starts.spawn(async move { (number, launch.start().await) });
    }
    let mut ready = Vec::new();
    while let Some(started) = within(starts.join_next()).await {
        let (number, process) = started.unwrap();
        ready.push((number, process.unwrap()));
    }
    let folders: BTreeSet<_> = ready.iter().map(|(_, process)| process.folder()).collect();
    assert_eq!(folders.len(), COUNT);
    for (number, process) in &ready {
        process.ping(LONG).await.unwrap();
        // Whatever the others needed is not the slow one's fault, nor the other way round.
        assert!(*number != 0 || process.handshake().took >= SLOW);
    }
    let mut stops = JoinSet::new();
    for (_, process) in ready {
        stops.spawn(async move { process.stop().await });
    }
    while within(stops.join_next()).await.is_some() {}
    home.nothing_is_left().await;
}
