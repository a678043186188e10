//! The HTTP client of the providers: whom it trusts besides this machine's authorities, and how patient it is.

use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use wharf_http::{Plan, machine};
use wharf_sdk::Error;

/// What a provider is told about who asks.
const AGENT: &str = concat!("wharf-image-push/", env!("CARGO_PKG_VERSION"));
/// How long a provider may stay silent: some assemble large uploads before they answer.
const SILENCE: Duration = Duration::from_mins(5);

/// A client that trusts this machine's certificates and those given. A machine without any can still speak to a provider
/// whose own is given.
pub(crate) async fn client(ca: Option<&str>) -> Result<Client, Error> {
    let own = ca.map(authorities).transpose()?.unwrap_or_default();
    let mut roots = machine().await?;
    roots.add_parsable_certificates(own);
    // A server that is asked for much at once may take HTTP/2's windows for a reason to stall.
    Plan { agent: AGENT, roots, silence: SILENCE }.client(ClientBuilder::http1_only)
}

/// Reads certificates, PEM.
pub(super) fn authorities(text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |why: String| {
        let message =
            format!("{why}: write the text of a PEM file, -----BEGIN CERTIFICATE----- ...");
        Error::usage("config.certificate", message).at_field("/ca_certificate")
    };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = read.map_err(|error| wrong(format!("these are no certificates ({error})")))?;
    let mut roots = RootCertStore::empty();
    let (added, _broken) = roots.add_parsable_certificates(found.clone());
    if added == 0 || added < found.len() {
        return Err(wrong(format!("{added} of {} certificates can be read", found.len())));
    }
    Ok(found)
}
