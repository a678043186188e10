//! HTTP as all providers are spoken to: one client (`client`), requests that are tried again a few times (`retry`), and
//! errors that say what to do (`failure`).

mod client;
pub(crate) mod failure;
mod retry;

use reqwest::Client;
use url::Url;
pub(crate) use wharf_http::is_in_the_clear;
use wharf_sdk::{Checked, Context, Error};

pub(crate) use self::client::client;
pub(crate) use self::retry::{Patience, Refusal, Sent};

/// Who speaks, to whom, for which call.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) client: Client,
    pub(crate) context: Context,
    /// What the provider is called in errors: its address, without what may be secret.
    pub(crate) place: String,
    /// The setting with its address.
    pub(crate) field: &'static str,
}

impl Http {
    /// `ca`: certificates of authorities that are trusted besides those of this machine, PEM.
    pub(crate) async fn new(
        context: &Context,
        address: &Url,
        ca: Option<&str>,
        field: &'static str,
    ) -> Result<Self, Error> {
        let client = client(ca).await?;
        let place = shown(address);
        Ok(Self { client, context: context.clone(), place, field })
    }
}

/// An address without what has no place in a log.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", url.scheme())
}

/// Reads the address of a service.
pub(crate) fn address(text: &str, field: &str) -> Result<Url, Error> {
    wharf_http::address(text).map_err(|why| {
        Error::usage("config.url", format!("{why}: write https://HOST or https://HOST:PORT"))
            .at_field(field)
    })
}

/// What is wrong with an address, and with certificates, in settings.
pub(crate) fn checked(text: &str, field: &str, ca: Option<&str>) -> Checked {
    let mut checked = Checked::good();
    match address(text, field) {
        Err(error) => checked = checked.error(field, "config.url", error.to_string()),
        Ok(url) if is_in_the_clear(&url) => {
            let words = "the password can be read by everybody on the way: use https";
            checked = checked.warning(field, "config.clear", words);
        }
        Ok(_) => {}
    }
    if let Some(Err(error)) = ca.map(client::authorities) {
        checked = checked.error("/ca_certificate", "config.certificate", error.to_string());
    }
    checked
}
