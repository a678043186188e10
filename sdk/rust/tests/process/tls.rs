//! Mutual TLS: who is let in, and what the plugin shows.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Blocking;
use std::sync::Arc;

use rcgen::{CertificateParams, IsCa, KeyPair, SignatureAlgorithm};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore};
use tonic::transport::Channel;
use wharf_peer::Security;
use wharf_proto::tls::{Identity, client_config, server_config, server_name};

use crate::child::{DEADLINE, Plugin, Start, channel, soon};
use crate::services::echo;

const GOOD: &str = "hello at version 1";

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Trusts the plugin's certificate by the stock rules.
fn roots(plugin: &Plugin) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(plugin.handshake().certificate.unwrap().into()).unwrap();
    Arc::new(roots)
}

/// Dials with a configuration of its own. Some refusals show only at the first call.
async fn dial(plugin: &Plugin, client: Arc<ClientConfig>) -> Result<Channel, std::io::Error> {
    let unused = Identity::generate().unwrap();
    let server = server_config(&unused, unused.der()).unwrap();
    let security = Security { client, server };
    let connected = plugin.socket().await.into_client(Some(&security));
    let lost = async || Err(std::io::Error::other("the test has only one connection"));
    wharf_peer::channel(soon(connected).await?, move || Box::pin(lost()))
        .await
        .map_err(std::io::Error::other)
}

async fn is_refused(plugin: &Plugin, client: Arc<ClientConfig>) -> bool {
    match dial(plugin, client).await {
        Ok(channel) => echo(channel).await.is_err(),
        Err(_refused) => true,
    }
}

// P28
#[test]
fn the_certificate_is_unpadded_and_good_for_localhost_in_both_roles() {
    let plugin = Start::probe(&[]).tls().run();
    let field = plugin.line.trim_end().rsplit('|').next().unwrap();
    assert!(field.len() > 50 && !field.contains(['=', '-', '_']), "{field}");
    let certificate = CertificateDer::from(plugin.handshake().certificate.unwrap());
    let (roots, now) = (roots(&plugin), UnixTime::now());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider());
    let client = builder.build().unwrap();
    client.verify_server_cert(&certificate, &[], &server_name(), &[], now).unwrap();
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    builder.build().unwrap().verify_client_cert(&certificate, &[], now).unwrap();
}

// P34
#[test]
fn every_start_makes_a_new_key_and_tells_it_nobody() {
    let mut first = Start::probe(&["trace"]).tls().run();
    let second = Start::probe(&["trace"]).tls().run();
    assert_ne!(first.handshake().certificate, second.handshake().certificate);
    let names: Vec<_> = std::fs::read_dir(first.folder()).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "nothing but the socket: {names:?}");
    first.signal(rustix::process::Signal::TERM);
    let (_, _, log) = first.wait();
    assert!(!log.contains("PRIVATE") && !log.contains("BEGIN"), "{log}");
}

// P29, P50
#[tokio::test]
async fn callers_without_the_right_certificate_are_refused_and_the_host_is_served() {
    let mut plugin = Start::probe(&[]).tls().run();
    // Nobody reads standard error any more: complaints about the callers must not end the plugin.
    drop(plugin.stderr.take());
    let certificate = plugin.handshake().certificate.unwrap();
    assert!(echo(channel(plugin.socket().await).await).await.is_err(), "in clear");
    let stranger = Identity::generate().unwrap();
    let stranger = client_config(&stranger, &certificate).unwrap();
    assert!(is_refused(&plugin, stranger).await, "another certificate");
    assert!(is_refused(&plugin, with_wrong_key(&plugin)).await, "another key");
    let nobody = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots(&plugin))
        .with_no_client_auth();
    assert!(is_refused(&plugin, Arc::new(nobody)).await, "no certificate");
    assert_eq!(echo(plugin.channel().await).await.unwrap(), GOOD);
    assert!(plugin.is_running());
}

/// Shows the host's certificate without having its key.
fn with_wrong_key(plugin: &Plugin) -> Arc<ClientConfig> {
    let shown = CertificateDer::from(plugin.identity().der().to_vec());
    let key = KeyPair::generate().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    let shown = rustls::sign::CertifiedKey::new(vec![shown], key);
    let resolver = rustls::sign::SingleCertAndKey::from(shown);
    let mut config = (*plugin.security().unwrap().client).clone();
    config.client_auth_cert_resolver = Arc::new(resolver);
    Arc::new(config)
}

