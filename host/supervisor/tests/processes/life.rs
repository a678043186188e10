//! A process that serves: what it sees, what it writes, how it ends.

use std::fs::{File, read_link};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};
use tracing::Level;
use wharf_proto::v1::DescribeRequest;
use wharf_supervisor::{Bounds, ByHost, Process, StopStep, calls};

use crate::support::{Home, LONG, is_alive, stand_still, sync, until, within};

async fn features(process: &Process) -> Vec<String> {
    let bounds = Bounds::new(LONG);
    calls::describe(process, DescribeRequest::default(), &bounds).await.unwrap().features
}

fn send(process: &Process, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(process.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

// F26, H35
#[tokio::test]
async fn a_plugin_sees_only_allowed_variables() {
    let home = Home::new();
    let launch = home.launch(crate::support::plugin());
    let process = launch.set_env("GIVEN", "x").start().await.unwrap();
    let names: Vec<String> = features(&process).await;
    let names: Vec<&str> = names.iter().filter_map(|line| line.strip_prefix("env ")).collect();
    for name in &names {
        let known = ["GIVEN", "HOME", "LANG", "PATH", "TMPDIR", "TZ", "WHARF_PLUGIN"];
        let known = known.contains(name) || name.starts_with("LC_") || name.starts_with("PLUGIN_");
        assert!(known, "{name}");
    }
    assert!(names.contains(&"GIVEN") && names.contains(&"PLUGIN_CLIENT_CERT"));
    assert!(!names.contains(&"PLUGIN_MULTIPLEX_GRPC"));
}

// F27
#[tokio::test]
async fn a_plugin_inherits_no_file_but_its_three() {
    let home = Home::new();
    let leaked = home.path().join("leaked");
    let file = File::create(&leaked).unwrap();
    let socket = UnixListener::bind(home.path().join("leaked.sock")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut own = Vec::new();
    for leak in [file.as_fd(), socket.as_fd(), reader.as_fd(), writer.as_fd()] {
        fcntl_setfd(leak, FdFlags::empty()).unwrap();
        let link = format!("/proc/self/fd/{}", leak.as_raw_fd());
        // With its number: `socket:[4711]`.
        own.push(read_link(link).unwrap().display().to_string());
    }
    let process = home.start(&[]).await;
    let files = features(&process).await;
    let files: Vec<_> = files.iter().filter_map(|line| line.strip_prefix("fd ")).collect();
    assert!(files.contains(&"0 /dev/null"), "{files:?}");
    let leaked = |line: &&&str| own.iter().any(|own| line.ends_with(own));
    assert_eq!(files.iter().find(leaked), None, "{own:?}");
    // Besides the three: what the plugin itself opened since.
    let foreign = |line: &&&str| {
        !["anon_inode:", "socket:", "/proc/", "/dev/null", "pipe:"]
            .iter()
            .any(|own| line.contains(own))
    };
    assert_eq!(files.iter().find(foreign), None);
    drop((file, socket, reader, writer));
}

// F63, H39
#[tokio::test]
async fn standard_input_is_empty() {
    let home = Home::new();
    let error = home.fail("echo \"stdin had $(wc -c) bytes\" >&2; exit 3").await;
    assert!(error.stderr().iter().any(|line| line == "stdin had 0 bytes"), "{error}");
}

// F61, F62, H29, H98
#[tokio::test]
async fn noise_is_drained_cut_capped_and_harmless() {
    let home = Home::new();
    let process = home.start(&["noisy"]).await;
    let mut logs = process.logs();
    let mut flood: Vec<u8> =
        (0..20_000).flat_map(|n| format!("[INFO] noise {n}\n").into_bytes()).collect();
    flood.extend(b"\x1b[31mred \xff\xfe\n");
    flood.extend(vec![b'x'; 1 << 20]);
    let file = home.file("flood", flood);
    sync(&process, &format!("write:{}", file.display()), LONG).await.unwrap();
    let dropped = async {
        loop {
            match logs.recv().await {
                Ok(line) if line.text.starts_with("dropped ") => return line,
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    assert_eq!(within(dropped).await.level, Level::WARN);
    process.stop().await;
    let tail = process.stderr_tail();
    assert_eq!(tail.len(), 20);
    assert!(tail.iter().any(|line| line.contains("\\u{1b}[31mred \u{fffd}")), "{tail:?}");
    assert!(tail.iter().all(|line| line.len() < 3_000 && !line.contains('\u{1b}')));
}

// H96
#[tokio::test]
async fn what_the_plugins_code_prints_is_logged() {
    let home = Home::new();
    let process = home.start(&[]).await;
    // On this runtime of one thread nothing has been read yet.
    let mut logs = process.logs();
    let line = within(logs.recv()).await.unwrap();
    assert_eq!((line.level, line.text.as_str()), (Level::INFO, "[INFO] printed by the plugin"));
    assert!(process.stderr_tail().is_empty());
}

// F50, F48
#[tokio::test]
async fn a_stopped_process_misses_its_heartbeat_and_is_killed() {
    let home = Home::new();
    let launch = home.launch(crate::support::plugin());
    let patience = Duration::from_millis(300);
    let process = launch.heartbeat(Duration::from_millis(50), patience).start().await.unwrap();
    let neighbour = home.start(&[]).await;
    send(&process, Signal::STOP);
    let exit = within(process.wait()).await;
    assert_eq!(exit.signal, Some(9));
    assert!(matches!(exit.by_host, Some(ByHost::Unresponsive { .. })), "{exit}");
    assert!(exit.is_crash());
    neighbour.ping(LONG).await.unwrap();
}

// F38, F50
#[tokio::test]
async fn a_process_whose_connection_fails_for_good_gives_no_sign_of_life() {
    let home = Home::new();
    let launch = home.launch(crate::support::plugin());
    let (every, patience) = (Duration::from_millis(20), Duration::from_millis(300));
    let process = launch.heartbeat(every, patience).start().await.unwrap();
    sync(&process, "cut", LONG).await.unwrap_err();
    let exit = within(process.wait()).await;
    assert!(matches!(exit.by_host, Some(ByHost::Unresponsive { after }) if after >= patience));
    home.nothing_is_left().await;
}

// H52
#[tokio::test]
async fn a_ping_has_a_deadline() {
    let home = Home::new();
    let process = home.start(&[]).await;
    stand_still(process.pid()).await;
    let error = process.ping(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.code(), "unresponsive");
    process.kill();
    assert_eq!(within(process.wait()).await.by_host, Some(ByHost::Killed));
    assert_eq!(process.ping(LONG).await.unwrap_err().code(), "crashed");
}

// F52, H101, H103, H105
#[tokio::test]
async fn the_ladder_ends_at_the_step_that_works() {
    let home = Home::new();
    let short = Duration::from_millis(300);
    for (args, step, code, signal) in [
        (&[][..], StopStep::Shutdown, Some(0), None),
        (&["deaf"][..], StopStep::Terminate, Some(143), None),
        (&["stubborn"][..], StopStep::Kill, None, Some(9)),
    ] {
        let launch = home.launch(crate::support::plugin()).args(args.iter().copied());
        let grace = if step == StopStep::Shutdown { LONG } else { short };
        let process = launch.stop_times(grace, short).start().await.unwrap();
        let stopped = within(process.stop()).await;
        assert_eq!(stopped.step, step);
        assert_eq!((stopped.exit.code, stopped.exit.signal), (code, signal), "{args:?}");
        assert_eq!(stopped.exit.by_host, Some(ByHost::Stopped));
        home.nothing_is_left_within(Duration::ZERO).await;
    }
}

// H102
#[tokio::test]
async fn stopping_twice_or_after_the_end_is_harmless() {
    let home = Home::new();
    let process = home.start(&[]).await;
    let (one, two) = tokio::join!(process.stop(), process.stop());
    assert_eq!((one.step, one), (StopStep::Shutdown, two));
    let process = home.start(&[]).await;
    process.kill();
    within(process.wait()).await;
    assert_eq!(within(process.stop()).await.step, StopStep::AlreadyEnded);
}

// F53
#[tokio::test]
async fn an_end_by_itself_is_noticed_at_once_with_its_status() {
    let home = Home::new();
    let process = home.start(&[]).await;
    send(&process, Signal::TERM);
    let exit = within(process.wait()).await;
    assert_eq!((exit.code, exit.by_host), (Some(143), None));
    assert_eq!(process.exited(), Some(exit));
    home.nothing_is_left().await;
}

// H112
#[tokio::test]
async fn the_last_handle_takes_the_process_along() {
    let home = Home::new();
    let process = home.start(&["stubborn"]).await;
    let pid = process.pid();
    let second = process.clone();
    drop(process);
    second.ping(LONG).await.unwrap();
    drop(second);
    until(LONG, || (!is_alive(pid)).then_some(()).ok_or("alive".to_owned())).await;
    home.nothing_is_left().await;
}
