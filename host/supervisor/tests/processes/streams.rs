//! Where a plugin's streams lead.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tracing::Level;
use wharf_supervisor::{Process, Stdin};

use crate::fake::{self, ask, print};
use crate::support::{Home, says, within};

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

// H39, F63
#[tokio::test]
async fn standard_input_is_the_hosts_own_if_so_wished() {
    let home = Home::new();
    let (read, write) = rustix::pipe::pipe().unwrap();
    // Every other test's plugins have an empty standard input.
    rustix::stdio::dup2_stdin(read).unwrap();
    std::fs::File::from(write).write_all(b"hello\n").unwrap();
    let process = fake::launch(&home, &[]).stdin(Stdin::Inherit).start().await.unwrap();
    assert_eq!(within(ask(&process, "stdin")).await.unwrap(), "hello");
    let process = fake::start(&home, &[]).await;
    assert_eq!(within(ask(&process, "stdin")).await.unwrap(), "");
}

async fn read(reader: &mut DuplexStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    within(reader.read_exact(&mut read)).await.unwrap();
    read
}

async fn synced(home: &Home) -> (Process, DuplexStream, DuplexStream) {
    let ((stdout, out), (stderr, err)) = (duplex(64), duplex(64));
    let launch = fake::launch(home, &[]).sync_stdout(stdout).sync_stderr(stderr);
    (launch.start().await.unwrap(), out, err)
}

// H96, H97
#[tokio::test]
async fn what_is_printed_arrives_byte_by_byte_and_in_order() {
    let home = Home::new();
    let (process, mut out, mut err) = synced(&home).await;
    let mut logs = process.logs();
    let (one, two): (Vec<u8>, Vec<u8>) =
        (0..5_000_u32).map(|n| (n.to_le_bytes()[0], n.to_be_bytes()[3] ^ 0xff)).unzip();
    let ((), (), got_one, got_two) = tokio::join!(
        print(&process, STDOUT, one.clone()),
        print(&process, STDERR, two.clone()),
        read(&mut out, 5_000),
        read(&mut err, 5_000),
    );
    assert!(got_one == one && got_two == two);
    // Who takes the bytes does not find them in the log.
    assert!(logs.try_recv().is_err());
    process.stop().await;
    assert_eq!((out.read(&mut [0]).await.unwrap(), err.read(&mut [0]).await.unwrap()), (0, 0));
}

// H98
#[tokio::test]
async fn output_that_nobody_wants_is_drained_all_the_same() {
    let home = Home::new();
    let process = fake::start(&home, &[]).await;
    for _megabyte in 0..10 {
        within(print(&process, STDOUT, vec![b'x'; 1 << 20])).await;
    }
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
}

// H98
#[tokio::test]
async fn a_writer_that_is_gone_holds_nobody_up() {
    let home = Home::new();
    let (process, out, _err) = synced(&home).await;
    let mut logs = process.logs();
    drop(out);
    within(print(&process, STDOUT, vec![b'x'; 1 << 20])).await;
    let line = within(logs.recv()).await.unwrap();
    assert_eq!(line.level, Level::WARN);
    assert!(line.text.contains("ends early"), "{line:?}");
}

// H100
#[tokio::test]
async fn an_unknown_channel_is_dropped_with_one_warning() {
    let home = Home::new();
    let (process, mut out, _err) = synced(&home).await;
    let mut logs = process.logs();
    for _twice in 0..2 {
        print(&process, 7, b"lost".to_vec()).await;
    }
    print(&process, STDOUT, b"kept".to_vec()).await;
    assert_eq!(read(&mut out, 4).await, b"kept");
    let line = within(logs.recv()).await.unwrap();
    assert_eq!(line.level, Level::WARN);
    assert!(line.text.contains("unknown channel 7"), "{line:?}");
    assert!(logs.try_recv().is_err());
}

// Defect 19 of the protocol's list: a library that prints a banner.
#[tokio::test]
async fn a_banner_is_passed_over_if_so_wished() {
    let home = Home::new();
    let process = fake::launch(&home, &["banner=3"]).skip_lines(3).start().await.unwrap();
    assert_eq!(ask(&process, "version").await.unwrap(), "2");
    for lines in [0, 2] {
        let launch = fake::launch(&home, &["banner=3"]).skip_lines(lines);
        let banner = format!("banner {lines}");
        drop(process.clone());
        let error = launch.start().await.unwrap_err();
        says(&error, "handshake", &[&banner, "reserved for the handshake"]);
    }
    // What looks like a handshake is taken as one.
    let wrong = home.script("echo '2|1|unix|/s|grpc|'; exec sleep 600");
    let error = home.launch(wrong).skip_lines(9).start().await.unwrap_err();
    says(&error, "handshake", &["core protocol version 2"]);
}

/// All that is said through `tracing`, at every level.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// H61
#[tokio::test]
async fn no_certificate_and_no_cookie_is_ever_logged() {
    let home = Home::new();
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let launch = fake::launch(&home, &[]).cookie("COOKIE", "the-cookies-value");
    let process = launch.start().await.unwrap();
    let pem = ask(&process, "env PLUGIN_CLIENT_CERT").await.unwrap();
    assert_eq!(ask(&process, "env COOKIE").await.unwrap(), "the-cookies-value");
    process.stop().await;
    let garbage =
        home.script("echo \"1|1|unix|/s|grpc|$(printf 'QUFB%.0s' $(seq 100))\"; sleep 600");
    home.fail_with(home.launch(garbage)).await;
    let said = String::from_utf8_lossy(&said.0.lock().unwrap()).into_owned();
    assert!(!said.is_empty());
    let middle = pem.lines().nth(2).unwrap();
    for secret in ["the-cookies-value", "BEGIN", "PRIVATE", middle, "QUFBQUFB"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

// H99
#[tokio::test]
async fn what_was_printed_before_the_end_is_read_to_its_end() {
    let home = Home::new();
    let (process, mut out, _err) = synced(&home).await;
    print(&process, STDOUT, vec![b'x'; 10_000]).await;
    // It has left the plugin, and the writer has taken next to nothing.
    ask(&process, "version").await.unwrap();
    let mut got = Vec::new();
    let (stopped, read) =
        within(async { tokio::join!(process.stop(), out.read_to_end(&mut got)) }).await;
    assert_eq!((stopped.exit.code, read.unwrap()), (Some(0), 10_000));
}

// H98
#[tokio::test]
async fn a_stop_does_not_wait_for_a_writer_that_stands_still() {
    let home = Home::new();
    let (process, _out, _err) = synced(&home).await;
    print(&process, STDOUT, vec![b'x'; 10_000]).await;
    let stopped = within(process.stop()).await;
    assert!(stopped.took < Duration::from_secs(4), "{stopped:?}");
}
