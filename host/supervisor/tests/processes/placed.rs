//! Plugins that somebody else can change.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use wharf_supervisor::{Error, State, Supervisor};

use crate::pool::{config, install};
use crate::support::{Home, says, within};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

// F7
#[tokio::test]
async fn a_plugin_that_everybody_can_change_is_not_started() {
    let home = Home::new();
    install(&home, "supervised-plugin", "");
    let folder = home.path().join("plugins/example");
    mode(&folder, 0o777);
    let plugin = install(&home, "supervised-plugin", "");
    let broken = plugin.broken.clone().unwrap();
    assert_eq!(broken.code, "policy");
    let supervisor = Supervisor::new(config(&home));
    let error = supervisor.lease(&plugin).await.unwrap_err();
    assert!(matches!(error, Error::Policy { .. }), "{error}");
    says(&error, "policy", &["example", folder.to_str().unwrap(), "mode 0777", "chmod o-w"]);
    assert!(supervisor.states().is_empty() && !home.runtime().exists());
}

// F7, F64
#[tokio::test]
async fn it_is_looked_at_again_before_each_start_and_works_once_it_is_set_right() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    assert_eq!(plugin.broken, None);
    let supervisor = Supervisor::new(config(&home));
    let first = within(supervisor.lease(&plugin)).await.unwrap();
    let folder = home.path().join("plugins");
    mode(&folder, 0o777);
    // What runs goes on.
    let pid = first.pid();
    drop(first);
    let again = supervisor.lease(&plugin).await.unwrap();
    assert_eq!(again.pid(), pid);
    again.discard();
    drop(again);
    for _more_often_than_a_crash_loop_takes in 0..6 {
        let error = supervisor.lease(&plugin).await.unwrap_err();
        says(&error, "policy", &[folder.to_str().unwrap(), "mode 0777"]);
    }
    let state = &supervisor.states()[0];
    assert_eq!((state.state, state.failures, state.retry_in), (State::Stopped, 0, None));
    assert!(state.reason.as_ref().is_some_and(|reason| reason.contains("mode 0777")));
    mode(&folder, 0o755);
    within(supervisor.lease(&plugin)).await.unwrap();
    within(supervisor.shutdown()).await;
    drop(supervisor);
    home.nothing_is_left().await;
}
