//! The site that is talked to: its address, the user's key, and the connections, kept for the process.
//!
//! A listing asks the host for the key anew; what comes after it uses what is there.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder};
use tokio::sync::{Mutex, OnceCell};
use url::Url;
use wharf_http::{Plan, resolves, trusted};
use wharf_sdk::{Context, Error};

use crate::failure;
use crate::settings::Server;

/// What the site is told about who asks.
const AGENT: &str = concat!("wharf-moodle/", env!("CARGO_PKG_VERSION"));
/// How long a site may stay silent while it is asked something: large courses take their time.
const SILENCE: Duration = Duration::from_mins(1);

/// A site, and who asks it. A clone shares the connections.
#[derive(Clone)]
pub(crate) struct Moodle {
    pub(crate) server: Server,
    pub(crate) site: Url,
    pub(crate) client: Client,
    /// Never in an address, a log or an error.
    pub(crate) token: Arc<str>,
    /// The user's number.
    pub(crate) user: Arc<OnceCell<u64>>,
}

/// What the process talks to.
#[derive(Default)]
pub(crate) struct Session {
    open: Mutex<Option<Moodle>>,
}

impl Session {
    /// The site, with the key that counts now.
    pub(crate) async fn begin(&self, server: &Server, context: &Context) -> Result<Moodle, Error> {
        let token = token(server, context).await?;
        let mut open = self.open.lock().await;
        if let Some(moodle) = open.as_ref().filter(|it| it.server == *server && *it.token == *token)
        {
            return Ok(moodle.clone());
        }
        *open = None;
        Ok(open.insert(connect(server, token).await?).clone())
    }

    /// The site, as it was talked to.
    pub(crate) async fn moodle(&self, server: &Server, context: &Context) -> Result<Moodle, Error> {
        let open = self.open.lock().await;
        if let Some(moodle) = open.as_ref().filter(|moodle| moodle.server == *server) {
            return Ok(moodle.clone());
        }
        drop(open);
        self.begin(server, context).await
    }
}

async fn token(server: &Server, context: &Context) -> Result<Arc<str>, Error> {
    let name = server.token.name();
    let bytes = context.secret(name).await?;
    let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
    if text.is_empty() {
        let message = format!(
            "the secret {name} is no text, so it is no key; set it anew: wharf secret set {name}"
        );
        return Err(Error::usage("usage.credentials", message).at_field("/token"));
    }
    Ok(Arc::from(text))
}

async fn connect(server: &Server, token: Arc<str>) -> Result<Moodle, Error> {
    let site = server.site()?;
    resolves(&site).await.map_err(|why| failure::name(server, &why))?;
    let roots = trusted(site.scheme() == "https", &server.certificates).await?;
    let client = Plan { agent: AGENT, roots, silence: SILENCE }.client(uncompressed)?;
    Ok(Moodle { server: server.clone(), site, client, token, user: Arc::default() })
}

/// The sizes of files are compared.
fn uncompressed(builder: ClientBuilder) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    builder.default_headers(headers)
}
