//! Forms from outside: who may send them, and what no form may do. Good ones are in `tests/`, with real clients.

use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpStream;
use wharf_server::{Config, Server};

use crate::support::{Answer, Host, config, exchange};

const FORM: &str = "multipart/form-data; boundary=XX";

async fn token(host: &Host) -> String {
    let made = host.api("POST", "/api/v1/repositories", r#"{"name": "r"}"#).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let body = r#"{"name": "ci", "upload": ["r"]}"#;
    let made: Value = host.api("POST", "/api/v1/tokens", body).await.json();
    made["secret"].as_str().unwrap().to_owned()
}

async fn send(host: &Host, secret: &str, body: &str) -> Answer {
    let stream = TcpStream::connect(host.address()).await.unwrap();
    let authorization = format!("Bearer {secret}");
    let headers = [("authorization", authorization.as_str()), ("content-type", FORM)];
    exchange(stream, "POST", "/upload/r/", &headers, body).await
}

#[tokio::test]
async fn strangers_and_other_methods_are_refused_with_a_reason() {
    let host = Host::start().await;
    let secret = token(&host).await;
    let answer = host.tcp("POST", "/upload/r/", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").starts_with("Basic realm="));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let answer = host.tcp("GET", "/upload/r/", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    let answer = send(&host, "wrong", "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let wanted = send(&host, &secret, "--XX--\r\n").await;
    assert_eq!(wanted.status, StatusCode::BAD_REQUEST, "{wanted:?}");
    let list = host.api("GET", "/api/v1/tokens", "").await;
    assert!(!list.text().contains(&secret));
    host.end().await;
}

#[tokio::test]
async fn a_form_without_end_or_measure_is_refused() {
    let host = Host::start().await;
    let secret = token(&host).await;
    let head = "--XX\r\nContent-Disposition: form-data; name=\"";
    let endless = format!("{head}{}", "a".repeat(4 << 20));
    let answer = send(&host, &secret, &endless).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("too long"), "{answer:?}");
    let long = format!("{head}a\"\r\n\r\n{}\r\n--XX--\r\n", "a".repeat(1 << 20));
    assert_eq!(send(&host, &secret, &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let part = format!("{head}a\"\r\n\r\n1\r\n");
    let many = format!("{}--XX--\r\n", part.repeat(2_001));
    assert_eq!(send(&host, &secret, &many).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let cut = send(&host, &secret, &part).await;
    assert_eq!(cut.status, StatusCode::BAD_REQUEST, "{cut:?}");
    host.end().await;
}

#[tokio::test]
async fn no_form_is_taken_in_the_clear_from_other_machines() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { listen: Some("0.0.0.0:0".parse().unwrap()), ..config(&folder) };
    let server = Server::start(config).await.unwrap();
    let port = server.content_address().unwrap().port();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let answer = exchange(stream, "POST", "/upload/r/", &[("authorization", "Bearer x")], "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("TLS"), "{answer:?}");
    server.shutdown().await;
}
