//! What the plugin tells the host's log.

use serde_json::Value;
use tonic::Code;

use crate::child::{Start, line_with};
use crate::probe::Text;
use crate::probe::probe_client::ProbeClient;
use crate::services::echo;

// P43, P45
#[tokio::test]
async fn events_of_every_level_are_lines_that_hosts_read() {
    let mut plugin = Start::probe(&["trace"]).run();
    let errors = plugin.errors();
    let mut client = ProbeClient::new(plugin.channel().await);
    let text = "two\nlines, \"quoted\", \u{1}";
    client.log(Text { text: text.to_owned() }).await.unwrap();
    for level in ["trace", "debug", "info", "warn", "error"] {
        let line = line_with(&errors, &format!("\"at {level}\""));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["@level"], &line["text"]), (&level.into(), &text.into()));
        assert!(line["@module"].as_str().unwrap().starts_with("probe_plugin"), "{line}");
        assert!(line["@caller"].as_str().unwrap().contains("service.rs:"), "{line}");
        let time = line["@timestamp"].as_str().unwrap();
        assert_eq!(time.split_once('.').unwrap().1.len(), "123456Z".len(), "{time}");
        if level == "info" {
            assert_eq!(line["count"], 7);
        }
        if level == "warn" {
            assert_eq!(line["error"], "no route");
        }
    }
    client.log(Text { text: "x".repeat(100 << 10) }).await.unwrap();
    let line = line_with(&errors, "\"at error\"");
    assert!(line.len() < 64 << 10);
    assert!(
        serde_json::from_str::<Value>(&line).unwrap()["text"].as_str().unwrap().len() < 5 << 10
    );
}

// P44
#[tokio::test]
async fn a_panic_is_told_with_its_backtrace_and_ends_one_call() {
    for arguments in [&[][..], &["stderr"]] {
        let mut plugin = Start::probe(arguments).run();
        let errors = plugin.errors();
        let channel = plugin.channel().await;
        let text = Text { text: "something broke".to_owned() };
        let failed = ProbeClient::new(channel.clone()).panic(text).await.unwrap_err();
        assert_ne!(failed.code(), Code::Ok);
        assert_eq!(line_with(&errors, "panic: "), "panic: something broke");
        let place = line_with(&errors, "service.rs");
        assert!(place.starts_with("at "), "{place}");
        let stack =
            errors.recv_timeout(crate::child::DEADLINE).into_iter().chain(errors.try_iter());
        assert!(stack.take(10).count() >= 1);
        line_with(&errors, "10: ");
        assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
        assert!(plugin.is_running());
    }
}
