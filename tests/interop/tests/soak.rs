//! Many starts and stops in one host, so many as `WHARF_ROUNDS` says; alone in its process, whose descriptors, threads
//! and memory it counts.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends by a panic, and reads its own settings"
)]

use std::time::Duration;

use tokio::time::sleep;
use wharf_interop::{Calls, Library, Program, World, processes};
use wharf_supervisor::{StopStep, Tls};

/// What the first rounds fetch once and keep: pools, the log, the allocator's own.
const WARM_UP: usize = 5;
/// What an allocator may keep, whatever the number of rounds.
const MEMORY_KIB: u64 = 16 << 10;

// X7
#[tokio::test]
async fn x7_starts_and_stops_leave_nothing_in_the_host() {
    let plugins: Vec<Program> =
        [Program::go(Library::Current), Some(Program::wharf()), Program::go(Library::Old)]
            .into_iter()
            .flatten()
            .collect();
    let rounds = std::env::var("WHARF_ROUNDS").ok().and_then(|text| text.parse().ok());
    let rounds: usize = rounds.unwrap_or(25);
    let world = World::new();
    let mut before = None;
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            before = Some((
                processes::open_files(),
                processes::threads(),
                tasks(),
                processes::resident_kib(),
            ));
        }
        let plugin = &plugins[round % plugins.len()];
        let mux = round % 2 == 0 && !plugin.path.to_string_lossy().contains("/old/");
        let tls = if round % 5 == 0 { Tls::Off } else { Tls::Auto };
        let process = world.launch(plugin).tls(tls).multiplex(mux).start().await.unwrap();
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.offer().await.unwrap();
        assert_eq!(process.stop().await.step, StopStep::Shutdown);
    }
    let (files, threads, tasks_before, memory) = before.unwrap();
    // What ends beside the last stop ends soon.
    for _ in 0..200 {
        if processes::open_files() <= files
            && processes::threads() <= threads
            && tasks() <= tasks_before
        {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert!(
        processes::open_files() <= files,
        "{} descriptors, {files} before",
        processes::open_files()
    );
    assert!(processes::threads() <= threads, "{} threads, {threads} before", processes::threads());
    assert!(tasks() <= tasks_before, "{} tasks, {tasks_before} before", tasks());
    let now = processes::resident_kib();
    assert!(now <= memory + MEMORY_KIB, "{now} KiB, {memory} before");
    let left = walk(&world.path().join("run"));
    assert!(left.is_empty(), "{left:#?}");
    world.finish();
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// All files and folders but those that the host keeps for its own life.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
