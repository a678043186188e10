//! How calls end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::Code;
use wharf_proto::v1::event::Event;
use wharf_proto::v1::{Attachment, CheckRequest, ChoicesRequest, SyncRequest};
use wharf_supervisor::{Bounds, CallError, Events, Process, calls};

use crate::support::{Home, LONG, within};

fn request(how: &str) -> SyncRequest {
    let attachment = Attachment { repository: how.into(), ..Attachment::default() };
    SyncRequest { attachment: Some(attachment), ..SyncRequest::default() }
}

/// All events, and how the stream ended.
async fn collect(mut events: Events) -> (Vec<Event>, Result<(), CallError>) {
    let mut all = Vec::new();
    loop {
        match within(events.next()).await {
            Ok(Some(event)) => all.push(event),
            Ok(None) => return (all, Ok(())),
            Err(error) => {
                assert_eq!(events.next().await.unwrap(), None);
                return (all, Err(error));
            }
        }
    }
}

async fn sync(process: &Process, how: &str, bounds: &Bounds) -> (usize, Result<(), CallError>) {
    match calls::sync(process, request(how), bounds).await {
        Ok(events) => {
            let (events, end) = collect(events).await;
            (events.len(), end)
        }
        Err(error) => (0, Err(error)),
    }
}

#[tokio::test]
async fn a_good_stream_ends_with_its_result() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let events = calls::sync(&process, request("good"), &Bounds::new(LONG)).await.unwrap();
    let (events, end) = collect(events).await;
    end.unwrap();
    assert!(matches!(events[..], [Event::Progress(_), Event::Progress(_), Event::Result(_)]));
    let (count, end) = sync(&process, "unknown-event", &Bounds::new(LONG)).await;
    assert_eq!((count, end.is_ok()), (2, true));
}

// F39, F40
#[tokio::test]
async fn broken_endings_are_protocol_faults() {
    let home = Home::new();
    let process = home.start(&[]).await;
    for (how, count, words) in [
        ("no-result", 1, "without a result"),
        ("twice", 0, "more after a result"),
        ("after", 0, "more after a result"),
    ] {
        let (events, end) = sync(&process, how, &Bounds::new(LONG)).await;
        let error = end.unwrap_err();
        assert_eq!((events, error.code()), (count, "protocol"), "{how}: {error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_error_event_is_the_plugins_own_error() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let (events, end) = sync(&process, "error", &Bounds::new(LONG)).await;
    match end {
        Err(CallError::Plugin(error)) => assert_eq!(error.code, "source.unreachable"),
        other => panic!("{other:?}"),
    }
    assert_eq!(events, 1);
}

// F36
#[tokio::test]
async fn silence_is_unresponsive() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let bounds = Bounds::new(Duration::from_millis(200));
    let (events, end) = sync(&process, "silent", &bounds).await;
    assert_eq!((events, end.unwrap_err().code()), (1, "unresponsive"));
    let whole = Bounds::new(LONG).deadline(Duration::from_millis(200));
    let (_, end) = sync(&process, "silent", &whole).await;
    assert_eq!(end.unwrap_err().code(), "unresponsive");
    let unary = calls::check(&process, CheckRequest::default(), &bounds).await;
    assert_eq!(unary.unwrap_err().code(), "unresponsive");
    assert_eq!(process.exited(), None);
}

// F44
#[tokio::test]
async fn a_cancelled_call_ends_at_once_as_that() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let token = CancellationToken::new();
    let bounds = Bounds::new(LONG).cancel(token.clone());
    let mut events = calls::sync(&process, request("silent"), &bounds).await.unwrap();
    events.next().await.unwrap();
    token.cancel();
    let error = within(events.next()).await.unwrap_err();
    assert!(matches!(error, CallError::Cancelled));
    assert_eq!(events.next().await.unwrap(), None);
    let error = calls::check(&process, CheckRequest::default(), &bounds).await.unwrap_err();
    assert_eq!(error.code(), "cancelled");
}

// F53, F48
#[tokio::test]
async fn an_end_of_the_process_is_a_crash_whatever_its_status() {
    let home = Home::new();
    for (how, code, signal) in [("exit-0", Some(0), None), ("killed", None, Some(9))] {
        let process = home.start(&[]).await;
        let (events, end) = sync(&process, how, &Bounds::new(LONG)).await;
        match end.unwrap_err() {
            CallError::Crashed { call, exit } => {
                assert_eq!((call, exit.code, exit.signal), ("Importer.Sync", code, signal));
            }
            other => panic!("{how}: {other:?}"),
        }
        assert_eq!(events, 1);
        // Later calls know it too.
        let (_, end) = sync(&process, "good", &Bounds::new(LONG)).await;
        assert_eq!(end.unwrap_err().code(), "crashed");
    }
}

// F38
#[tokio::test]
async fn a_cut_connection_of_a_living_process_is_noticed_at_once() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let (events, end) = sync(&process, "cut", &Bounds::new(LONG)).await;
    let error = end.unwrap_err();
    assert_eq!((events, error.code()), (1, "protocol"), "{error}");
    assert_eq!(process.exited(), None);
}

// F29
#[tokio::test]
async fn a_message_over_the_limit_fails_its_call_only() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let (_, end) = sync(&process, "big", &Bounds::new(LONG)).await;
    let error = end.unwrap_err();
    assert_eq!(error.code(), "limit", "{error}");
    assert!(error.to_string().contains("4194304"), "{error}");
    sync(&process, "good", &Bounds::new(LONG)).await.1.unwrap();
}

// F41, F42
#[tokio::test]
async fn statuses_are_read_by_the_contracts_table() {
    let home = Home::new();
    let process = home.start(&[]).await;
    for (code, word) in [
        (Code::InvalidArgument, "plugin"),
        (Code::Unavailable, "plugin"),
        (Code::Unknown, "protocol"),
        (Code::Unimplemented, "protocol"),
    ] {
        let how = format!("status-{}", code as i32);
        let (_, end) = sync(&process, &how, &Bounds::new(LONG)).await;
        assert_eq!(end.unwrap_err().code(), word, "{code:?}");
    }
    let error = calls::choices(&process, ChoicesRequest::default(), &Bounds::new(LONG)).await;
    assert!(matches!(error, Err(CallError::Unimplemented { call: "Plugin.Choices" })));
}
