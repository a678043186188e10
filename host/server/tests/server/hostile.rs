//! Peers that send too much, too little, too slowly or nothing at all (F142): they are bounded,
//! and others are served meanwhile.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{Host, raw};

// F142
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused() {
    let host = Host::start().await;
    let body = format!(r#"{{"name": "{}"}}"#, "a".repeat(1 << 20));
    let answer = host.api("POST", "/api/v1/repositories", &body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.problem().problem.code, "limit.body");
    host.end().await;
}

// F142
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_cut_off() {
    let host = Host::start().await;
    let stream = TcpStream::connect(host.address()).await.unwrap();
    let mut head = b"GET /health HTTP/1.1\r\n".to_vec();
    head.extend(b"X: ".iter().chain(&vec![b'a'; 200_000]));
    let answer = raw(stream, &head).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let stream = TcpStream::connect(host.address()).await.unwrap();
    let path = "x".repeat(60_000);
    let long = format!("GET /content/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = raw(stream, long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_answered_with_a_refusal() {
    let host = Host::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"hello\r\n\r\n", b"\0\0\0\0\r\n"]
    {
        let stream = TcpStream::connect(host.address()).await.unwrap();
        let answer = raw(stream, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(host.content("/health", &[]).await.status, 200);
    host.end().await;
}

// F142, I4
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_keep_nobody_out() {
    let host = Host::start().await;
    let mut idle = Vec::new();
    for number in 0..600 {
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"GET /health HTTP/1.1\r\nX-Slow").await.unwrap();
        }
        idle.push(stream);
    }
    for _ in 0..5 {
        assert_eq!(host.content("/health", &[]).await.status, 200);
    }
    drop(idle);
    host.end().await;
}

// F120, F142
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_holds_nobody_up() {
    let bytes = vec![7; 30 << 20];
    let host = Host::publishing(&[("large", &bytes)]).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        stream.write_all(b"GET /content/tree/large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stream.read_u8().await.unwrap();
        stalled.push(stream);
    }
    let answer = host.content("/content/tree/large", &[]).await;
    assert!(answer.body == bytes);
    drop(stalled);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_client_does_not_hold_the_servers_end_for_long() {
    let host = Host::publishing(&[("large", &vec![7; 30 << 20])]).await;
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(b"GET /content/tree/large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.read_u8().await.unwrap();
    tokio::time::timeout(Duration::from_secs(15), host.server.shutdown()).await.unwrap();
}
