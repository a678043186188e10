//! Whom a client trusts: the authorities of this machine, or those that a setting `certificates` holds.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use tokio::task::spawn_blocking;
use wharf_sdk::Error;

use crate::client::setup;

/// Why the text of a setting `certificates` is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It does not end, or is not in base64.
    #[error("it is no PEM: {0}")]
    Pem(pem::Error),
    /// It may not vouch for others, or is broken.
    #[error("one is no certificate of an authority: {0}")]
    Authority(rustls::Error),
    /// A path, perhaps.
    #[error("no certificate is in it: write certificates=@FILE, of a file in PEM")]
    Missing,
}

/// Reads the certificates of a setting. `None`: it is empty.
///
/// # Errors
/// Why they are of no use.
pub fn given(text: &str) -> Result<Option<RootCertStore>, CertificateError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(CertificateError::Pem)?;
        roots.add(certificate).map_err(CertificateError::Authority)?;
    }
    if roots.is_empty() { Err(CertificateError::Missing) } else { Ok(Some(roots)) }
}

/// The authorities of this machine; none, if it has none.
///
/// # Errors
/// A fault of the runtime.
pub async fn machine() -> Result<RootCertStore, Error> {
    let found = spawn_blocking(rustls_native_certs::load_native_certs).await;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.map_err(|error| setup(&error))?.certs);
    Ok(roots)
}

/// Those of a setting `certificates` or, where it is empty, those of this machine. Without TLS nobody needs to be trusted.
///
/// # Errors
/// `config.certificates`: they are of no use, or there are none.
pub async fn trusted(secure: bool, certificates: &str) -> Result<RootCertStore, Error> {
    let refused = |why: CertificateError| {
        Error::usage("config.certificates", why.to_string()).at_field("/certificates")
    };
    match given(certificates).map_err(refused)? {
        _ if !secure => return Ok(RootCertStore::empty()),
        Some(given) => return Ok(given),
        None => {}
    }
    let roots = machine().await?;
    if roots.is_empty() {
        let message = "no trusted certificate is installed on this machine, so no https can be spoken; install the \
                       package ca-certificates";
        return Err(Error::usage("config.certificates", message));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_named_and_nothing_is_none() {
        let why = |text: &str| given(text).unwrap_err().to_string();
        assert!(given(" \n").unwrap().is_none());
        assert!(why("/etc/ca.pem").contains("certificates=@FILE"));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(why(broken).contains("no certificate of an authority"));
        assert!(given("-----BEGIN CERTIFICATE-----\nAAAA\n").is_err());
    }
}
