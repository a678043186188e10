//! Addresses of servers, as users write them into settings.

use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

/// How long the name service may take.
const NAMES: Duration = Duration::from_secs(10);

/// Why a text is no address of a server. What to write instead is for the setting's owner to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read as one.
    #[error("it is no address")]
    Malformed,
    /// Not `http` or `https`, or without a host.
    #[error("it is no address of the web")]
    Scheme,
    /// It would be kept, shown and logged.
    #[error("a user or password has no place in an address")]
    Credentials,
    /// It is that of one page.
    #[error("it has a query")]
    Query,
}

/// Reads the address of a server, or of a folder on one: `http` or `https`, without user, password, query and fragment.
///
/// # Errors
/// Why it is none.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text.trim()).map_err(|_error| AddressError::Malformed)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(AddressError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Query);
    }
    Ok(url)
}

/// Whether what is sent there can be read on the way: no TLS, and not this machine.
pub fn is_in_the_clear(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !here
}

/// Asks the name service for the host of an address, so that a name nobody knows is not told as a server that is silent.
///
/// # Errors
/// What the name service says, for people.
pub async fn resolves(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or_default();
    match timeout(NAMES, lookup_host((host, port))).await {
        Ok(Ok(_addresses)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err("the name service does not answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_a_server_is_named() {
        for (text, why) in [
            ("", AddressError::Malformed),
            ("files.example.org", AddressError::Malformed),
            ("ftp://files.example.org", AddressError::Scheme),
            ("https://me:secret@files.example.org", AddressError::Credentials),
            ("https://me@files.example.org", AddressError::Credentials),
            ("https://files.example.org/?id=3", AddressError::Query),
            ("https://files.example.org/#top", AddressError::Query),
        ] {
            assert_eq!(address(text), Err(why), "{text}");
        }
        for good in ["https://files.example.org", " http://[::1]:8080/dav/ "] {
            assert!(address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_keep_a_password_from_others() {
        let clear = |text: &str| is_in_the_clear(&address(text).unwrap());
        assert!(clear("http://files.example.org") && clear("http://192.0.2.7"));
        for safe in ["https://files.example.org", "http://127.0.0.1:8080", "http://[::1]/"] {
            assert!(!clear(safe), "{safe}");
        }
        assert!(!clear("http://localhost"));
    }

    #[tokio::test]
    async fn addresses_need_no_name_service() {
        for good in ["http://127.0.0.1", "https://[::1]:8443/"] {
            assert_eq!(resolves(&address(good).unwrap()).await, Ok(()), "{good}");
        }
    }
}
