//! What a connection that failed was about: its errors are chains, and what counts stands at their end.

use std::error::Error as StdError;
use std::io;

/// Letters of a cause that are told.
const TOLD: usize = 300;

/// Why there is no answer, or no whole one. Texts are for people, and name no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nobody who is trusted vouches for the server.
    Untrusted(String),
    /// No connection came about, or nothing came for too long.
    Unreachable(String),
    /// The connection broke.
    Broken(String),
}

impl Lost {
    /// What this error of a request, or of the body of an answer, says.
    pub fn of(error: &reqwest::Error) -> Self {
        if let Some(tls) = find::<rustls::Error>(error) {
            return Self::Untrusted(tls.to_string());
        }
        if error.is_timeout() {
            return Self::Unreachable("it does not answer in time".to_owned());
        }
        let why = innermost(error);
        if error.is_connect() { Self::Unreachable(why) } else { Self::Broken(why) }
    }
}

/// The last cause: what those before it say is only that something failed, and at which address.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string().chars().take(TOLD).collect()
}

/// Looks for an error of this type below another one; `io::Error` hides what it carries from `source`.
pub fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::RootCertStore;
    use wharf_sdk::{Class, Error};

    use super::*;
    use crate::Plan;

    #[test]
    fn an_error_is_found_inside_of_one_that_hides_it() {
        let own = Error::usage("config.url", "ours");
        let hidden = io::Error::other(io::Error::other(own));
        assert_eq!(find::<Error>(&hidden).map(Error::class), Some(Class::Usage));
        assert!(find::<rustls::Error>(&hidden).is_none());
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_unreachable_and_no_address_is_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let roots = RootCertStore::empty();
        let plan = Plan { agent: "test/1", roots, silence: Duration::from_secs(5) };
        let client = plan.client(|builder| builder).unwrap();
        let asked = client.get(format!("http://127.0.0.1:{port}/secret")).send().await;
        let Lost::Unreachable(why) = Lost::of(&asked.unwrap_err()) else { panic!("it is") };
        assert!(why.contains("refused") && !why.contains("secret"), "{why}");
    }
}
