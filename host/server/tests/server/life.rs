//! A server's life: alone in its folder, found, shared, gone without a trace.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wharf_server::api::types::{Job, Status};
use wharf_server::{Error, Record};

use super::support::{DEADLINE, Host, config, data, exchange, start, with_a_job};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_server_and_says_which() {
    let host = Host::start().await;
    let Err(Error::Locked { pid, socket, .. }) = start(&host.folder, true).await else {
        panic!("two servers have one folder");
    };
    assert_eq!(pid, Some(std::process::id()));
    let record = Record::read(host.server.data()).unwrap().unwrap();
    assert_eq!((record.pid, &record.socket), (std::process::id(), &socket));
    assert_eq!(record.content, Some(format!("http://{}", host.address())));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(host.server.data()), 0o700);
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(&host.server.data().join("server.json")), 0o600);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_leaves_nothing_behind_and_another_may_follow() {
    let Host { folder, server } = Host::start().await;
    let address = server.content_address().unwrap();
    server.shutdown().await;
    assert!(!data(&folder).join("server.json").exists());
    assert!(!data(&folder).join("api.sock").exists());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let host = Host::on(folder).await;
    assert_eq!(host.api("GET", "/api/v1/status", "").await.status, 200);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_server_ends_its_connections_and_frees_the_folder() {
    let host = Host::start().await;
    let mut stream = host.dial().await;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    drop(host.server);
    let mut rest = Vec::new();
    let closed = stream.read_to_end(&mut rest);
    drop(tokio::time::timeout(DEADLINE, closed).await.unwrap());
    let server = start(&host.folder, false).await.unwrap();
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_lives_below_a_very_long_path() {
    let parent = tempfile::tempdir().unwrap();
    let long = parent.path().join("x".repeat(120));
    fs::create_dir(&long).unwrap();
    let folder = tempfile::tempdir_in(long).unwrap();
    let host = Host::on(folder).await;
    assert_eq!(host.api("GET", "/api/v1/status", "").await.status, 200);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() {
    let host = Host::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = wharf_server::Config { listen: Some(host.address()), ..config(&folder) };
    let Err(Error::Listen { address, .. }) = wharf_server::Server::start(config).await else {
        panic!("one address has two listeners");
    };
    assert_eq!(address, host.address());
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_takes_no_jobs_and_leaves_when_nobody_needs_it() {
    let Host { folder, server } = Host::start().await;
    let asked = async |method: &str, path: &str| {
        let stream = wharf_server::connect(server.data()).await.unwrap();
        exchange(stream, method, path, &[], "").await
    };
    asked("GET", "/api/v1/status").await;
    server.drain();
    assert!(asked("GET", "/api/v1/status").await.json::<Status>().draining);
    let refused = asked("POST", "/api/v1/repositories/a/sync").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem().problem.code, "draining");
    assert_eq!(refused.header("retry-after"), "1");
    // Requests of this very process hold nobody.
    let began = Instant::now();
    tokio::time::timeout(DEADLINE, server.idle()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    server.shutdown().await;
    drop(folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_a_command_does_not_wait_for_jobs_that_it_never_starts() {
    let (folder, job) = with_a_job().await;
    let server = start(&folder, true).await.unwrap();
    let stream = wharf_server::connect(server.data()).await.unwrap();
    let path = format!("/api/v1/jobs/{job}");
    let waiting: Job = exchange(stream, "GET", &path, &[], "").await.json();
    assert!(!waiting.state.is_final());
    server.drain();
    tokio::time::timeout(DEADLINE, server.idle()).await.unwrap();
    server.shutdown().await;
}

// F149
#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_ends_with_the_server() {
    let (folder, job) = with_a_job().await;
    let server = start(&folder, true).await.unwrap();
    let mut stream = wharf_server::connect(server.data()).await.unwrap();
    // The answer to the first request shows that the second has been read.
    let requests = format!(
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n\
         GET /api/v1/jobs/{job}?since=0&wait_ms=30000 HTTP/1.1\r\nHost: x\r\n\r\n"
    );
    let began = Instant::now();
    stream.write_all(requests.as_bytes()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    server.shutdown().await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("\"state\":\"queued\""), "{rest}");
    assert!(began.elapsed() < Duration::from_secs(15));
}
