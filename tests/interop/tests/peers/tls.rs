//! wharf's host and TLS: what is agreed on with Go plugins, and who is kept out.

use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tracing::Level;
use wharf_interop::{Calls, Library, Program, Spoken, World};
use wharf_proto::tls::Identity;
use wharf_supervisor::{Security, Tls};

use crate::support::{soon, stop};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

// H54
#[tokio::test]
async fn automatic_tls_with_go_plugins_is_1_3_with_h2() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).start().await.unwrap();
        assert!(process.handshake().tls);
        let about = Calls::new(&process).tell().await.unwrap();
        assert_eq!(about.tls, "0x304 h2");
        assert!(about.environment["PLUGIN_CLIENT_CERT"].contains("BEGIN CERTIFICATE"));
        stop(&process).await;
        world.finish();
    }
}

// H57
#[tokio::test]
async fn others_who_dial_the_socket_are_refused() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let process = world.launch(&go).start().await.unwrap();
        let address = process.handshake().address.clone();
        let config = |it: Option<_>| stranger(it);
        for security in [None, Some(config(None)), Some(config(Some(certificate())))] {
            let got = soon("a stranger's call", answer(&address, security)).await;
            assert!(!speaks_http2(&got), "{got:?}");
        }
        Calls::new(&process).echo().await.unwrap();
        stop(&process).await;
        world.finish();
    }
}

// H59
#[tokio::test]
async fn base64_with_padding_is_taken() {
    let Some(python) = Program::python() else { return };
    let world = World::new();
    let process = world.launch(&python.arg("--padded")).start().await.unwrap();
    Calls::new(&process).echo().await.unwrap();
    stop(&process).await;
    world.finish();
}

// H60
#[tokio::test]
async fn tls_of_the_callers_own_works_and_a_mismatch_fails() {
    for library in Library::ALL {
        let Some(go) = Program::go(library) else { return };
        let world = World::new();
        let (cert, key) = certificate();
        let host = Identity::generate().unwrap();
        let file = |name: &str, text: &str| {
            let path = world.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let plugin = go
            .arg("-cert")
            .arg(file("cert.pem", &cert.pem()))
            .arg("-key")
            .arg(file("key.pem", &key.serialize_pem()))
            .arg("-trust")
            .arg(file("host.pem", host.pem()));
        let security = Security::pinned(&host, cert.der()).unwrap();
        let given = Tls::Given(security);
        let process = world.launch(&plugin).tls(given.clone()).start().await.unwrap();
        let calls = Calls::new(&process);
        calls.echo().await.unwrap();
        calls.offer().await.unwrap();
        if library == Library::Current {
            calls.call_back().await.unwrap();
        }
        assert_eq!(calls.tell().await.unwrap().environment.get("PLUGIN_CLIENT_CERT"), None);
        stop(&process).await;
        // wharf asks for health before it calls a start done, so a mismatch shows there.
        let error = world.launch(&plugin).tls(Tls::Off).start().await.unwrap_err();
        assert_eq!(error.code(), "handshake", "{error}");
        let error = world.launch(&plugin).tls(Tls::Auto).start().await.unwrap_err();
        assert_eq!(error.code(), "handshake", "{error}");
        world.finish();
    }
}

// H61
#[tokio::test]
async fn no_secret_is_logged_at_any_level() {
    let Some(go) = Program::go(Library::Current) else { return };
    let world = World::new();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let process = world.launch(&go).start().await.unwrap();
    let environment = Calls::new(&process).tell().await.unwrap().environment;
    Calls::new(&process).call_back().await.unwrap();
    stop(&process).await;
    drop(guard);
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("plugin address"), "nothing was logged: {text}");
    let certificate: String = environment["PLUGIN_CLIENT_CERT"].lines().skip(1).take(1).collect();
    for secret in ["PRIVATE KEY", wharf_interop::COOKIE.1, certificate.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    world.finish();
}

// P5
#[test]
fn lines_of_all_plugins_without_a_certificate_have_an_empty_field() {
    for plugin in [Program::go(Library::Current), Some(Program::wharf())].into_iter().flatten() {
        let world = World::new();
        let spoken = Spoken::start(&world, &plugin, &[]);
        let fields = spoken.fields();
        assert_eq!(fields.len(), 6, "{}", spoken.line);
        assert_eq!((fields[0], fields[2], fields[4], fields[5]), ("1", "unix", "grpc", ""));
        drop(spoken);
        world.finish_killed();
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn certificate() -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    let cert = params.self_signed(&key).unwrap();
    (cert, key)
}

/// What comes back to whoever says the HTTP/2 preface.
async fn answer(address: &str, security: Option<ClientConfig>) -> Vec<u8> {
    let mut socket = UnixStream::connect(address).await.unwrap();
    let mut got = Vec::new();
    // Refusals come as an end, an alert, or a broken pipe, now or with the first byte.
    let Some(config) = security else {
        if socket.write_all(PREFACE).await.is_ok() {
            socket.read_to_end(&mut got).await.ok();
        }
        return got;
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    if let Ok(mut stream) = connector.connect(name, socket).await
        && stream.write_all(PREFACE).await.is_ok()
    {
        let mut start = [0; 9];
        if stream.read_exact(&mut start).await.is_ok() {
            got.extend(start);
        }
    }
    got
}

/// Whether these bytes begin with HTTP/2's SETTINGS.
fn speaks_http2(bytes: &[u8]) -> bool {
    bytes.get(3) == Some(&4) && bytes.get(5..9) == Some(&[0; 4])
}

/// A client that believes everything, and shows this certificate or none.
fn stranger(own: Option<(rcgen::Certificate, KeyPair)>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible));
    let mut config = match own {
        None => config.with_no_client_auth(),
        Some((cert, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            config.with_client_auth_cert(vec![cert.der().clone()], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ECDSA_NISTP521_SHA512]
    }
}
