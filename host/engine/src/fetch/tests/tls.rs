//! Servers whose certificate this machine does not trust.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::task::JoinSet;

use super::Bench;

#[tokio::test]
async fn an_untrusted_certificate_is_refused_with_its_reason_and_not_asked_again() {
    // F114
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/a", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        // Fails in the handshake, when the client refuses.
        let refused = stream.read(&mut [0; 16]).is_err();
        drop(stream.flush());
        refused
    });
    let bench = Bench::new();
    let error = bench.fail(&bench.request(&[&url])).await;
    if error.code() == "config.tls" {
        // A machine without any trusted certificate cannot come so far; it says so.
        server.abort_all();
        drop(std::net::TcpStream::connect(
            url.trim_start_matches("https://").trim_end_matches("/a"),
        ));
        return;
    }
    assert_eq!(error.code(), "source.tls", "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(!error.retryable());
    assert!(server.join_next().await.unwrap().unwrap(), "the server saw no refusal");
}
