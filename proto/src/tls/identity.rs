//! A key and its self-signed certificate, made for one launch and gone with the process.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::{Error, LOCALHOST, PROVIDER};

/// Before this moment a certificate is not valid: as in Go, for clocks that step back.
const BACKDATED: Duration = Duration::from_secs(30);

/// Longer than any process lives, and below 2050, where dates change their form and some libraries fail.
const LIFE: Duration = Duration::from_hours(10 * 365 * 24);

/// One side's key and certificate.
///
/// P-256, because every TLS library knows it; not a certificate authority, because stock verifiers refuse one as a
/// peer's own; for clients and servers both, because a plugin is the client of service `Host`.
pub struct Identity {
    pem: String,
    certified: Arc<CertifiedKey>,
    der: CertificateDer<'static>,
}

impl Identity {
    /// Makes a new key and certificate.
    ///
    /// # Errors
    /// [`Error::Generate`] without randomness; [`Error::Config`] never in practice.
    pub fn generate() -> Result<Self, Error> {
        let generate = |source| Error::Generate { source };
        let key = KeyPair::generate().map_err(generate)?;
        let certificate = parameters().map_err(generate)?.self_signed(&key).map_err(generate)?;
        let der = certificate.der().clone();
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let certified = CertifiedKey::from_der(vec![der.clone()], private.into(), &PROVIDER)
            .map_err(|source| Error::Config { source })?;
        Ok(Self { pem: certificate.pem(), certified: Arc::new(certified), der })
    }

    /// The certificate, DER: what goes into the handshake line.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM: what goes into `PLUGIN_CLIENT_CERT`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Always answers with the one certificate, whatever issuers the peer hints at.
    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn parameters() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(vec![LOCALHOST.to_owned()])?;
    let now = SystemTime::now();
    parameters.not_before = (now - BACKDATED).into();
    parameters.not_after = (now + LIFE).into();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, LOCALHOST);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}
