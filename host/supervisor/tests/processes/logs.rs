//! What a plugin writes to standard error, as it reaches the host: the rows of go-plugin's table of
//! log lines, over a real pipe. The parser's own tests know every corner.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use tokio::sync::broadcast::Receiver;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use wharf_supervisor::{Launch, LogLine, Process};

use crate::support::{Home, LONG, plugin, sync, within};

/// Keeps what is written to it.
#[derive(Clone, Default)]
struct Copied(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Copied {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Never all at once, as writers may.
        let count = bytes.len().min(5_000);
        self.0.lock().unwrap().extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A plugin that writes what a test wants.
struct Writer {
    home: Home,
    process: Process,
    logs: Receiver<LogLine>,
    copied: Copied,
}

impl Writer {
    async fn new(with: impl FnOnce(Launch) -> Launch) -> Self {
        let home = Home::new();
        let copied = Copied::default();
        let launch = home.launch(plugin()).raw_stderr(copied.clone());
        let process = with(launch).start().await.unwrap();
        let logs = process.logs();
        Self { home, process, logs, copied }
    }

    /// Writes `bytes`, waits for the plugin's end, and returns all lines that came but those of
    /// other sources.
    async fn write(mut self, bytes: impl AsRef<[u8]>) -> (Vec<LogLine>, Vec<u8>) {
        let file = self.home.file("words", bytes);
        sync(&self.process, &format!("write:{}", file.display()), LONG).await.unwrap();
        self.process.stop().await;
        let mut lines = Vec::new();
        while let Ok(line) = self.logs.try_recv() {
            lines.push(line);
        }
        lines.retain(|line| !line.text.contains("printed by the plugin"));
        let copied = self.copied.0.lock().unwrap().clone();
        (lines, copied)
    }
}

fn levels(lines: &[LogLine]) -> Vec<(Level, &str)> {
    lines.iter().map(|line| (line.level, line.text.as_str())).collect()
}

// H85
#[tokio::test]
async fn json_lines_keep_level_message_and_keys_under_the_hosts_and_the_plugins_name() {
    let writer = Writer::new(|launch| launch.name("kv").log_name("myhost")).await;
    let words = ["trace", "debug", "info", "warn", "error"];
    let json = words.map(|level| {
        format!(
            "{{\"@level\":\"{level}\",\"@message\":\"m {level}\",\"@module\":\"a.b\",\"@timestamp\":\"2024-01-02T03:04:05.000006Z\",\"n\":{{\"x\":[1]}}}}\n"
        )
    });
    let json = json.concat();
    let (lines, copied) = writer.write(&json).await;
    assert_eq!(copied, json.as_bytes());
    let expected = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    assert_eq!(lines.iter().map(|line| line.level).collect::<Vec<_>>(), expected);
    for (line, word) in lines.iter().zip(words) {
        assert_eq!((&*line.logger, line.text.as_str()), ("myhost.kv", &*format!("m {word}")));
        assert_eq!(line.fields["timestamp"], "2024-01-02T03:04:05.000006Z");
        assert_eq!((&line.fields["@module"], line.fields.len()), (&"a.b".into(), 3));
        assert_eq!(line.fields["n"]["x"][0], 1);
    }
}

// H85
#[tokio::test]
async fn the_name_is_that_of_the_program_unless_told_otherwise() {
    let home = Home::new();
    let program = plugin();
    let launch = Launch::new(&program).guardian(crate::support::guardian());
    let process = launch.runtime_dir(home.runtime()).start().await.unwrap();
    let mut logs = process.logs();
    let line = within(logs.recv()).await.unwrap();
    assert_eq!(&*line.logger, "wharf.supervised-plugin");
}

const MIXED: &str = "{\"@level\":\"info\",\"@message\":\"low\"}\n\
    {\"@level\":\"warn\",\"@message\":\"high\"}\n[DEBUG] low\n[ERROR] high\nplain\n";

// H86
#[tokio::test]
async fn lines_below_the_hosts_level_are_dropped_and_copied_all_the_same() {
    let writer = Writer::new(|launch| launch.log_level(LevelFilter::WARN)).await;
    let (lines, copied) = writer.write(MIXED).await;
    assert_eq!(levels(&lines), [(Level::WARN, "high"), (Level::ERROR, "[ERROR] high")]);
    assert_eq!(copied, MIXED.as_bytes());
}

// H86
#[tokio::test]
async fn a_logger_that_is_off_logs_nothing_and_the_copy_is_complete() {
    let writer = Writer::new(|launch| launch.log_level(LevelFilter::OFF)).await;
    let (lines, copied) = writer.write(MIXED).await;
    assert_eq!(levels(&lines), []);
    assert_eq!(copied, MIXED.as_bytes());
}

// Defects 4 and 11 of go-plugin's host: it panics at the first three, and knows only the last one.
// H87, H91, H92
#[tokio::test]
async fn json_of_any_other_kind_is_logged_as_it_is_and_harms_nobody() {
    let odd = [
        r#"{"@level":"info","@message":7}"#,
        r#"{"@level":{"x":1},"@message":"m"}"#,
        r#"{"@level":"info","@message":"m","@timestamp":true}"#,
        "[1,2]",
        "7",
        "null",
        "\"text\"",
        r#"{"x":1}"#,
    ];
    let good = [
        r#"{"@level":"info","@message":"m","@timestamp":"2024-01-02T03:04:05Z"}"#,
        r#"{"@level":"info","@message":"m","@timestamp":"2024-01-02T03:04:05.123Z"}"#,
        r#"{"@level":"info","@message":"m","@timestamp":"2024-01-02T03:04:05.123456789Z"}"#,
        r#"{"level":"INFO","msg":"m","time":"2024-01-02T03:04:05Z"}"#,
        r#"{"@level":"info","@message":"m","@timestamp":"2024-01-02T03:04:05.123456Z"}"#,
    ];
    let writer = Writer::new(|launch| launch).await;
    let (lines, _) = writer.write([&odd[..], &good].concat().join("\n") + "\n").await;
    let verbatim = odd.map(|line| (Level::DEBUG, line));
    assert_eq!(levels(&lines), [&verbatim[..], &[(Level::INFO, "m"); 5]].concat());
}

// H88
#[tokio::test]
async fn text_is_logged_at_the_level_of_its_prefix() {
    let text = "[TRACE] a\n[DEBUG] b\n[INFO] c\n[WARN] d\n[ERROR] e\n[INFO ] f\ng\n";
    let writer = Writer::new(|launch| launch).await;
    let (lines, _) = writer.write(text).await;
    let expected = [
        (Level::TRACE, "[TRACE] a"),
        (Level::DEBUG, "[DEBUG] b"),
        (Level::INFO, "[INFO] c"),
        (Level::WARN, "[WARN] d"),
        (Level::ERROR, "[ERROR] e"),
        (Level::DEBUG, "[INFO ] f"),
        (Level::DEBUG, "g"),
    ];
    assert_eq!(levels(&lines), expected);
}

// H89
#[tokio::test]
async fn an_over_long_line_comes_in_pieces_and_the_copy_is_identical() {
    let long = format!("{{\"@level\":\"error\",\"@message\":\"{}\"}}", "x".repeat(150_000));
    let text = format!("[WARN] before\n{long}\n[WARN] after\n");
    let writer = Writer::new(|launch| launch).await;
    let (lines, copied) = writer.write(&text).await;
    assert_eq!(copied, text.as_bytes());
    let [before, pieces @ .., after] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (before.level, after.level, after.text.as_str()),
        (Level::WARN, Level::WARN, "[WARN] after")
    );
    assert_eq!(pieces.len(), 3);
    assert!(pieces.iter().all(|piece| piece.level == Level::DEBUG));
    assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), long);
}

