//! The client. Redirects are not followed: credentials go where the settings say; proxies of the environment and the
//! client's own retries are off, and no address is told as referrer.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use wharf_sdk::Error;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// What a client is made with.
#[derive(Debug)]
pub struct Plan {
    /// What it calls itself: `NAME/VERSION`.
    pub agent: &'static str,
    /// Whom it trusts.
    pub roots: RootCertStore,
    /// How long a server may stay silent while it is asked something.
    pub silence: Duration,
}

impl Plan {
    /// The client, with what `more` adds: headers, versions of HTTP.
    ///
    /// # Errors
    /// A fault.
    pub fn client(self, more: fn(ClientBuilder) -> ClientBuilder) -> Result<Client, Error> {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .with_root_certificates(self.roots)
            .with_no_client_auth();
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(self.agent)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(self.silence);
        more(builder).build().map_err(|error| setup(&error))
    }
}

pub(crate) fn setup(error: &dyn std::error::Error) -> Error {
    Error::fault("internal.http", "the HTTP client cannot be made").caused_by(error)
}
