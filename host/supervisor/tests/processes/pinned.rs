//! Executables with a checksum.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use wharf_supervisor::{Checksum, Error};

use crate::fake::{self, ask};
use crate::support::{Home, LONG, says};

fn checksum(program: &Path) -> Checksum {
    Checksum::sha256(Sha256::digest(fs::read(program).unwrap()).into())
}

// H119, F5
#[tokio::test]
async fn only_the_pinned_executable_is_started() {
    let home = Home::new();
    let pinned = checksum(&fake::program());
    let process = fake::launch(&home, &[]).checksum(pinned).start().await.unwrap();
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    // What runs is the copy.
    assert!(ask(&process, "exe").await.unwrap().starts_with("/memfd:"));
    process.stop().await;

    let script = home.script("echo ran >&2; exit 3");
    let error = home.fail_with(home.launch(&script).checksum(pinned)).await;
    let both = [pinned.to_string(), checksum(&script).to_string()];
    says(&error, "policy", &[&both[0], &both[1], "not started"]);
    let bare = home.launch("sh").checksum(pinned).start().await.unwrap_err();
    says(&bare, "config", &["as a path"]);
    let missing = home.launch(home.path().join("none")).checksum(pinned);
    says(&home.fail_with(missing).await, "launch", &["no such file"]);
}

// H119
#[tokio::test]
async fn an_executable_that_cannot_be_read_says_so() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything.
        return;
    }
    let home = Home::new();
    let script = home.script("exit 0");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o111)).unwrap();
    let error = home.fail_with(home.launch(script).checksum(Checksum::sha256([0; 32]))).await;
    says(&error, "launch", &["checksum cannot be verified"]);
}

// H119
#[tokio::test]
async fn a_pinned_script_runs_with_its_arguments() {
    let home = Home::new();
    let script = home.script("echo \"ran with $1\" >&2; exit 3");
    let launch = home.launch(&script).args(["this"]).checksum(checksum(&script));
    says(&home.fail_with(launch).await, "launch", &["ran with this", "status 3"]);
}

// H120, F6
#[test]
fn an_executable_that_is_swapped_all_the_time_runs_only_if_it_is_the_right_one() {
    let home = Home::new();
    let good = home.file("good", "#!/bin/sh\necho good >&2; exit 3\n");
    let evil = home.file("evil", "#!/bin/sh\necho evil >&2; exit 4\n");
    let pinned = checksum(&good);
    let path = home.path().join("plugin");
    fs::copy(&good, &path).unwrap();
    let over = AtomicBool::new(false);
    let swap = || {
        for from in [&evil, &good].into_iter().cycle() {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let new = home.path().join("new");
            fs::copy(from, &new).unwrap();
            fs::rename(&new, &path).unwrap();
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut ran, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(swap);
        let end = Instant::now() + LONG;
        // Until both were seen.
        while ran + refused < crate::orphans::rounds() || ran.min(refused) == 0 {
            if Instant::now() > end {
                break;
            }
            let launch = home.launch(&path).checksum(pinned);
            match runtime.block_on(launch.start()).unwrap_err() {
                Error::Ended { exit, .. } if exit.code == Some(3) => ran += 1,
                Error::Policy { .. } => refused += 1,
                other => {
                    over.store(true, Ordering::Relaxed);
                    panic!("{other}");
                }
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(ran > 0 && refused > 0, "{ran} ran, {refused} were refused");
    runtime.block_on(home.nothing_is_left());
}