// H90
#[tokio::test]
async fn a_panic_and_its_stack_are_errors_up_to_the_next_json_line() {
    for start in ["panic: assignment to entry in nil map", "fatal error: all goroutines are asleep"]
    {
        let stack: Vec<String> = (0..12).map(|n| format!("\t/src/main.go:{n} +0x1d")).collect();
        let text = format!(
            "{start}\n\ngoroutine 1 [running]:\n{}\n{{\"@level\":\"info\",\"@message\":\"on\"}}\nplain\n",
            stack.join("\n")
        );
        let writer = Writer::new(|launch| launch).await;
        let (lines, _) = writer.write(text).await;
        let [report @ .., on, plain] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((report.len(), report[0].text.as_str()), (3 + 12, start));
        assert!(report.iter().all(|line| line.level == Level::ERROR), "{report:?}");
        assert_eq!((on.level, plain.level), (Level::INFO, Level::DEBUG));
    }
}

// H93, H94, H95
#[tokio::test]
async fn the_copy_has_every_byte_and_the_log_every_line() {
    let bytes = b"HELLO\nWORLD\nnul \0 and \xff\xfe bytes\r\nlast without end";
    let writer = Writer::new(|launch| launch).await;
    let (lines, copied) = writer.write(bytes).await;
    assert_eq!(copied, bytes);
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    let bad = "nul \\u{0} and \u{fffd}\u{fffd} bytes";
    assert_eq!(texts, ["HELLO", "WORLD", bad, "last without end"]);
}
