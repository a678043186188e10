//! Builds that are cancelled leave no file and no process.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharf_sdk::Stage;

use crate::base::{Base, large_tree};

const PATIENCE: Duration = Duration::from_secs(20);

/// Gives others the thread until it is so.
async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

/// Whether the build began to write its image.
fn is_writing(base: &Base) -> bool {
    let folders = base.left().into_iter().filter(|name| name != "base");
    let mut folders = folders.map(|name| base.harness.work_dir().join(name));
    folders.any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()))
}

/// Whether a process names the job's folder in its arguments.
fn has_processes(base: &Base) -> bool {
    let folder = base.harness.work_dir().to_str().unwrap().to_owned();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut arguments = processes.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
    arguments.any(|it| String::from_utf8_lossy(&it).contains(&folder))
}

/// Cancels a build while it writes.
async fn cancel(component: &str, parameters: Value, is_program: bool) {
    let base = Base::with_tree();
    fs::write(base.file("rootfs.tar.zst"), large_tree(48)).unwrap();
    let call = base.harness.call(component).settings(&parameters).recipe(base.recipe(component));
    let running = call.start_build(Stage::Target).await;
    wait_until("it writes", || is_writing(&base)).await;
    assert_eq!(has_processes(&base), is_program);
    drop(running);
    wait_until("its folder is gone", || base.left() == ["base"]).await;
    wait_until("its processes are gone", || !has_processes(&base)).await;
}

#[tokio::test]
async fn a_cancelled_layer_leaves_nothing() {
    cancel("oci", json!({ "compression_level": 9 }), false).await;
}

#[tokio::test]
async fn a_cancelled_program_leaves_nothing() {
    cancel("squashfs", json!({ "compression": "xz" }), true).await;
}
