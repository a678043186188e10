//! What a [`Fetcher`](super::Fetcher) may use, and when it gives up.

use std::time::Duration;

/// Limits of all transfers of one [`Fetcher`](super::Fetcher) together.
#[derive(Clone, Debug)]
pub struct Config {
    /// Transfers at the same time, over all hosts.
    pub parallel: usize,
    /// Transfers at the same time from one host and port.
    pub per_host: usize,
    /// Further rounds over the sources of a request after the first one failed.
    pub retries: u32,
    /// The wait before the first retry; doubled for every further one, with jitter.
    pub backoff: Duration,
    /// The longest wait between two rounds, a server's `Retry-After` included.
    pub backoff_limit: Duration,
    /// How long a connection, TLS included, may take to come about.
    pub connect_timeout: Duration,
    /// A transfer ends when no byte arrives for this long.
    pub stall_timeout: Duration,
    /// The largest body taken from anywhere, in bytes; a request may ask for less.
    pub max_bytes: u64,
    /// Redirects followed from one address.
    pub redirects: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            parallel: 16,
            per_host: 16,
            retries: 3,
            backoff: Duration::from_millis(500),
            backoff_limit: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            max_bytes: 1 << 40,
            redirects: 5,
        }
    }
}
