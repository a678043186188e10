//! Plugins that end in the middle of a call, or lose what they stand on.

use std::time::{Duration, Instant};

use wharf_supervisor::StopStep;

use crate::support::{Home, LONG, sync, within};

// H109, F49
#[tokio::test]
async fn a_panic_in_a_call_fails_it_with_status_and_text() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let error = sync(&process, "panic", LONG).await.unwrap_err();
    assert_eq!(error.code(), "crashed");
    let exit = within(process.wait()).await;
    assert_eq!((exit.signal, exit.by_host), (Some(6), None));
    let panic = exit.stderr.iter().position(|line| line.contains("panicked at"));
    assert!(panic.is_some(), "{exit:?}");
    assert!(exit.stderr.iter().any(|line| line.contains("boom in a call")), "{exit:?}");
    assert!(error.to_string().contains("SIGABRT") && error.to_string().contains("boom in a call"));
    home.nothing_is_left().await;
}

// F48, F49, H108
#[tokio::test]
async fn a_deadly_signal_is_named() {
    let home = Home::new();
    for (how, name, number) in
        [("abort", "SIGABRT", 6), ("segfault", "SIGSEGV", 11), ("killed", "SIGKILL", 9)]
    {
        let process = home.start(&[]).await;
        let error = sync(&process, how, LONG).await.unwrap_err();
        assert_eq!((error.code(), error.exit().unwrap().signal), ("crashed", Some(number)));
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(within(process.stop()).await.step, StopStep::AlreadyEnded);
    }
    home.nothing_is_left().await;
}

// F37, F64
#[tokio::test]
async fn a_plugin_without_its_folder_and_its_standard_error_goes_on() {
    let home = Home::new();
    let process = home.start(&[]).await;
    sync(&process, "vanish", LONG).await.unwrap();
    assert!(!process.folder().exists());
    process.ping(LONG).await.unwrap();
    sync(&process, "good", LONG).await.unwrap();
    assert_eq!(within(process.stop()).await.step, StopStep::Shutdown);
    home.nothing_is_left().await;
}

// H107, F54
#[tokio::test]
async fn an_end_is_seen_and_stopped_in_time_whoever_holds_the_pipes() {
    let home = Home::new();
    let process = home.start(&["fork"]).await;
    let begun = Instant::now();
    sync(&process, "killed", LONG).await.unwrap_err();
    within(process.wait()).await;
    // The call itself takes its time before it kills.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(within(process.stop()).await.step, StopStep::AlreadyEnded);
    home.nothing_is_left_within(Duration::ZERO).await;
}
