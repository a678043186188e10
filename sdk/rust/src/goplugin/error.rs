//! Why a plugin does not start, or did not end well.

use std::io;

use wharf_peer::ListenError;

/// Why a plugin does not start, or did not end well. [`Server::serve`](super::Server::serve) tells it on standard
/// error and ends with status 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The cookie's name or value is empty, so that nothing could tell a host from a user.
    #[error(
        "this plugin is not configured: the {what} of its magic cookie is empty.\n\
         Give Server::new the name and the value that the host sets in the plugin's environment."
    )]
    NoCookie {
        /// Which half: name or value.
        what: &'static str,
    },
    /// There is no set of services at all.
    #[error(
        "this plugin is not configured: it serves nothing. Give it at least one Server::version."
    )]
    NoVersion,
    /// It was called from asynchronous code, whose runtime would have to wait for itself.
    #[error(
        "this plugin cannot be served from an async function: it brings a runtime of its own.\n\
         Make main a plain function, without #[tokio::main]."
    )]
    Async,
    /// The cookie is not in the environment: no host started this program.
    #[error("{text}")]
    NotLaunched {
        /// What the program says of itself.
        text: String,
    },
    /// A program of several kinds was not told which to be.
    #[error(
        "this program holds several plugins and runs one of them: {}.\n\
         The host names it as the only argument; it was started with {given}.",
        kinds.join(", ")
    )]
    Kind {
        /// What there is.
        kinds: Vec<String>,
        /// What came instead.
        given: String,
    },
    /// What the host sent as its certificate is none.
    #[error("PLUGIN_CLIENT_CERT does not hold a certificate: {source}")]
    HostCertificate {
        /// What is wrong with it.
        source: wharf_proto::tls::Error,
    },
    /// Key, certificate or configuration cannot be made.
    #[error("TLS cannot be set up: {source}")]
    Tls {
        /// What failed.
        source: wharf_proto::tls::Error,
    },
    /// There is no listener.
    #[error("{source}")]
    Listen {
        /// What failed, and where.
        #[from]
        source: ListenError,
    },
    /// The group that is to use the socket is unknown.
    #[error("PLUGIN_UNIX_SOCKET_GROUP names the group {group:?}, which this system does not have.")]
    UnknownGroup {
        /// The group's name.
        group: String,
    },
    /// The system refuses something that every plugin needs.
    #[error("the {what} cannot be set up: {source}")]
    System {
        /// What it was.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The handshake line cannot be written.
    #[error("the handshake cannot be written to standard output: {source}")]
    Handshake {
        /// What the system says.
        source: io::Error,
    },
    /// A host that asked for one socket for everything never connected to it, and is gone.
    #[error("the host is gone and never connected to the socket that it asked for")]
    NeverConnected,
    /// Serving ended by itself.
    #[error("serving failed: {source}")]
    Serve {
        /// What the library says.
        source: tonic::transport::Error,
    },
    /// A plugin in a test ended before it was ready, without a reason.
    #[error("the plugin ended before it was ready; its panic is on standard error")]
    Vanished,
}

impl StartError {
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
