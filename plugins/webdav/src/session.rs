//! The server that is talked to: its address, who logs in, and the connections, kept for the process.
//!
//! A listing asks the host for the password anew; what comes after it uses what is there. Whoever logs in does so with every
//! request, unasked: a server that must ask first costs twice the requests. Source: RFC 7617 (Basic), RFC 4918, 9.1.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_RANGE, RANGE,
};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use tokio::sync::Mutex;
use url::Url;
use wharf_http::{Lost, Plan, resolves, trusted};
use wharf_sdk::{Context, Error};

use crate::failure;
use crate::revision::Tag;
use crate::settings::Server;

/// What the server is told about who asks.
const AGENT: &str = concat!("wharf-webdav/", env!("CARGO_PKG_VERSION"));
/// How long a server may stay silent while it is asked something: large folders take their time.
const SILENCE: Duration = Duration::from_mins(1);
/// Exactly what is needed: some servers compute checksums when they are asked for all.
const PROPERTIES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>\
     <D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/></D:prop></D:propfind>";

/// A server, and who asks it. A clone shares the connections.
#[derive(Clone)]
pub(crate) struct Dav {
    pub(crate) server: Server,
    pub(crate) root: Url,
    client: Client,
    /// Never in an address, a log or an error.
    login: Option<HeaderValue>,
    password: Arc<str>,
}

/// What the process talks to.
#[derive(Default)]
pub(crate) struct Session {
    open: Mutex<Option<Dav>>,
}

impl Session {
    /// The server, with the password that counts now.
    pub(crate) async fn begin(&self, server: &Server, context: &Context) -> Result<Dav, Error> {
        let password = password(server, context).await?;
        let mut open = self.open.lock().await;
        let fits = |dav: &&Dav| dav.server == *server && *dav.password == *password;
        if let Some(dav) = open.as_ref().filter(fits) {
            return Ok(dav.clone());
        }
        *open = None;
        Ok(open.insert(connect(server, password).await?).clone())
    }

    /// The server, as it was talked to.
    pub(crate) async fn dav(&self, server: &Server, context: &Context) -> Result<Dav, Error> {
        let open = self.open.lock().await;
        if let Some(dav) = open.as_ref().filter(|dav| dav.server == *server) {
            return Ok(dav.clone());
        }
        drop(open);
        self.begin(server, context).await
    }
}

impl Dav {
    /// Asks what a folder holds.
    pub(crate) async fn list(&self, folder: Url) -> reqwest::Result<Response> {
        let method = Method::from_bytes(b"PROPFIND").unwrap_or_default();
        let request = self.client.request(method, folder).header("Depth", "1");
        let request = request.header(CONTENT_TYPE, "application/xml; charset=utf-8");
        self.send(request.body(PROPERTIES)).await
    }

    /// Asks for a file; with a tag, from a place on, if it still is that one.
    pub(crate) async fn get(
        &self,
        file: Url,
        rest: Option<(u64, &Tag)>,
    ) -> reqwest::Result<Response> {
        let mut request = self.client.get(file);
        if let Some((from, tag)) = rest {
            request = request.header(RANGE, format!("bytes={from}-"));
            request = request.header(IF_RANGE, tag.as_str());
        }
        self.send(request).await
    }

    /// Asks what a file is by now.
    pub(crate) async fn head(&self, file: Url) -> reqwest::Result<Response> {
        self.send(self.client.head(file)).await
    }

    async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let request = match &self.login {
            Some(login) => request.header(AUTHORIZATION, login),
            None => request,
        };
        match (request.try_clone(), request.send().await) {
            // The server may have closed just then what was kept open since the last request.
            (Some(again), Err(error)) if matches!(Lost::of(&error), Lost::Broken(_)) => {
                again.send().await
            }
            (_, sent) => sent,
        }
    }
}

async fn password(server: &Server, context: &Context) -> Result<Arc<str>, Error> {
    let Some(secret) = &server.password else { return Ok(Arc::from("")) };
    let (name, bytes) = (secret.name(), context.secret(secret.name()).await?);
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(Arc::from(text)),
        _ => {
            let message = format!(
                "the secret {name} is no line of text, so it is no password; set it anew: wharf secret set {name}"
            );
            Err(Error::usage("usage.credentials", message).at_field("/password"))
        }
    }
}

async fn connect(server: &Server, password: Arc<str>) -> Result<Dav, Error> {
    let root = server.root()?;
    resolves(&root).await.map_err(|why| failure::name(server, &why))?;
    let roots = trusted(root.scheme() == "https", &server.certificates).await?;
    let client = Plan { agent: AGENT, roots, silence: SILENCE }.client(uncompressed)?;
    let login = (!server.username.is_empty()).then(|| login(&server.username, &password));
    Ok(Dav { server: server.clone(), root, client, login: login.transpose()?, password })
}

fn login(username: &str, password: &str) -> Result<HeaderValue, Error> {
    let encoded = STANDARD.encode(format!("{username}:{password}"));
    let mut login = HeaderValue::from_str(&format!("Basic {encoded}"))
        .map_err(|_odd| Error::fault("internal.http", "the login is no header of HTTP"))?;
    login.set_sensitive(true);
    Ok(login)
}

/// The sizes of files are compared.
fn uncompressed(builder: ClientBuilder) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    builder.default_headers(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_of_utf_8_and_not_shown() {
        let login = login("Aladdin", "open sesame").unwrap();
        assert_eq!(login.to_str().ok(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(format!("{login:?}"), "Sensitive");
    }
}
