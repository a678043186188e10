//! Calls that are given up, and what becomes of their process.

use std::time::Duration;

use tokio::time::timeout;
use wharf_proto::v1::{Attachment, CheckRequest, SyncRequest};
use wharf_supervisor::{Bounds, Events, Lease, Supervisor, calls};

use crate::pool::{config, install};
use crate::support::{Home, LONG, within};

/// One event of a call that goes on.
async fn begin(lease: &Lease, how: &str) -> Events {
    let attachment = Attachment { repository: how.into(), ..Attachment::default() };
    let request = SyncRequest { attachment: Some(attachment), ..SyncRequest::default() };
    let mut events = calls::sync(lease, request, &Bounds::new(LONG)).await.unwrap();
    within(events.next()).await.unwrap().unwrap();
    events
}

#[tokio::test]
async fn a_process_whose_call_was_dropped_is_not_lent_again() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let supervisor = Supervisor::new(config(&home));
    let lease = supervisor.lease(&plugin).await.unwrap();
    let first = lease.pid();
    drop(begin(&lease, "silent").await);
    drop(lease);

    let lease = supervisor.lease(&plugin).await.unwrap();
    let second = lease.pid();
    assert_ne!(second, first);
    let bounds = Bounds::new(LONG);
    let call = calls::check(&lease, CheckRequest::default(), &bounds);
    timeout(Duration::from_millis(50), call).await.unwrap_err();
    drop(lease);

    let lease = supervisor.lease(&plugin).await.unwrap();
    assert_ne!(lease.pid(), second);
    assert_eq!(supervisor.states()[0].failures, 0);
    drop(lease);
    within(supervisor.shutdown()).await;
}

#[tokio::test]
async fn a_call_that_brought_enough_leaves_its_process_fit() {
    let home = Home::new();
    let plugin = install(&home, "supervised-plugin", "");
    let supervisor = Supervisor::new(config(&home));
    let lease = supervisor.lease(&plugin).await.unwrap();
    let pid = lease.pid();
    begin(&lease, "good").await.done();
    let mut events = begin(&lease, "good").await;
    while within(events.next()).await.unwrap().is_some() {}
    drop((events, lease));
    let lease = supervisor.lease(&plugin).await.unwrap();
    assert_eq!(lease.pid(), pid);
    drop(lease);
    within(supervisor.shutdown()).await;
}
