//! Handshakes in memory: who gets in, who does not, and that go-plugin's own certificates do.

#![cfg(test)]

use std::io;
use std::sync::Arc;

use p521::ecdsa::signature::Signer as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, ServerConfig,
    ServerConnection, SignatureAlgorithm, SignatureScheme,
};
use wharf_proto::tls::{
    Error, Identity, certificate_from_pem, client_config, server_config, server_name,
};

/// As go-plugin makes it: P-521, CA, signed with SHA-512. Its key is that of [`go_certified`].
const GO_CERTIFICATE: &str = include_str!("data/goplugin-p521.pem");

#[test]
fn two_identities_that_know_each_other_connect() -> Result<(), rustls::Error> {
    // H54, P19
    let (host, plugin) = (identity(), identity());
    let (client, server) = connect(
        client_config(&host, plugin.der()).unwrap(),
        server_config(&plugin, host.der()).unwrap(),
    )?;
    assert_eq!(client.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(server.server_name(), Some("localhost"));
    assert_eq!(server.peer_certificates().unwrap()[0].as_ref(), host.der());
    Ok(())
}

#[test]
fn a_client_with_another_certificate_is_refused() {
    // H57, P29, F22
    let (host, plugin, stranger) = (identity(), identity(), identity());
    let error = connect(
        client_config(&stranger, plugin.der()).unwrap(),
        server_config(&plugin, host.der()).unwrap(),
    );
    assert!(error.unwrap_err().to_string().contains("not the one exchanged in the handshake"));
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    // H57, P29
    let (host, plugin) = (identity(), identity());
    let client = trusting_client().with_no_client_auth();
    let error = connect(Arc::new(client), server_config(&plugin, host.der()).unwrap());
    assert_eq!(error.unwrap_err(), rustls::Error::NoCertificatesPresented);
}

#[test]
fn a_client_with_the_right_certificate_and_another_key_is_refused() {
    // P29
    let (host, plugin) = (identity(), identity());
    let key = rcgen::KeyPair::generate().unwrap();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let stolen = CertifiedKey::new(
        vec![CertificateDer::from(host.der().to_vec())],
        provider().key_provider.load_private_key(private).unwrap(),
    );
    let client = trusting_client()
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::new(stolen))));
    let error = connect(Arc::new(client), server_config(&plugin, host.der()).unwrap());
    assert!(matches!(error.unwrap_err(), rustls::Error::InvalidCertificate(_)));
}

#[test]
fn a_server_with_another_certificate_is_refused() {
    // H58, F21
    let (host, plugin, stranger) = (identity(), identity(), identity());
    let error = connect(
        client_config(&host, plugin.der()).unwrap(),
        server_config(&stranger, host.der()).unwrap(),
    );
    assert!(error.unwrap_err().to_string().contains("not the one exchanged in the handshake"));
}

#[test]
fn a_go_plugin_is_accepted_by_its_p521_certificate() -> Result<(), rustls::Error> {
    // H54, H55
    let host = identity();
    let go = certificate_from_pem(GO_CERTIFICATE).unwrap();
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(go_certified());
    let (client, _) = connect(client_config(&host, &go).unwrap(), Arc::new(with_h2(server)))?;
    assert_eq!(client.peer_certificates().unwrap()[0].as_ref(), go);
    Ok(())
}

#[test]
fn a_go_host_is_accepted_by_its_p521_certificate() -> Result<(), rustls::Error> {
    // P19, P30
    let plugin = identity();
    let go = certificate_from_pem(GO_CERTIFICATE).unwrap();
    let client = trusting_client().with_client_cert_resolver(go_certified());
    let (_, server) = connect(Arc::new(client), server_config(&plugin, &go).unwrap())?;
    assert_eq!(server.peer_certificates().unwrap()[0].as_ref(), go);
    Ok(())
}

#[test]
fn a_forged_p521_signature_is_refused() {
    let plugin = identity();
    let go = certificate_from_pem(GO_CERTIFICATE).unwrap();
    let forged =
        CertifiedKey::new(vec![CertificateDer::from(go.clone())], Arc::new(P521Key(p521_key(9))));
    let client = trusting_client()
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::new(forged))));
    let error = connect(Arc::new(client), server_config(&plugin, &go).unwrap());
    assert!(matches!(error.unwrap_err(), rustls::Error::InvalidCertificate(_)));
}