/// A host with this certificate and key is served.
async fn is_served_with(certificate: &CertificateDer<'_>, pem: &str, key: PrivateKeyDer<'static>) {
    let plugin = Start::probe(&[]).with("PLUGIN_CLIENT_CERT", pem).run();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots(&plugin))
        .with_client_auth_cert(vec![certificate.clone().into_owned()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let channel = dial(&plugin, Arc::new(config)).await.unwrap();
    assert_eq!(echo(channel).await.unwrap(), GOOD);
}

fn signed_with(algorithm: &'static SignatureAlgorithm, ca: bool) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let constraint = rcgen::BasicConstraints::Unconstrained;
    parameters.is_ca = if ca { IsCa::Ca(constraint) } else { IsCa::ExplicitNoCa };
    (parameters.self_signed(&key).unwrap(), key)
}

// P30
#[tokio::test]
async fn host_certificates_of_every_kind_are_accepted() {
    let kinds =
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    for (kind, ca) in kinds.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
        let (certificate, key) = signed_with(kind, ca);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        is_served_with(certificate.der(), &certificate.pem(), key).await;
    }
    let rsa = include_str!("data/rsa-2048.pem");
    let certificate = CertificateDer::from_pem_slice(rsa.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(rsa.as_bytes()).unwrap();
    is_served_with(&certificate, rsa, key).await;
}

// P31
#[tokio::test]
async fn a_host_that_offers_no_alpn_is_served() {
    let plugin = Start::probe(&[]).tls().run();
    let mut config = (*plugin.security().unwrap().client).clone();
    config.alpn_protocols = Vec::new();
    assert_eq!(echo(dial(&plugin, Arc::new(config)).await.unwrap()).await.unwrap(), GOOD);
}

/// A greeting that knows nothing newer than TLS 1.2: a record with a `ClientHello`. Source: RFC 5246, 7.4.1.2.
fn greeting_of_tls_1_2() -> Vec<u8> {
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..], // supported_groups: secp256r1
        &[0, 13, 0, 4, 0, 2, 4, 3][..],  // signature_algorithms: ecdsa_secp256r1_sha256
        &[0, 11, 0, 2, 1, 0][..],        // ec_point_formats: uncompressed
    ]
    .concat();
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    // No session, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no compression.
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend(length.to_be_bytes());
    record.extend(hello);
    record
}

// P31
#[test]
fn a_host_that_speaks_only_tls_1_2_is_refused_and_does_not_hang() {
    let plugin = Start::probe(&[]).tls().run();
    let mut socket = Blocking::connect(plugin.handshake().address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(&greeting_of_tls_1_2()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    // A fatal alert, protocol_version. Source: RFC 8446, 6.2.
    assert_eq!((answer.first(), answer.get(5..7)), (Some(&21), Some(&[2, 70][..])), "{answer:?}");
}

// P32
#[tokio::test]
async fn a_certificate_that_is_none_is_told_at_start_and_of_two_the_first_counts() {
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    let short = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["garbage", empty, short] {
        let said = Start::hello().with("PLUGIN_CLIENT_CERT", text).refused();
        assert!(said.contains("PLUGIN_CLIENT_CERT"), "{said}");
    }
    let (first, key) = signed_with(&rcgen::PKCS_ECDSA_P256_SHA256, false);
    let (second, _) = signed_with(&rcgen::PKCS_ECDSA_P256_SHA256, false);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    is_served_with(first.der(), &(first.pem() + &second.pem()), key).await;
}

// P33
#[tokio::test]
async fn tls_of_the_authors_own_comes_before_the_hosts_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let host = Identity::generate().unwrap();
    std::fs::write(folder.path().join("host.der"), host.der()).unwrap();
    let argument = format!("tls={}", folder.path().display());
    // `tls` sets a certificate that the plugin is to ignore.
    let plugin = Start::probe(&[&argument]).tls().run();
    assert!(plugin.line.ends_with("|grpc|\n"), "{}", plugin.line);
    let shown = std::fs::read(folder.path().join("plugin.der")).unwrap();
    let config = client_config(&host, &shown).unwrap();
    assert_eq!(echo(dial(&plugin, config).await.unwrap()).await.unwrap(), GOOD);
}
