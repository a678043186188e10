//! Limits of the kernel, set for a plugin and reached by it. The host is not touched by any of them.

use std::fs;

use rustix::process::{Resource, getrlimit};
use wharf_supervisor::{CallError, Limits, Reached};

use crate::support::{Home, LONG, plugin, sync};

async fn reach(limits: Limits, how: &str) -> CallError {
    let home = Home::new();
    let process = home.launch(plugin()).limits(limits).start().await.unwrap();
    let neighbour = home.start(&[]).await;
    let error = sync(&process, how, LONG).await.unwrap_err();
    neighbour.ping(LONG).await.unwrap();
    neighbour.stop().await;
    drop(process);
    home.nothing_is_left().await;
    error
}

// F57
#[tokio::test]
async fn open_files_run_out_for_the_plugin_alone() {
    let own = getrlimit(Resource::Nofile);
    let error = reach(Limits::default().open_files(64), "files").await;
    assert_eq!(error.exit().unwrap().reached, Some(Reached::OpenFiles), "{error}");
    assert_eq!(error.code(), "limit");
    assert_eq!(getrlimit(Resource::Nofile).current, own.current);
}

// F58
#[tokio::test]
async fn a_file_larger_than_the_limit_ends_the_plugin_and_is_named() {
    let error = reach(Limits::default().file_bytes(1 << 20), "large-file").await;
    assert_eq!(error.exit().unwrap().signal, Some(25), "{error}");
    assert_eq!(error.code(), "limit");
    assert!(error.to_string().contains("larger than its limit"), "{error}");
}

// F56
#[tokio::test]
async fn memory_without_end_is_a_crash_with_its_reason() {
    let error = reach(Limits::default().address_space(2 << 30), "memory").await;
    assert_eq!(error.exit().unwrap().reached, Some(Reached::AddressSpace), "{error}");
    assert_eq!(error.code(), "crashed");
    assert!(error.to_string().contains("limit of memory"), "{error}");
}

// Root is not held to this limit, so the bomb becomes an ordinary user first.
// F55
#[tokio::test]
async fn a_fork_bomb_stops_at_the_limit_and_all_of_it_is_killed() {
    let home = Home::new();
    let bomb = home.file("bomb", "#!/bin/sh\nwhile :; do sleep 600 & done\n");
    let (start, user) = if rustix::process::geteuid().is_root() {
        home.let_others_in();
        ("setpriv --reuid=65534 --regid=65534 --clear-groups", 65534)
    } else {
        ("", rustix::process::geteuid().as_raw())
    };
    let script = home.script(&format!("exec {start} {}", bomb.display()));
    let limits = Limits::default().processes(tasks_of(user) + 50);
    let error = home.fail_with(home.launch(script).limits(limits)).await;
    assert_eq!(error.exit().map(|exit| exit.reached), Some(Some(Reached::Processes)), "{error}");
    assert_eq!(error.code(), "limit");
}

/// Threads too: so the kernel counts.
fn tasks_of(user: u32) -> u64 {
    let statuses = fs::read_dir("/proc").unwrap().flatten();
    let statuses =
        statuses.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    let value = |status: &str, key: &str| -> Option<u64> {
        status
            .lines()
            .find_map(|line| line.strip_prefix(key))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    let own = statuses.filter(|status| value(status, "Uid:") == Some(user.into()));
    own.filter_map(|status| value(&status, "Threads:")).sum()
}