#[test]
fn our_certificate_passes_stock_verification() -> Result<(), rustls::Error> {
    // P28: a plugin with plain webpki verification must accept the host's certificate, and the other way round.
    let (host, plugin) = (identity(), identity());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(plugin.der().to_vec()))?;
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    let client = Arc::new(client_with_h2(client));
    connect(client, server_config(&plugin, certificate.der()).unwrap())?;

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(host.der().to_vec()))?;
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .unwrap();
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    let client = client_config(&host, certificate.der()).unwrap();
    connect(client, Arc::new(with_h2(server))).map(drop)
}

#[test]
fn every_identity_is_new_and_shows_no_key() {
    // P34, H61
    let (one, other) = (identity(), identity());
    assert_ne!(one.der(), other.der());
    assert_eq!(certificate_from_pem(one.pem()).unwrap(), one.der());
    assert_eq!(format!("{one:?}"), "Identity { .. }");
    assert!(!one.pem().contains("PRIVATE"));
}

#[test]
fn the_first_certificate_of_a_text_counts() {
    // P32
    let (one, other) = (identity(), identity());
    let both = format!("some words\n{}{}", one.pem(), other.pem());
    assert_eq!(certificate_from_pem(&both).unwrap(), one.der());
}

#[test]
fn texts_without_a_certificate_are_refused() {
    // P32, F21
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let cut = identity().pem().replace("-----END", "");
    for text in ["", "garbage", key.as_str(), cut.as_str()] {
        assert!(matches!(certificate_from_pem(text), Err(Error::Pem { .. })), "{text}");
    }
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(certificate_from_pem(hollow), Err(Error::NotX509 { bytes: 3, .. })));
}

#[test]
fn bytes_that_are_no_certificate_are_refused_before_any_connection() {
    // H21, F21
    let own = identity();
    for der in [&b""[..], b"\x30\x00", &[7; 600], &own.der()[..300]] {
        assert!(matches!(client_config(&own, der), Err(Error::NotX509 { .. })));
        assert!(matches!(server_config(&own, der), Err(Error::NotX509 { .. })));
    }
}

#[test]
fn a_certificate_that_has_ended_is_refused() {
    // F21; both forms of a date
    let own = identity();
    for (year, good) in [(2020, false), (2049, true), (2060, true)] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        match client_config(&own, certificate.der()) {
            Ok(_) => assert!(good, "{year}"),
            Err(Error::Expired { not_after_s, .. }) => {
                assert!(!good, "{year}");
                assert_eq!(not_after_s, 1_577_836_800);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn identity() -> Identity {
    Identity::generate().unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

/// Moves bytes to and fro until both sides are content or one is not.
fn connect(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let mut client = ClientConnection::new(client, server_name())?;
    let mut server = ServerConnection::new(server)?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut moved = Vec::new();
        client.write_tls(&mut moved).unwrap();
        let to_server = moved.len();
        feed(&moved, |bytes| server.read_tls(bytes));
        server.process_new_packets()?;
        moved.clear();
        server.write_tls(&mut moved).unwrap();
        feed(&moved, |bytes| client.read_tls(bytes));
        client.process_new_packets()?;
        assert!(to_server + moved.len() > 0, "both sides wait");
    }
    Ok((client, server))
}

fn feed(mut bytes: &[u8], mut read: impl FnMut(&mut dyn io::Read) -> io::Result<usize>) {
    while !bytes.is_empty() {
        read(&mut bytes).unwrap();
    }
}

fn with_h2(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn client_with_h2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A client that looks at nothing, to try a server with.
fn trusting_client() -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
}

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The key of [`GO_CERTIFICATE`]: no secret, a zero and 65 sevens.
fn go_certified() -> Arc<SingleCertAndKey> {
    let go = certificate_from_pem(GO_CERTIFICATE).unwrap();
    let certified =
        CertifiedKey::new(vec![CertificateDer::from(go)], Arc::new(P521Key(p521_key(7))));
    Arc::new(SingleCertAndKey::from(Arc::new(certified)))
}

fn p521_key(byte: u8) -> p521::ecdsa::SigningKey {
    let mut scalar = [byte; 66];
    scalar[0] = 0;
    p521::ecdsa::SigningKey::from_slice(&scalar).unwrap()
}

/// Signs as Go does with a P-521 key: only where the other side offers P-521 with SHA-512.
#[derive(Clone, Debug)]
struct P521Key(p521::ecdsa::SigningKey);

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: p521::ecdsa::DerSignature = self.0.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
