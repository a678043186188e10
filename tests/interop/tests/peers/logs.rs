//! What Go plugins log, in wharf's host.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use wharf_interop::{Calls, Library, Program, World};

use crate::support::{Taken, lines_until, stop, until};

const LEVELS: [(&str, Level); 5] = [
    ("trace", Level::TRACE),
    ("debug", Level::DEBUG),
    ("info", Level::INFO),
    ("warn", Level::WARN),
    ("error", Level::ERROR),
];

// H85, H92
#[tokio::test]
async fn lines_of_go_plugins_keep_level_message_and_fields() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).log_name("tests").start().await.unwrap();
        let mut lines = process.logs();
        let calls = Calls::new(&process);
        for (word, level) in LEVELS {
            let message = format!("a line at {word}");
            let fields = [("colour", "blue"), ("quote", "a \"b\"\nc")];
            calls.log(word, &message, &fields).await.unwrap();
            let all = lines_until(&mut lines, |line| line.text == message).await;
            let line = all.last().unwrap();
            assert_eq!((line.level, &*line.logger), (level, "tests.go-plugin"));
            assert_eq!(line.fields["colour"], "blue");
            assert!(line.fields["quote"].as_str().unwrap().contains("\"b\""), "{line:?}");
            assert_eq!(line.fields["@module"], "interop");
            assert!(line.fields.contains_key("timestamp"), "{line:?}");
        }
        stop(&process).await;
        world.finish();
    }
}

// H86, H93
#[tokio::test]
async fn lines_below_the_level_are_dropped_and_the_raw_copy_is_whole() {
    let Some(go) = Program::go(Library::Current) else { return };
    for level in [LevelFilter::WARN, LevelFilter::OFF] {
        let world = World::new();
        let raw = Taken::default();
        let launch = world.launch(&go).log_level(level).raw_stderr(raw.clone());
        let process = launch.start().await.unwrap();
        let mut lines = process.logs();
        for (word, _level) in LEVELS {
            Calls::new(&process).log(word, &format!("a line at {word}"), &[]).await.unwrap();
        }
        until("the raw copy is whole", || {
            String::from_utf8_lossy(&raw.bytes()).contains("a line at error")
        })
        .await;
        if level == LevelFilter::WARN {
            let all = lines_until(&mut lines, |line| line.text == "a line at error").await;
            let texts: Vec<&str> = all.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, ["a line at warn", "a line at error"]);
        }
        stop(&process).await;
        assert!(lines.try_recv().is_err(), "nothing else was logged");
        let raw = String::from_utf8(raw.bytes()).unwrap();
        for (word, _level) in LEVELS {
            assert!(raw.contains(&format!("a line at {word}")), "{raw}");
        }
        assert!(raw.lines().all(|line| line.starts_with('{')), "{raw}");
        world.finish();
    }
}

// H90, H109
#[tokio::test]
async fn a_panic_of_a_go_plugin_is_an_error_with_its_stack() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).start().await.unwrap();
        let mut lines = process.logs();
        let status = Calls::new(&process).panic("out of cheese").await.unwrap_err();
        let codes = [tonic::Code::Unavailable, tonic::Code::Unknown];
        assert!(codes.contains(&status.code()), "{status}");
        let exit = process.wait().await;
        assert_eq!((exit.code, exit.by_host), (Some(2), None));
        assert!(exit.is_crash());
        let mut errors = Vec::new();
        while let Ok(line) = lines.try_recv() {
            if line.level == Level::ERROR {
                errors.push(line.text);
            }
        }
        assert!(errors[0].starts_with("panic: out of cheese"), "{errors:#?}");
        assert!(errors.len() > 4, "the stack is there too: {errors:#?}");
        let tail = process.stderr_tail().join("\n");
        assert!(tail.contains("out of cheese") || tail.contains("goroutine"), "{tail}");
        assert!(exit.stderr.join("\n").contains("goroutine"), "{exit:?}");
        process.stop().await;
        world.finish();
    }
}
