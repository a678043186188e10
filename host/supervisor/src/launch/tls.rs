//! How connections are protected, and what the two sides agree on about it.
//!
//! [`Tls`] is the caller's wish; [`Ours`] is this side's part of it, made before the start; together
//! with the plugin's handshake line it becomes the security of every connection, the main one and
//! brokered ones. It never falls back from what was wished for to less.

use wharf_peer::Security;
use wharf_proto::tls::Identity;

use crate::error::Error;

/// How the connections between host and plugin are protected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Tls {
    /// go-plugin's `AutoMTLS`: both sides make a certificate for this start and trust exactly the
    /// other's. A plugin that does not answer with one is refused.
    #[default]
    Auto,
    /// The same for every start. The plugin is set up for it in a way of its own, and shows no
    /// certificate in its handshake.
    Given(Security),
    /// In clear: whoever may open the plugin's socket may call the plugin.
    Off,
}

/// This side's part, for one start.
pub(super) enum Ours {
    Auto(Box<Identity>),
    Given(Security),
    Off,
}

impl Tls {
    pub(super) fn begin(&self) -> Result<Ours, Error> {
        match self {
            Self::Auto => Identity::generate()
                .map(|identity| Ours::Auto(Box::new(identity)))
                .map_err(|error| Error::config(format!("no key for TLS: {error}"), None)),
            Self::Given(security) => Ok(Ours::Given(security.clone())),
            Self::Off => Ok(Ours::Off),
        }
    }
}

impl Ours {
    /// What goes into `PLUGIN_CLIENT_CERT`.
    pub(super) fn pem(&self) -> Option<&str> {
        match self {
            Self::Auto(identity) => Some(identity.pem()),
            Self::Given(_) | Self::Off => None,
        }
    }

    /// With the certificate of the plugin's handshake line. `Ok(None)`: without TLS, as was wished.
    ///
    /// # Errors
    /// What is wrong with the plugin's answer, in words.
    pub(super) fn agree(&self, certificate: Option<&[u8]>) -> Result<Option<Security>, String> {
        match (self, certificate) {
            (Self::Auto(identity), Some(der)) => Security::pinned(identity, der)
                .map(Some)
                .map_err(|error| format!("its handshake line: {error}")),
            (Self::Auto(_), None) => Err("its handshake line has no certificate, and without TLS \
                 it is not used; it must honour PLUGIN_CLIENT_CERT (AutoMTLS), or be started with \
                 TLS off"
                .to_owned()),
            (Self::Given(_) | Self::Off, Some(_)) => Err("its handshake line has a certificate, \
                 which this host did not ask for; turn AutoMTLS on in the host or off in the plugin"
                .to_owned()),
            (Self::Given(security), None) => Ok(Some(security.clone())),
            (Self::Off, None) => Ok(None),
        }
    }

    /// What to do about a TLS handshake that failed.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Auto(_) => {
                "the plugin must use the certificate of its handshake line and accept the one in \
                 PLUGIN_CLIENT_CERT"
            }
            Self::Given(_) | Self::Off => "host and plugin must be set up for the same TLS",
        }
    }
}
