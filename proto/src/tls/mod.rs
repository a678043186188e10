//! The mutual TLS of one plugin process: each side makes a certificate at launch, and trusts exactly the other's.
//!
//! Trust is equality: the peer's end-entity certificate must be the expected one, byte for byte, and the peer must
//! prove that it holds its key. No names, issuers or purposes are looked at, because go-plugin's own certificates
//! (P-521, CA) fail the usual rules, and equality is stricter than those. TLS 1.3 and ALPN `h2` only.
//!
//! Never opens a socket and keeps no key on disk. [`Identity::generate`] first, then [`client_config`] (the host
//! towards the plugin, the plugin towards service `Host`) or [`server_config`] (the other end).

mod expiry;
mod identity;
mod verify;

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, DnsName, ServerName, pem};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

pub use identity::Identity;
use verify::Pinned;

/// The name in every certificate, and the one that is dialled.
const LOCALHOST: &str = "localhost";

/// The one application protocol: HTTP/2. grpc-go ends connections that did not agree on it.
const ALPN: &[u8] = b"h2";

/// One provider for all configurations; named, because a process may link two and rustls then panics on a default.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

static SERVER_NAME: LazyLock<ServerName<'static>> = LazyLock::new(|| {
    ServerName::DnsName(DnsName::try_from(LOCALHOST).expect("localhost is a DNS name"))
});

/// Why there is no certificate or no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not PEM, or holds no certificate. Nothing of it is repeated: it may be a key.
    #[error(
        "found no certificate in the text, which must be PEM (\"-----BEGIN CERTIFICATE-----\"): {source}"
    )]
    Pem {
        /// What the reader missed.
        source: pem::Error,
    },
    /// The bytes are not an X.509 certificate of version 3.
    #[error(
        "the peer's certificate of {bytes} bytes is not an X.509 v3 certificate in DER: {reason}"
    )]
    NotX509 {
        /// How many bytes there were.
        bytes: usize,
        /// What the reader stumbled over.
        reason: String,
    },
    /// The certificate's time is over.
    #[error(
        "the peer's certificate ended {} s ago; certificates are made anew at every start: \
         check the clock, or that the plugin makes its own",
        .now_s.saturating_sub(*.not_after_s)
    )]
    Expired {
        /// Its last second, since 1970.
        not_after_s: u64,
        /// The time it was looked at, since 1970.
        now_s: u64,
    },
    /// No key or certificate could be made.
    #[error("could not make a key and a certificate: {source}")]
    Generate {
        /// What the library says.
        source: rcgen::Error,
    },
    /// rustls refuses the key or the protocol version.
    #[error("could not set up TLS: {source}")]
    Config {
        /// What the library says.
        source: rustls::Error,
    },
}

/// The first certificate of a PEM text, as DER; further ones are ignored.
///
/// # Errors
/// [`Error::Pem`] without a certificate, [`Error::NotX509`] when it is none inside.
pub fn certificate_from_pem(text: &str) -> Result<Vec<u8>, Error> {
    let der =
        CertificateDer::from_pem_slice(text.as_bytes()).map_err(|source| Error::Pem { source })?;
    check_x509(&der)?;
    Ok(der.to_vec())
}

/// For the side that dials: shows `identity`, and accepts a server with exactly the certificate `peer_der`.
///
/// # Errors
/// [`Error::NotX509`] and [`Error::Expired`] about `peer_der`; [`Error::Config`].
pub fn client_config(identity: &Identity, peer_der: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| Error::Config { source })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin(peer_der)?))
        .with_client_cert_resolver(identity.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Every connection proves both keys anew; there are too few of them for a ticket to pay.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// For the side that listens: shows `identity`, and demands a client with exactly the certificate `peer_der`.
///
/// # Errors
/// [`Error::NotX509`] and [`Error::Expired`] about `peer_der`; [`Error::Config`].
pub fn server_config(identity: &Identity, peer_der: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| Error::Config { source })?
        .with_client_cert_verifier(Arc::new(pin(peer_der)?))
        .with_cert_resolver(identity.resolver());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The name to dial: `localhost`, whatever the address is. Also the `:authority` of every request.
pub fn server_name() -> ServerName<'static> {
    SERVER_NAME.clone()
}

fn pin(peer_der: &[u8]) -> Result<Pinned, Error> {
    let peer = CertificateDer::from(peer_der.to_vec());
    check_x509(&peer)?;
    expiry::check(&peer, SystemTime::now())?;
    Ok(Pinned::new(peer, PROVIDER.signature_verification_algorithms))
}

fn check_x509(der: &CertificateDer<'_>) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(der);
    parsed.map(drop).map_err(|source| not_x509(der, &source))
}

fn not_x509(der: &CertificateDer<'_>, reason: &dyn std::fmt::Display) -> Error {
    Error::NotX509 { bytes: der.len(), reason: reason.to_string() }
}
