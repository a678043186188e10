//! The HTTP clients: with and without TLS, for hosts that may lie anywhere and for those that must be public.
//!
//! TLS is rustls with ring, said explicitly; the certificates trusted are the system's, read once and only when the
//! first `https` address is met (a machine without any can still use `http`). Redirects, retries, compression,
//! cookies and proxies from the environment are all off: the modules around this one decide.

use std::{error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};
use tokio::{net::lookup_host, sync::OnceCell, task::spawn_blocking};
use url::Url;

use super::{Config, Error, trust};

/// Idle connections are closed after this time; servers usually keep them a little longer.
const IDLE: Duration = Duration::from_secs(50);

/// The largest header block of an answer over HTTP/2, in bytes. HTTP/1 heads are limited to 100
/// headers and about 400 KiB by the library.
const HEADER_BYTES: u32 = 64 * 1024;

#[derive(Debug)]
pub(super) struct Clients {
    config: Config,
    plain: Pair,
    secure: OnceCell<Pair>,
}

#[derive(Debug)]
struct Pair {
    anywhere: Client,
    public: Client,
}

impl Clients {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        let plain = pair(config, tls(RootCertStore::empty())?)?;
        Ok(Self { config: config.clone(), plain, secure: OnceCell::new() })
    }

    /// The client for this address; `trusted`: its host was typed by the user.
    pub(super) async fn client(&self, url: &Url, trusted: bool) -> Result<&Client, Error> {
        let pair = match url.scheme() {
            "https" => self.secure.get_or_try_init(|| self.secure()).await?,
            _ => &self.plain,
        };
        Ok(if trusted { &pair.anywhere } else { &pair.public })
    }

    async fn secure(&self) -> Result<Pair, Error> {
        let roots = spawn_blocking(system_roots)
            .await
            .map_err(|error| setup("reading certificates", error))??;
        pair(&self.config, tls(roots)?)
    }
}

fn system_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _broken) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let cause = found.errors.into_iter().next();
        return Err(Error::Setup {
            reason: "no trusted certificate is installed".to_owned(),
            source: cause.map(Into::into),
        });
    }
    Ok(roots)
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| setup("TLS versions", error))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn pair(config: &Config, tls: ClientConfig) -> Result<Pair, Error> {
    Ok(Pair {
        anywhere: client(config, tls.clone(), Resolver { public_only: false })?,
        public: client(config, tls, Resolver { public_only: true })?,
    })
}

fn client(config: &Config, tls: ClientConfig, resolver: Resolver) -> Result<Client, Error> {
    let mut headers = HeaderMap::new();
    // What is stored is what the digests are of: bytes as they lie on the server.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(config.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(config.per_host)
        .http2_adaptive_window(true)
        .http2_max_header_list_size(HEADER_BYTES)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(|error| setup("the HTTP client", error))
}

fn setup(what: &str, error: impl Into<super::error::Cause>) -> Error {
    let source = error.into();
    Error::Setup { reason: format!("{what}: {source}"), source: Some(source) }
}

/// Asks the system, and leaves out inward addresses for hosts that must be public: what is checked
/// here is what is dialled, so a name cannot change between (F109).
#[derive(Debug)]
struct Resolver {
    public_only: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let public_only = self.public_only;
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let inward = found.iter().find(|address| trust::is_inward(address.ip())).copied();
            match inward {
                Some(address) if public_only => {
                    let public: Vec<SocketAddr> = found
                        .into_iter()
                        .filter(|address| !trust::is_inward(address.ip()))
                        .collect();
                    if public.is_empty() {
                        return Err(InwardName(address).into());
                    }
                    Ok(Box::new(public.into_iter()) as Addrs)
                }
                _ => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// A name that leads inward only.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to {0}")]
struct InwardName(SocketAddr);

/// What went wrong before an answer began, from the library's error.
pub(super) fn classify(url: &Url, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let shown = trust::shown(url);
    if let Some(InwardName(address)) = find::<InwardName>(&error) {
        return Error::Inward { url: shown, address: address.ip().to_string() };
    }
    let reason = if error.is_timeout() && error.is_connect() {
        "no connection came about in time".to_owned()
    } else {
        super::error::innermost(&error)
    };
    if find::<rustls::Error>(&error).is_some() {
        return Error::Tls { url: shown, reason, source: Some(error.into()) };
    }
    Error::Unreachable { url: shown, reason, source: Some(error.into()) }
}

/// Looks for an error of this type below another one; `io::Error` hides what it carries from `source`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}
